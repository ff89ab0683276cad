import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { buildNative } from "../../scripts/native.mjs";

/**
 * A compiler that notes its arguments and writes its output, so that the building is tested and not g++.
 * `FAKE` in a source or object makes it fail in that way.
 */
const compiler = `#!/usr/bin/env node
const { appendFileSync, readFileSync, writeFileSync } = require("node:fs");
const args = process.argv.slice(2);
if (args[0] === "--version") { console.log("fake-g++ 12.2\\nsecond line"); process.exit(0); }
appendFileSync(__dirname + "/calls.jsonl", JSON.stringify(args) + "\\n");
const inputs = args.filter((arg) => !arg.startsWith("-") && /\\.(cc|o)$/.test(arg));
const output = args[args.indexOf("-o") + 1];
for (const input of inputs) {
  const text = readFileSync(input, "utf8");
  if (text.includes("FAKE error")) { console.error("a.cc:1:1: error: no such thing\\n    1 | x\\ncompilation terminated."); process.exit(1); }
  if (text.includes("FAKE disk")) { console.error("fatal error: cannot write: No space left on device"); process.exit(1); }
  if (text.includes("FAKE memory")) process.kill(process.pid, "SIGKILL");
}
writeFileSync(output, inputs.join("\\n"));
`;

let root = "";
let env: Record<string, string> = {};
let lines: string[] = [];

const write = (path: string, text: string): string => {
  const full = join(root, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, text);
  return full;
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "katlab-native-"));
  const command = write("bin/g++", compiler);
  chmodSync(command, 0o755);
  write("site/torch/version.py", "__version__ = '2.13.0+cpu'\n");
  write("node_modules/node-api-headers/package.json", "{}");
  write("package.json", "{}");
  write("native/bridge/one.cc", "int one;");
  write("native/bridge/two.cc", "int two;");
  write("native/bridge/two.h", "");
  env = { CXX: command, KATLAB_TORCH: join(root, "site"), PATH: "" };
  lines = [];
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

const build = (): ReturnType<typeof buildNative> =>
  buildNative({ root, env, log: (line: string) => void lines.push(line) });

/** Calls of the compiler since the last look. */
function calls(): string[][] {
  const path = join(root, "bin", "calls.jsonl");
  if (!existsSync(path)) return [];
  const text = readFileSync(path, "utf8").trim();
  rmSync(path);
  return text.split("\n").map((line) => JSON.parse(line) as string[]);
}
const isSource = (arg: string): boolean => arg.endsWith(".cc");
const sources = (): string[] =>
  calls()
    .flatMap((args) => args.filter(isSource))
    .map((path) => path.slice(join(root, "native").length + 1))
    .sort();
const failure = async (): Promise<string> => {
  try {
    await build();
  } catch (fault) {
    return (fault as Error).message.replaceAll(root, "<root>");
  }
  return "no error";
};

describe("what is built", () => {
  test("every source of the bridge, and the record", async () => {
    const record = await build();
    expect(sources()).toEqual(["bridge/one.cc", "bridge/two.cc"]);
    expect(record).toMatchObject({
      torchVersion: "2.13.0+cpu",
      torchDir: join(root, "site", "torch"),
      cuda: false,
      compiler: "fake-g++ 12.2",
    });
    expect(JSON.parse(readFileSync(join(root, "native/build/build.json"), "utf8"))).toEqual(record);
    expect(readdirSync(join(root, "native/build")).sort()).toEqual(["bridge.node", "build.json", "objects"]);
    expect(lines[0]).toMatch(/^native: compiling 2 of 2 files against torch 2\.13\.0\+cpu, about \d+ s$/);
  });

  test("operators go into a library of their own, which the bridge is linked with", async () => {
    write("native/ops/rational.cc", "");
    write("native/cuda/launch.cc", "");
    await build();
    const all = calls();
    const linked = all.filter((args) => args.includes("-shared"));
    expect(
      all.filter((args) => args.includes("-fopenmp")).flatMap((args) => args.filter(isSource)),
    ).toHaveLength(2);
    expect(linked).toHaveLength(2);
    expect(linked[0].filter((arg) => arg.endsWith(".o"))).toHaveLength(2);
    expect(linked[1]).toContain("-lkatlab_ops");
    expect(linked[1].some((arg) => arg.startsWith("-Wl,-rpath,") && arg.endsWith(":$ORIGIN"))).toBe(true);
    expect(existsSync(join(root, "native/build/libkatlab_ops.so"))).toBe(true);
  });

  test("*.simd.cc is compiled for three instruction sets, each with its names", async () => {
    write("native/ops/loops.simd.cc", "");
    await build();
    const compiled = calls().filter((args) => args.some((arg) => arg.endsWith(".simd.cc")));
    const flags = compiled
      .map((args) => args.filter((arg) => /^-(DCPU|DKATLAB_SIMD|m)/.test(arg)).join(" "))
      .sort();
    expect(flags).toEqual([
      "-DKATLAB_SIMD=Avx2 -DCPU_CAPABILITY=AVX2 -DCPU_CAPABILITY_AVX2 -mavx2 -mfma -mf16c",
      "-DKATLAB_SIMD=Avx512 -DCPU_CAPABILITY=AVX512 -DCPU_CAPABILITY_AVX512 -mavx512f -mavx512dq -mavx512vl -mavx512bw -mfma -mf16c",
      "-DKATLAB_SIMD=Default -DCPU_CAPABILITY=DEFAULT -DCPU_CAPABILITY_DEFAULT",
    ]);
    expect(compiled.flat().filter((arg) => arg.startsWith("-march"))).toEqual([]);
  });

  test("a CUDA build of torch is linked with its CUDA libraries", async () => {
    write("site/torch/lib/libc10_cuda.so", "");
    expect(await build()).toMatchObject({ cuda: true });
    expect(calls().at(-1)).toEqual(expect.arrayContaining(["-ltorch_cuda", "-lc10_cuda"]));
  });
});

describe("what is up to date", () => {
  test("nothing is compiled twice, and the record stays", async () => {
    const first = await build();
    calls();
    expect(await build()).toEqual(first);
    expect(calls()).toEqual([]);
    expect(lines.at(-1)).toBe("native: up to date for torch 2.13.0+cpu");
  });

  test("a changed source is compiled alone, and its old object removed", async () => {
    await build();
    calls();
    write("native/bridge/one.cc", "int other;");
    await build();
    expect(sources()).toEqual(["bridge/one.cc"]);
    expect(readdirSync(join(root, "native/build/objects"))).toHaveLength(2);
  });

  test("a changed header, torch or compiler concerns all", async () => {
    await build();
    sources();
    const all = ["bridge/one.cc", "bridge/two.cc"];
    write("native/bridge/two.h", "int more;");
    await build();
    expect(sources()).toEqual(all);
    write("site/torch/version.py", "__version__ = '2.12.0+cpu'\n");
    expect(await build()).toMatchObject({ torchVersion: "2.12.0+cpu" });
    expect(sources()).toEqual(all);
    write("bin/g++", compiler.replace("fake-g++ 12.2", "fake-g++ 13.1"));
    await build();
    expect(sources()).toEqual(all);
  });

  test("a removed output is linked again", async () => {
    await build();
    sources();
    rmSync(join(root, "native/build/bridge.node"));
    await build();
    expect(calls()).toHaveLength(1);
    expect(existsSync(join(root, "native/build/bridge.node"))).toBe(true);
  });

  test("a damaged record is no record", async () => {
    await build();
    write("native/build/build.json", "{");
    expect(await build()).toMatchObject({ torchVersion: "2.13.0+cpu" });
  });
});

describe("what is missing", () => {
  test("torch", async () => {
    env.KATLAB_TORCH = join(root, "nothing");
    expect(await build()).toEqual({ missing: expect.stringContaining("KATLAB_TORCH must name") as string });
  });

  test("the compiler", async () => {
    env.CXX = join(root, "bin", "no-such-compiler");
    expect(await build()).toEqual({
      missing: `${env.CXX}: must be installed to build the native part; got none. Install g++ 11 or newer.`,
    });
  });
});

describe("what fails", () => {
  test("a source that does not compile: the error, the log, and what to do", async () => {
    write("native/bridge/one.cc", "FAKE error");
    expect(await failure()).toMatchInlineSnapshot(`
      "native/bridge/one.cc: must compile; got exit code 1:
        a.cc:1:1: error: no such thing
      . The whole output is in <root>/native/build/one.cc.log. Use g++ 11 or newer (CXX names another), and torch 2.11 to 2.13."
    `);
    expect(readFileSync(join(root, "native/build/one.cc.log"), "utf8")).toContain("compilation terminated");
    expect(existsSync(join(root, "native/build/build.json"))).toBe(false);
  });

  test("the other objects are kept for the next try", async () => {
    env.KATLAB_BUILD_JOBS = "1";
    write("native/bridge/two.cc", "FAKE error");
    await failure();
    calls();
    write("native/bridge/two.cc", "int two;");
    await build();
    expect(sources()).toEqual(["bridge/two.cc"]);
  });

  test("a full disk", async () => {
    write("native/bridge/one.cc", "FAKE disk");
    expect(await failure()).toMatchInlineSnapshot(
      `"native: needs 100 MB in <root>/native/build; got a full disk. Make room and run the same command again."`,
    );
  });

  test("a compiler that the system stops", async () => {
    write("native/bridge/one.cc", "FAKE memory");
    expect(await failure()).toMatchInlineSnapshot(
      `"native/bridge/one.cc: the compiler needs about 1 GB of memory for each file; got a compiler that was stopped (SIGKILL). Close other programs, or set KATLAB_BUILD_JOBS=1, and run the same command again."`,
    );
  });

  test("no half file is left", async () => {
    write("native/bridge/one.cc", "FAKE memory");
    await failure();
    const files = readdirSync(join(root, "native/build"), { recursive: true }).map(String);
    expect(files.filter((name) => !/\.(o|log)$|^objects$/.test(name))).toEqual([]);
  });
});
