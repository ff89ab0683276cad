import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const run = promisify(execFile);
const templates = fileURLToPath(new URL("../../scripts/offline/", import.meta.url));

/** A bundle with a library of one line and this machine's Node. */
let bundle: string;

beforeEach(async () => {
  bundle = join(await mkdtemp(join(tmpdir(), "katlab-offline-")), "bundle");
  await cp(templates, bundle, { recursive: true });
  const library = join(bundle, "node_modules", "katlab");
  await mkdir(join(library, "dist", "bundle"), { recursive: true });
  await writeFile(
    join(library, "package.json"),
    JSON.stringify({
      type: "module",
      exports: { ".": "./dist/bundle/katlab.mjs", "./torch": "./dist/bundle/katlab.mjs" },
    }),
  );
  await writeFile(
    join(library, "dist", "bundle", "katlab.mjs"),
    'export const where = "the bundle"; if (process.argv[1] === new URL(import.meta.url).pathname) console.log(process.argv.slice(2).join());',
  );
});

afterEach(() => rm(join(bundle, ".."), { recursive: true }));

async function unpackNode(): Promise<void> {
  await mkdir(join(bundle, "node", "bin"), { recursive: true });
  await symlink(process.execPath, join(bundle, "node", "bin", "node"));
}

describe("katlab in a bundle", () => {
  test("runs a program anywhere against the bundle's library, with Node's options and the program's", async () => {
    await unpackNode();
    // a package of the same name around the program, or around the bundle, must not win
    const elsewhere = join(bundle, "..", "elsewhere");
    await mkdir(elsewhere);
    for (const folder of [elsewhere, join(bundle, "..")]) {
      await writeFile(join(folder, "package.json"), '{"name": "katlab", "exports": "./absent.js"}');
    }
    await writeFile(
      join(elsewhere, "program.mjs"),
      'import { where } from "katlab"; import * as torch from "katlab/torch"; import { sep } from "node:path";' +
        "console.log(where, torch.where === where, typeof gc, sep, process.argv[2]);",
    );
    const { stdout } = await run(join(bundle, "katlab"), ["run", "--expose-gc", "program.mjs", "argument"], {
      cwd: elsewhere,
    });
    expect(stdout).toBe("the bundle true function / argument\n");
  });

  test("passes everything else to the command line, also when called by a link", async () => {
    await unpackNode();
    const link = join(bundle, "..", "link");
    await symlink(join(bundle, "katlab"), link);
    expect((await run(link, ["doctor", "--json"])).stdout).toBe("doctor,--json\n");
  });

  test("says what to do before setup, and without a program", async () => {
    await expect(run(join(bundle, "katlab"), ["doctor"])).rejects.toMatchObject({
      code: 1,
      stderr: `katlab: Node must be unpacked; got no ${bundle}/node/bin/node. Run bash ${bundle}/setup.sh.\n`,
    });
    await unpackNode();
    await expect(run(join(bundle, "katlab"), ["run"])).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("a program must be named; got none.") as string,
    });
  });
});
