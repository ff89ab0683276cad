import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { access, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DoctorReport } from "../../src/cli/doctorReport.js";
import { formatParts, pack } from "../../src/cli/pack.js";
import type { PackPart } from "../../src/cli/packLayout.js";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));

// Fetching and compressing Node takes a minute where the cache is empty, building the native part another.
const minutes = 60_000;

/** What a bare machine has: no Node, no npm, no xz. */
const bareTools = [
  ...["bash", "sh", "env", "dirname", "readlink", "mkdir", "mv", "chmod", "sha256sum", "ls", "cat", "uname"],
  ...["python3", "g++", "as", "ld", "objcopy"],
];

let folder: string;
let bundle: string;
let environment: NodeJS.ProcessEnv;
let parts: PackPart[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "katlab-pack-"));
  bundle = join(folder, "elsewhere", "katlab");
  const program = join(folder, "double.ts");
  await writeFile(
    program,
    'import * as kl from "katlab";\n' +
      "async function main(): Promise<void> {\n" +
      "  const { engine } = await kl.useEngine();\n" +
      "  const doubled: number[] = Array.from(kl.tf.mul(kl.tf.tensor1d([1, 2, 3]), 2).dataSync());\n" +
      "  console.log(engine, ...doubled, process.argv[2]);\n" +
      "}\n" +
      "void main();\n",
  );
  parts = await pack({ out: bundle, with: [program] });

  const tools = join(folder, "tools");
  await mkdir(tools);
  for (const tool of bareTools) {
    const real = (process.env["PATH"] ?? "").split(delimiter).filter((place) => !place.includes("shims"));
    const path = real.map((place) => join(place, tool)).find((candidate) => existsSync(candidate));
    if (path === undefined) throw new Error(`${tool} must be here for this test`);
    await symlink(path, join(tools, tool));
  }
  environment = { PATH: tools, HOME: folder, KATLAB_TORCH: await sitePackages() };
}, 5 * minutes);

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Where this machine's torch is. */
async function sitePackages(): Promise<string> {
  const { findTorch } = (await import(pathToFileURL(join(root, "scripts", "findTorch.mjs")).href)) as {
    findTorch: (options: {
      root: string;
      env: NodeJS.ProcessEnv;
    }) => { sitePackages: string } | { missing: string };
  };
  const torch = findTorch({ root, env: process.env });
  if ("missing" in torch) throw new Error(torch.missing);
  return torch.sitePackages;
}

describe("katlab pack", () => {
  test("is at most 40 MB", async () => {
    const total = parts.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(total).toBeLessThanOrEqual(40e6);
    const sizes = await Promise.all(
      (await readdir(bundle, { recursive: true })).map(async (file) => {
        const found = await stat(join(bundle, file));
        return found.isFile() && !file.endsWith("SHA256SUMS") ? found.size : 0;
      }),
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(total);
    expect(formatParts("out", parts)).toMatch(/ \d+\.\d\d MB {2}out$/);
  });

  test("carries licences, right checksums, and nothing of this machine", async () => {
    await run("sha256sum", ["--check", "--quiet", "SHA256SUMS"], { cwd: bundle });
    const library = join(bundle, "node_modules", "katlab");
    const licences = await readFile(join(library, "THIRD_PARTY_LICENCES"), "utf8");
    expect(licences).toMatch(/^@tensorflow\/tfjs-core 4\.22\.0: Apache-2\.0$/m);
    expect(licences).toMatch(/^vega 6\.4\.0: BSD-3-Clause$/m);
    await access(join(bundle, "node", "LICENSE"));
    expect(existsSync(join(library, "native", "build"))).toBe(false);
    expect(await readFile(join(library, "dist", "bundle", "katlab.mjs"), "utf8")).not.toContain(root);
  });

  test(
    "works on a machine without network, Node, npm and xz",
    async () => {
      const { stdout } = await run("bash", [join(bundle, "setup.sh")], { env: environment, cwd: folder });
      expect(stdout).toMatch(/^✓ native/m);

      const doctor = await run(join(bundle, "katlab"), ["doctor", "--json"], { env: environment });
      const report = JSON.parse(doctor.stdout) as DoctorReport;
      expect(report).toMatchObject({ ok: true, engine: { engine: "torch" }, skipped: [] });

      const program = [join(bundle, "katlab"), "run", join("scripts", "double.mjs"), "argument"];
      const doubled = await run("bash", program, { env: environment, cwd: bundle });
      expect(doubled.stdout).toBe("torch 2 4 6 argument\n");
      const wasm = await run("bash", program, {
        env: { ...environment, KATLAB_ENGINE: "wasm" },
        cwd: bundle,
      });
      expect(wasm.stdout).toBe("wasm 2 4 6 argument\n");
    },
    8 * minutes,
  );

  test(
    "replaces an older bundle, writes archives with data, and overwrites nothing else",
    async () => {
      await pack({ out: bundle });
      expect(existsSync(join(bundle, "scripts"))).toBe(false); // the older one had programs
      const archive = join(folder, "bundle.tar");
      await pack({ out: archive, data: ["fashion-mnist"] });
      const { stdout } = await run("tar", ["-tf", archive]);
      expect(stdout.split("\n")).toEqual(
        expect.arrayContaining([
          "katlab-offline/setup.sh",
          "katlab-offline/node_modules/katlab/data/fashion-mnist/t10k-labels-idx1-ubyte.gz",
        ]),
      );
      await expect(pack({ out: folder })).rejects.toMatchObject({ code: "invalid" });
      expect(existsSync(archive)).toBe(true);
      expect((await readdir(folder)).filter((name) => name.startsWith(".katlab-pack"))).toEqual([]);
    },
    2 * minutes,
  );
});
