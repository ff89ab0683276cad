import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, freemem } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { findTorch } from "./findTorch.mjs";
import { Fault, fault } from "./terminal/fault.mjs";

/**
 * @typedef {import("./findTorch.mjs").Torch} Torch
 * @typedef {import("./native.mjs").BuildRecord} BuildRecord
 *
 * @typedef {object} Unit one run of the compiler
 * @property {string} name of the object file, without its hash
 * @property {"bridge" | "ops"} library where the object goes
 * @property {string} source
 * @property {string[]} flags
 *
 * @typedef {object} Tools
 * @property {string} command
 * @property {string} version
 * @property {string} nodeHeaders folder of node_api.h
 */

const megabyte = 2 ** 20;
/** What one run of the compiler needs, measured. */
const compilerMemory = 1200 * megabyte;
const diskSpace = 100 * megabyte;
/** Average seconds of one run, measured on two cores of 2022; for the announcement only. */
const secondsPerUnit = 5;

/**
 * The instruction sets for which `*.simd.cc` is compiled, as ATen names and flags them. The choice is made at run time,
 * never by -march=native: a folder shared by several machines must run on all of them.
 */
const instructionSets = [
  { name: "Default", capability: "DEFAULT", flags: [] },
  { name: "Avx2", capability: "AVX2", flags: ["-mavx2", "-mfma", "-mf16c"] },
  {
    name: "Avx512",
    capability: "AVX512",
    flags: ["-mavx512f", "-mavx512dq", "-mavx512vl", "-mavx512bw", "-mfma", "-mf16c"],
  },
];

/**
 * Builds `native/build/{bridge.node,libkatlab_ops.so,build.json}` against the torch that is found. Objects whose source,
 * headers, flags, compiler and torch are the same as before are kept; so is the whole, when all are.
 *
 * @param {{ root: string, log: (line: string) => void, env?: Record<string, string | undefined> }} options
 * @returns {Promise<BuildRecord | { missing: string }>} `missing` is a sentence: what is needed first
 * @throws {Fault} when the compiler fails or there is no room
 */
export async function buildNative({ root, log, env = process.env }) {
  const torch = findTorch({ root, env });
  if (process.platform !== "linux" || process.arch !== "x64") {
    return {
      missing: `native: must be built on Linux x86-64; got ${process.platform} on ${process.arch}. Use the wasm engine here.`,
    };
  }
  if ("missing" in torch) return torch;
  const compiler = await findCompiler(env.CXX || "g++");
  if ("missing" in compiler) return compiler;
  const tools = { ...compiler, nodeHeaders: nodeHeaders(root) };

  const native = join(root, "native");
  const folder = join(native, "build");
  const units = listUnits(native, torch).map((unit) => ({
    ...unit,
    object: objectPath(native, folder, unit, tools, torch),
  }));
  const hash = digest(
    units.map(({ object }) => object).map((path) => basename(path)),
    torch.torchDir,
    linkFlags(torch),
  );
  const before = readRecord(folder);
  if (before?.hash === hash && outputs(units).every((name) => existsSync(join(folder, name)))) {
    log(`native: up to date for torch ${torch.version}`);
    return before;
  }

  mkdirSync(join(folder, "objects"), { recursive: true });
  needRoom(folder);
  const stale = units.filter(({ object }) => !existsSync(object));
  const jobs = countJobs(env);
  if (stale.length > 0) {
    const seconds = Math.ceil((stale.length * secondsPerUnit) / jobs / 5) * 5;
    log(
      `native: compiling ${stale.length} of ${units.length} files against torch ${torch.version}, about ${seconds} s`,
    );
    await inParallel(jobs, stale, (unit) => compile(unit, { native, folder, tools, torch }));
  }
  log("native: linking, about 2 s");
  await link(units, { native, folder, tools, torch });

  const record = {
    torchVersion: torch.version,
    torchDir: torch.torchDir,
    cuda: torch.cuda,
    ...(torch.nvrtc !== undefined && { nvrtc: torch.nvrtc }),
    compiler: tools.version,
    hash,
    date: new Date().toISOString(),
  };
  replaceFile(join(folder, "build.json"), (path) =>
    writeFileSync(path, `${JSON.stringify(record, undefined, 2)}\n`),
  );
  removeStaleObjects(folder, units);
  return record;
}

/** Every run of the compiler. @param {string} native @param {Torch} torch @returns {Unit[]} */
function listUnits(native, torch) {
  const sources = ["bridge", "ops", "cuda"].flatMap((room) =>
    listFiles(join(native, room), ".cc").map((source) => ({ room, source })),
  );
  return sources.flatMap(({ room, source }) => unitsOf(native, room, source, torch));
}

/** @param {string} native @param {string} room @param {string} source @param {Torch} torch @returns {Unit[]} */
function unitsOf(native, room, source, torch) {
  const { nvrtc } = torch;
  const name = `${room}-${basename(source, ".cc")}`;
  if (name === "bridge-graph") return [{ name, library: "bridge", source, flags: graphFlags(torch) }];
  if (room === "bridge") return [{ name, library: "bridge", source, flags: [] }];
  const flags = [
    "-fopenmp",
    `-DKATLAB_NATIVE_DIR="${native}"`,
    ...(nvrtc === undefined ? [] : [`-DKATLAB_NVRTC="${nvrtc}"`]),
  ];
  if (!source.endsWith(".simd.cc")) return [{ name, library: "ops", source, flags }];
  return instructionSets.map((set) => ({
    name: `${name}-${set.name}`,
    library: "ops",
    source,
    flags: [
      ...flags,
      "-O3",
      `-DKATLAB_SIMD=${set.name}`,
      `-DCPU_CAPABILITY=${set.capability}`,
      `-DCPU_CAPABILITY_${set.capability}`,
      ...set.flags,
    ],
  }));
}

/** What lets graph.cc see CUDA's headers; without them, why there are no CUDA graphs. */
function graphFlags(/** @type {Torch} */ { cudaHeaders }) {
  const missing = (/** @type {string} */ why) => [`-DKATLAB_GRAPHS_MISSING="CUDA graphs need ${why}"`];
  if (cudaHeaders === undefined) return missing("a CUDA build of torch; this one is for the CPU");
  if ("folders" in cudaHeaders) return cudaHeaders.folders.flatMap((folder) => ["-isystem", folder]);
  return missing(
    `CUDA's header ${cudaHeaders.missing}, which is not beside torch; install nvidia-cuda-crt or set CUDA_HOME, and build again`,
  );
}

/** @param {readonly Unit[]} units */
function outputs(units) {
  return units.some(({ library }) => library === "ops")
    ? ["bridge.node", "libkatlab_ops.so"]
    : ["bridge.node"];
}

/** @param {Tools} tools @param {Torch} torch @param {string} native */
function compileFlags(tools, torch, native) {
  const include = join(torch.torchDir, "include");
  return [
    "-std=c++20",
    "-O2",
    "-fPIC",
    "-fvisibility=hidden",
    "-Wall",
    "-Wextra",
    "-DNAPI_VERSION=8",
    `-I${native}`,
    ...[include, join(include, "torch", "csrc", "api", "include"), tools.nodeHeaders].flatMap((path) => [
      "-isystem",
      path,
    ]),
  ];
}

/** Libraries that register their operators when they are loaded must stay, though no symbol of theirs is used. */
function linkFlags(/** @type {Torch} */ torch) {
  const lib = join(torch.torchDir, "lib");
  const libraries = [
    "-ltorch",
    "-ltorch_cpu",
    "-lc10",
    ...(torch.cuda ? ["-ltorch_cuda", "-lc10_cuda"] : []),
  ];
  return [
    "-shared",
    "-s",
    `-L${lib}`,
    `-Wl,-rpath,${lib}:$ORIGIN`,
    `-Wl,-rpath-link,${lib}`,
    "-Wl,--allow-shlib-undefined",
    "-Wl,--no-as-needed",
    ...libraries,
    "-ldl",
  ];
}

/**
 * Where a unit's object lies; its name carries a digest of everything it is made from.
 *
 * @param {string} native @param {string} folder @param {Unit} unit @param {Tools} tools @param {Torch} torch
 */
function objectPath(native, folder, unit, tools, torch) {
  const headers = ["bridge", "ops", "cuda"]
    .filter((room) => unit.library === "ops" || room === "bridge")
    .flatMap((room) => [...listFiles(join(native, room), ".h"), ...listFiles(join(native, room), ".cu")]);
  const texts = [unit.source, ...headers].map((path) => readFileSync(path, "utf8"));
  const flags = compileFlags(tools, torch, native);
  return join(
    folder,
    "objects",
    `${unit.name}-${digest(texts, flags, unit.flags, tools.version, torch.version)}.o`,
  );
}

/**
 * @param {Unit & { object: string }} unit
 * @param {{ native: string, folder: string, tools: Tools, torch: Torch }} build
 */
async function compile(unit, { native, folder, tools, torch }) {
  await replaceFile(unit.object, async (path) => {
    const args = [...compileFlags(tools, torch, native), ...unit.flags, "-c", unit.source, "-o", path];
    await runCompiler(relative(dirname(native), unit.source), folder, tools.command, args);
  });
}

/**
 * @param {readonly (Unit & { object: string })[]} units
 * @param {{ native: string, folder: string, tools: Tools, torch: Torch }} build
 */
async function link(units, { folder, tools, torch }) {
  const objectsOf = (/** @type {string} */ library) =>
    units.filter((unit) => unit.library === library).map(({ object }) => object);
  const withOps = outputs(units).includes("libkatlab_ops.so");
  if (withOps) {
    await replaceFile(join(folder, "libkatlab_ops.so"), (path) =>
      runCompiler("libkatlab_ops.so", folder, tools.command, [
        // Without -fopenmp: torch brings an OpenMP runtime, and a second one would be a second pool of threads.
        ...objectsOf("ops"),
        ...linkFlags(torch),
        "-Wl,-soname,libkatlab_ops.so",
        "-o",
        path,
      ]),
    );
  }
  await replaceFile(join(folder, "bridge.node"), (path) =>
    runCompiler("bridge.node", folder, tools.command, [
      ...objectsOf("bridge"),
      ...linkFlags(torch),
      ...(withOps ? [`-L${folder}`, "-lkatlab_ops"] : []),
      "-o",
      path,
    ]),
  );
}

/**
 * @param {string} subject what is compiled or linked
 * @param {string} folder where the whole output goes when it fails
 * @param {string} command
 * @param {readonly string[]} args
 */
async function runCompiler(subject, folder, command, args) {
  const { code, signal, output } = await run(command, args);
  if (code === 0) return;
  const log = join(folder, `${basename(subject)}.log`);
  writeFileSync(log, `${command} ${args.join(" ")}\n${output}`);
  if (/No space left on device/.test(output)) throw noRoom(folder);
  if (signal !== null || /Killed signal|virtual memory exhausted|out of memory/i.test(output)) {
    throw fault({
      subject,
      must: "the compiler needs about 1 GB of memory for each file",
      got: `a compiler that was stopped (${signal ?? "out of memory"})`,
      remedy: "Close other programs, or set KATLAB_BUILD_JOBS=1, and run the same command again.",
    });
  }
  const errors = output.split("\n").filter((line) => /error|undefined reference|cannot find/i.test(line));
  const last = (errors.length > 0 ? errors : output.trimEnd().split("\n")).slice(-5);
  throw fault({
    subject,
    must: "must compile",
    got: `exit code ${code}:\n  ${last.join("\n  ")}\n`,
    remedy: `The whole output is in ${log}. Use g++ 11 or newer (CXX names another), and torch 2.11 to 2.13.`,
  });
}

/** @param {string} command @param {readonly string[]} args */
function run(command, args) {
  return new Promise(
    (
      /** @type {(end: { code: number | null, signal: string | null, output: string }) => void} */ resolve,
      reject,
    ) => {
      const child = spawn(command, args, {
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, LC_ALL: "C" },
      });
      let output = "";
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (/** @type {string} */ text) => (output += text));
      }
      child.on("error", reject).on("close", (code, signal) => resolve({ code, signal, output }));
    },
  );
}

/** @param {string} command @returns {Promise<{ command: string, version: string } | { missing: string }>} */
async function findCompiler(command) {
  try {
    const { code, output } = await run(command, ["--version"]);
    if (code === 0) return { command, version: output.split("\n")[0] };
  } catch {
    // Not there: said below.
  }
  return {
    missing: `${command}: must be installed to build the native part; got none. Install g++ 11 or newer.`,
  };
}

/** Folder of node_api.h. @param {string} root */
function nodeHeaders(root) {
  const manifest = createRequire(join(root, "package.json")).resolve("node-api-headers/package.json");
  return join(dirname(manifest), "include");
}

/** As many compilers as there are cores and memory for. @param {Record<string, string | undefined>} env */
function countJobs(env) {
  const wish = Number(env.KATLAB_BUILD_JOBS);
  if (wish >= 1) return Math.floor(wish);
  return Math.max(1, Math.min(availableParallelism(), Math.floor(freemem() / compilerMemory)));
}

/** @param {string} folder */
function needRoom(folder) {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < diskSpace) throw noRoom(folder);
}

/** @param {string} folder */
function noRoom(folder) {
  return fault({
    subject: "native",
    must: `needs ${diskSpace / megabyte} MB in ${folder}`,
    got: "a full disk",
    remedy: "Make room and run the same command again.",
  });
}

/**
 * @template Item
 * @param {number} jobs
 * @param {readonly Item[]} items
 * @param {(item: Item) => Promise<void>} work
 */
async function inParallel(jobs, items, work) {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      try {
        await work(item);
      } catch (fault) {
        queue.length = 0;
        throw fault;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: jobs }, worker));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

/**
 * Writes beside and renames: who reads or has loaded the old file is not disturbed, and no half file is left.
 *
 * @param {string} path
 * @param {(path: string) => void | Promise<void>} write
 */
async function replaceFile(path, write) {
  const temporary = `${path}.${process.pid}`;
  try {
    await write(temporary);
    renameSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** @param {string} folder @param {readonly { object: string }[]} units */
function removeStaleObjects(folder, units) {
  const current = new Set(units.map(({ object }) => object));
  for (const path of listFiles(join(folder, "objects"), ".o"))
    if (!current.has(path)) rmSync(path, { force: true });
}

/** @param {string} folder @returns {BuildRecord | undefined} */
function readRecord(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, "build.json"), "utf8"));
  } catch {
    return undefined;
  }
}

/** @param {string} folder @param {string} extension */
function listFiles(folder, extension) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(extension))
    .sort()
    .map((name) => join(folder, name));
}

/** @param {...(string | readonly string[])} parts */
function digest(...parts) {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const root = fileURLToPath(new URL("../", import.meta.url));
  try {
    const built = await buildNative({ root, log: (line) => console.log(line) });
    if ("missing" in built) {
      console.error(`${built.missing} The wasm engine works without it.`);
      process.exitCode = 1;
    }
  } catch (fault) {
    console.error(fault instanceof Fault ? fault.message : fault);
    process.exitCode = 1;
  }
}
