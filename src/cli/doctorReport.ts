import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as tf from "@tensorflow/tfjs-core";
import { loadDataset } from "../data/load.js";
import { type EngineDescription, type SkippedEngine, useEngine } from "../engine.js";
import { KatlabError } from "../errors.js";
import { type AddonStatus, addonStatus } from "../torch/addon.js";
import { packageRoot, packageVersion } from "./packageRoot.js";
import { outputOf } from "./program.js";

/** One thing that was looked at. */
export interface DoctorCheck {
  /** Stable name, for programs. */
  readonly name:
    "node" | "engine" | "torch" | "native" | "gpu" | "compiler" | "python" | "jupyterlab" | "fashion-mnist";
  readonly ok: boolean;
  /** What is there, or what is wrong. */
  readonly found: string;
  /** What to do; null where nothing needs doing. */
  readonly remedy: string | null;
}

/** What `katlab doctor --json` prints. Fields are added, never renamed, within one `schema`. */
export interface DoctorReport {
  readonly schema: 1;
  /** Whether some engine works. */
  readonly ok: boolean;
  /** The engine that would be used; null when none works. */
  readonly engine: Pick<
    EngineDescription,
    "engine" | "device" | "deviceName" | "threads" | "precision"
  > | null;
  /** Engines before it in order, and why they are not used. */
  readonly skipped: readonly SkippedEngine[];
  /** Null where it is not there. */
  readonly versions: {
    readonly katlab: string;
    readonly node: string;
    readonly tfjs: string;
    readonly torch: string | null;
    readonly python: string | null;
    readonly compiler: string | null;
    readonly jupyterlab: string | null;
  };
  readonly checks: readonly DoctorCheck[];
}

/** Looks at this machine. Starts the engine that `useEngine()` would choose. */
export async function examine(): Promise<DoctorReport> {
  const [engine, torch, python, compiler, driver, data] = await Promise.all([
    startEngine(),
    checkTorch(),
    findPython(),
    findCompiler(),
    outputOf("nvidia-smi", ["--query-gpu=name,driver_version", "--format=csv,noheader"]),
    findData(),
  ]);
  const native = addonStatus();
  const working = engine instanceof KatlabError ? undefined : engine;
  return {
    schema: 1,
    ok: working !== undefined,
    engine: working ? factsOf(working) : null,
    skipped: working?.skipped ?? [],
    versions: {
      katlab: packageVersion(),
      node: process.versions.node,
      tfjs: tf.version_core,
      torch: native.available ? native.torchVersion : null,
      python: python?.version ?? null,
      compiler,
      jupyterlab: python?.jupyterlab ?? null,
    },
    checks: [
      { name: "node", ok: true, found: process.versions.node, remedy: null },
      checkEngine(engine),
      torch,
      checkNative(native),
      checkGpu(driver, working),
      check("compiler", compiler, "Install g++ 12 or newer; the torch engine is built with it."),
      check(
        "python",
        python && `${python.version} (${python.path})`,
        "Install Python 3.10 or newer with venv; torch and JupyterLab come with it.",
      ),
      check(
        "jupyterlab",
        python?.jupyterlab,
        "Run `npm start`, which installs JupyterLab beside the project.",
      ),
      data,
    ],
  };
}

function check(name: DoctorCheck["name"], found: string | null | undefined, remedy: string): DoctorCheck {
  return found ? { name, ok: true, found, remedy: null } : { name, ok: false, found: "not found", remedy };
}

function factsOf(description: EngineDescription): DoctorReport["engine"] {
  const { engine, device, deviceName, threads, precision } = description;
  return { engine, device, deviceName, threads, precision };
}

async function startEngine(): Promise<EngineDescription | KatlabError> {
  try {
    return await useEngine();
  } catch (fault) {
    if (fault instanceof KatlabError) return fault;
    throw fault;
  }
}

function checkEngine(engine: EngineDescription | KatlabError): DoctorCheck {
  if (engine instanceof KatlabError) return { name: "engine", ok: false, ...foundAndRemedy(engine) };
  return {
    name: "engine",
    ok: true,
    found: `${engine.engine} on ${engine.device} (${engine.deviceName})`,
    remedy: null,
  };
}

/** The torch that a native build would take, which need not be the one that the last build took. */
async function checkTorch(): Promise<DoctorCheck> {
  const name = "torch";
  // The set-up finds torch before anything is compiled, so the finder is a script.
  const script = pathToFileURL(join(packageRoot, "scripts", "findTorch.mjs")).href;
  const { findTorch } = (await import(script)) as TorchFinder;
  const torch = findTorch({ root: packageRoot, env: process.env });
  if ("missing" in torch) {
    const [, found = torch.missing, remedy = null] =
      /^(.*?; got .*?\.) ([A-Z].*)$/s.exec(torch.missing) ?? [];
    return { name, ok: false, found, remedy };
  }
  return { name, ok: true, found: `${torch.version} in ${torch.sitePackages}`, remedy: null };
}

/** The part of scripts/findTorch.mjs that is used here. */
interface TorchFinder {
  readonly findTorch: (where: {
    root: string;
    env: NodeJS.ProcessEnv;
  }) => { readonly version: string; readonly sitePackages: string } | { readonly missing: string };
}

function checkNative(native: AddonStatus): DoctorCheck {
  if (!native.available) return { name: "native", ok: false, ...foundAndRemedy(native.reason) };
  return {
    name: "native",
    ok: true,
    found: `built for torch ${native.torchVersion} by ${native.compiler}`,
    remedy: null,
  };
}

/** A GPU that nobody uses is the loudest thing to say: everything works, twenty times slower. */
function checkGpu(driver: string | undefined, engine: EngineDescription | undefined): DoctorCheck {
  const gpus = driver?.split("\n").filter((line) => line.includes(",")) ?? [];
  if (gpus.length === 0) return { name: "gpu", ok: true, found: "no NVIDIA GPU", remedy: null };
  const [name, version] = gpus[0].split(",").map((part) => part.trim());
  const found = `${gpus.length} × ${name}, driver ${version}`;
  if (engine?.device.startsWith("cuda")) return { name: "gpu", ok: true, found, remedy: null };
  return {
    name: "gpu",
    ok: false,
    found: `${found}, not used`,
    remedy:
      "Install a CUDA build of torch (`npm start` chooses it), or point KATLAB_TORCH at the site-packages folder " +
      "that holds one, and run `npm run build`.",
  };
}

async function findCompiler(): Promise<string | null> {
  const version = await outputOf(process.env["CXX"] || "g++", ["--version"]);
  return version?.split("\n")[0] ?? null;
}

interface Python {
  readonly path: string;
  readonly version: string;
  readonly jupyterlab: string | null;
}

const askPython = `
import json, platform, sys
from importlib.metadata import PackageNotFoundError, version
try: jupyterlab = version("jupyterlab")
except PackageNotFoundError: jupyterlab = None
print(json.dumps({"path": sys.executable, "version": platform.python_version(), "jupyterlab": jupyterlab}))
`;

/** The project's own Python, else that of the active environment, else the system's. */
async function findPython(): Promise<Python | undefined> {
  const environment = process.env["VIRTUAL_ENV"];
  const candidates = [
    join(packageRoot, ".venv", "bin", "python"),
    ...(environment ? [join(environment, "bin", "python")] : []),
    "python3",
  ];
  for (const candidate of candidates) {
    const answer = await outputOf(candidate, ["-c", askPython]);
    if (answer) return JSON.parse(answer) as Python;
  }
  return undefined;
}

async function findData(): Promise<DoctorCheck> {
  const name = "fashion-mnist";
  try {
    const { train, test } = await loadDataset(name, { fetch: false });
    return { name, ok: true, found: `${train.size} + ${test.size} images, checksums right`, remedy: null };
  } catch (fault) {
    if (fault instanceof KatlabError) return { name, ok: false, ...foundAndRemedy(fault) };
    throw fault;
  }
}

/** A message of ours ends with its remedy, which has a place of its own in the report. */
function foundAndRemedy(fault: KatlabError): { found: string; remedy: string | null } {
  const { message, remedy = null } = fault;
  const found = remedy === null ? message : message.slice(0, -remedy.length).trimEnd();
  return { found, remedy };
}
