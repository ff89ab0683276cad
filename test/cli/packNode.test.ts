import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { packedNode, packNode } from "../../src/cli/packNode.js";

let folder: string;
let programs: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "katlab-node-"));
  programs = join(folder, "bin");
  await mkdir(programs);
  vi.stubEnv("XDG_CACHE_HOME", join(folder, "cache"));
  vi.stubEnv("PATH", programs);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

async function addProgram(name: string, script: string): Promise<void> {
  await writeFile(join(programs, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(programs, name), 0o755);
}

describe("packNode", () => {
  test("says which program is missing", async () => {
    await expect(packNode(join(folder, "node"), () => undefined)).rejects.toMatchObject({
      code: "unavailable",
      message: "katlab pack: npm must work; got no such program. Install npm and run katlab pack again.",
    });
  });

  test("passes on what npm says", async () => {
    await addProgram("npm", "echo 'npm error network' >&2; exit 1");
    await expect(packNode(join(folder, "node"), () => undefined)).rejects.toThrow(
      /npm must work; got .*npm error network/s,
    );
  });

  test("refuses another package than the pinned one, and keeps nothing of it", async () => {
    // npm pack <name>@<version> --silent --pack-destination <folder>
    await addProgram("npm", `echo other > "$5/${packedNode.package}-${packedNode.version}.tgz"`);
    await expect(packNode(join(folder, "node"), () => undefined)).rejects.toMatchObject({
      code: "invalid",
      message: expect.stringContaining(
        `must have the integrity ${packedNode.integrity}; got sha512-`,
      ) as string,
    });
    expect(await readdir(join(folder, "cache", "katlab", "pack"))).toEqual([]);
    expect(await readdir(folder)).not.toContain("node");
  });

  test("takes what was made before", async () => {
    const kept = join(folder, "cache", "katlab", "pack", `${packedNode.package}-${packedNode.version}`);
    await mkdir(kept, { recursive: true });
    await writeFile(join(kept, "bin.sha256"), "digest");
    await packNode(join(folder, "node"), () => undefined);
    expect(await readFile(join(folder, "node", "bin.sha256"), "utf8")).toBe("digest");
  });
});
