import { createRequire } from "node:module";
import { existsSync } from "node:fs";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { KatlabError, mustBe, unavailable, unknownOption } from "./errors.js";
import { backendMemory, emptyBackendCache, type EngineMemory, resetBackendPeak } from "./memory.js";
import {
  type Accelerator,
  addonStatus,
  currentTorchBackend,
  type Precision,
  precisions,
  registerTorchBackend,
  TorchBackend,
  type TorchBackendOptions,
} from "./torch/backend.js";
import { completeWasmKernels } from "./wasmKernels.js";

/** What computes: libtorch, TensorFlow's C library, WebAssembly, or plain JavaScript. */
export type EngineName = "torch" | "tensorflow" | "wasm" | "cpu";

/** What `useEngine` is asked for; everything may be left out. */
export interface EngineOptions {
  /** The one engine to use. Default: `KATLAB_ENGINE`, else the first of torch, tensorflow, wasm, cpu that works. */
  engine?: EngineName;
  /** Where torch stores and computes. Default: the first CUDA device, else the CPU. */
  device?: "cpu" | "cuda" | `cuda:${number}`;
  /**
   * Threads of one operator on the CPU, at most; wasm and cpu have one. Default: what the engine chooses. Each worker of
   * `node:worker_threads` has its own setting: several at work want the cores divided among them.
   */
  threads?: number;
  /**
   * How reals are stored and computed with; others than float32 on torch only. Default `"float32"`.
   *
   * - `"float64"`: 64 bits behind every float32 tensor, for analyses and for checking formulas.
   * - `"tf32"`: matrix products of float32 round their factors to 10 bits, on NVIDIA GPUs since 2020; faster.
   * - `"bfloat16"`: `valueAndGrads` and `autocast` compute in bfloat16; variables, gradients and optimizers stay
   *   float32. Fastest, and half the memory of activations.
   */
  precision?: Precision;
  /**
   * Whether the same program must give the same bits every time: torch then takes slower algorithms where the fast ones
   * add in no fixed order, and an operator that has none throws. It holds for all threads of the process; on CUDA it must
   * come before the first tensor, for cuBLAS reads it when it starts. wasm and cpu always are. Default false.
   */
  deterministic?: boolean;
}

/** An engine that comes earlier in the order, and why it is not used. */
export interface SkippedEngine {
  /** The engine that was skipped. */
  readonly engine: EngineName;
  /** One sentence, with what to do about it. */
  readonly reason: string;
}

/** The engine in use, as plain data that prints and displays itself. */
export class EngineDescription {
  /** The engine that computes. */
  readonly engine: EngineName;
  /** For example `"cpu"`, `"cuda:0"`. */
  readonly device: string;
  /** The device's own name, for example `"NVIDIA H200"`. */
  readonly deviceName: string;
  /** Versions by program: node, tfjs, and torch where it computes. */
  readonly versions: Readonly<Partial<Record<string, string>>>;
  /** Threads of one operator on the CPU; null where the engine does not tell. */
  readonly threads: number | null;
  /** How reals are stored and computed with. */
  readonly precision: Precision;
  /** Whether the same program is sure to give the same bits every time: as asked for on torch, always on wasm and cpu. */
  readonly deterministic: boolean;
  /** Engines that were tried before this one. */
  readonly skipped: readonly SkippedEngine[];
  readonly #backend: tf.KernelBackend;

  /** @internal */
  constructor(facts: Pick<EngineDescription, EngineFact>, backend: tf.KernelBackend) {
    this.#backend = backend;
    this.engine = facts.engine;
    this.device = facts.device;
    this.deviceName = facts.deviceName;
    this.versions = facts.versions;
    this.threads = facts.threads;
    this.precision = facts.precision;
    this.deterministic = facts.deterministic;
    this.skipped = facts.skipped;
  }

  /** What the engine holds now: bytes, tensors and handles. */
  memory(): EngineMemory {
    return backendMemory(this.#backend);
  }

  /** Starts the peak that `memory` tells anew; nothing where the engine counts none. */
  resetPeakMemory(): void {
    resetBackendPeak(this.#backend);
  }

  /**
   * Gives memory that no tensor uses back: on a GPU what torch keeps for later tensors, for other programs; on the CPU what
   * the C library keeps. Later tensors are slower for it. Nothing on other engines, which keep none.
   */
  emptyCache(): void {
    emptyBackendCache(this.#backend);
  }

  /** One line for the engine, one for each skipped one. */
  toString(): string {
    const version = this.versions[this.engine];
    const threads =
      this.threads === null ? [] : [this.threads === 1 ? "1 thread" : `${this.threads} threads`];
    const mode = this.engine === "torch" && this.deterministic ? ["deterministic"] : [];
    const engine = version === undefined ? this.engine : `${this.engine} ${version}`;
    return [
      [`${engine} on ${this.device} (${this.deviceName})`, ...threads, this.precision, ...mode].join(", "),
      ...this.skipped.map(({ reason }) => `skipped ${reason}`),
    ].join("\n");
  }

  [Symbol.for("Jupyter.display")](): { data: Record<string, string> } {
    return { data: { "text/plain": this.toString() } };
  }
}

/** @inline */
type EngineFact =
  "engine" | "device" | "deviceName" | "versions" | "threads" | "precision" | "deterministic" | "skipped";

const engineOrder: readonly EngineName[] = ["torch", "tensorflow", "wasm", "cpu"];

/** Why the engines before the one in use were skipped, by the tfjs backend that was then set. */
const skippedBefore = new Map<string, readonly SkippedEngine[]>();

/**
 * Chooses what computes. Tensors of the engine used before are moved when they are next used.
 *
 * @returns the engine in use, with every engine that was skipped and the reason
 * @throws KatlabError `unavailable` when the named engine cannot do what is asked, or, without a name, none can;
 *   `unknown` for a name that is none, `invalid` for options out of range
 */
export async function useEngine(options: EngineOptions = {}): Promise<EngineDescription> {
  const named = namedEngine(options.engine);
  checkOptions(options);
  const skipped: SkippedEngine[] = [];
  for (const engine of named === undefined ? engineOrder : [named]) {
    try {
      const backendName = await starters[engine](options);
      skippedBefore.set(backendName, skipped);
      warnOfUnusedGpu(engine, options);
      return describeEngine();
    } catch (fault) {
      if (named !== undefined || !(fault instanceof KatlabError)) throw fault;
      skipped.push({ engine, reason: fault.message });
    }
  }
  throw unavailable({
    subject: "useEngine",
    must: "one engine must be able to do what is asked",
    got: skipped.map(({ reason }) => reason).join(" "),
    remedy: "Ask for less: useEngine() without options works wherever one engine does.",
  });
}

/**
 * Describes the engine in use, whoever chose it.
 *
 * @throws KatlabError `invalid` when none has been chosen, or when tfjs computes with a backend that is none of ours
 */
export function describeEngine(): EngineDescription {
  mustHaveEngine("describeEngine");
  const backendName = tf.getBackend();
  const skipped = skippedBefore.get(backendName) ?? [];
  const versions = { node: process.versions.node, tfjs: tf.version_core };
  const backend = tf.backend();
  if (backend instanceof TorchBackend) return describeTorch(backend, versions, skipped);
  const engine = backendName as EngineName;
  if (!engineOrder.includes(engine)) {
    throw mustBe({
      subject: "describeEngine",
      must: `tfjs must compute with one of ${engineOrder.join(", ")}`,
      got: JSON.stringify(backendName),
      remedy: "Call await kl.useEngine().",
    });
  }
  return new EngineDescription(
    {
      engine,
      device: "cpu",
      deviceName: processorName(),
      versions,
      threads: engine === "tensorflow" ? null : 1,
      precision: "float32",
      deterministic: engine !== "tensorflow",
      skipped,
    },
    backend,
  );
}

/**
 * Tensors need an engine: says so before tfjs chooses one by itself or fails in its own words.
 *
 * @throws KatlabError `invalid` when no engine has been chosen
 */
export function mustHaveEngine(subject: string): void {
  if ((tf.getBackend() as string | undefined) !== undefined) return;
  throw mustBe({
    subject,
    must: "an engine must be chosen before tensors are made",
    got: "none",
    remedy: "Call await kl.useEngine() first.",
  });
}

function namedEngine(option: EngineName | undefined): EngineName | undefined {
  const wish = option ?? (process.env["KATLAB_ENGINE"] || undefined);
  if (wish === undefined) return undefined;
  if (engineOrder.includes(wish as EngineName)) return wish as EngineName;
  throw unknownOption(option === undefined ? "KATLAB_ENGINE" : "useEngine: engine", wish, engineOrder);
}

function checkOptions({ threads, device, precision = "float32" }: EngineOptions): void {
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
    throw mustBe({
      subject: "useEngine",
      must: "threads must be a whole number ≥ 1",
      got: String(threads),
      remedy: "Leave threads out to let the engine choose.",
    });
  }
  if (device !== undefined && !/^(cpu|cuda(:\d+)?)$/.test(device)) {
    throw mustBe({
      subject: "useEngine",
      must: 'device must be "cpu", "cuda" or for example "cuda:1"',
      got: JSON.stringify(device),
      remedy: "Leave device out to take the best there is.",
    });
  }
  if (!Object.hasOwn(precisions, precision)) {
    throw unknownOption("useEngine: precision", precision, Object.keys(precisions));
  }
}

/** Each starts an engine, sets its tfjs backend and returns the backend's name, or throws why it cannot. */
const starters: Readonly<Record<EngineName, (options: EngineOptions) => Promise<string>>> = {
  torch: startTorch,
  tensorflow: startTensorflow,
  wasm: startWasm,
  cpu: startCpu,
};

async function startTorch(options: EngineOptions): Promise<string> {
  const { precision = "float32" } = options;
  const { storage: float, tf32 } = precisions[precision];
  const storage: TorchBackendOptions = {};
  if (options.device !== undefined) storage.device = options.device;
  if (float !== "float32") storage.float = float;
  // tfjs reports a backend that fails to start without the reason, so it is tried here first.
  const trial = new TorchBackend(storage);
  const { addon, device } = trial;
  if (tf32) mustHaveTensorCores(device, accelerator(trial)?.capability ?? "");
  addon.deterministic(options.deterministic ?? false);
  if (options.threads !== undefined) addon.threads(options.threads);
  // Tensors of two devices can be alive at once, so each pair of device and storage is a backend.
  const name = Object.keys(storage).length === 0 ? "torch" : `torch-${device}-${float}`;
  registerTorchBackend({ name, ...storage });
  await setBackend(name);
  currentTorchBackend("useEngine").precision = precision;
  addon.tf32(tf32);
  return name;
}

function mustHaveTensorCores(device: string, capability: string): void {
  if (device !== "cpu" && Number(capability) >= 8) return;
  throw unavailable({
    subject: "torch",
    must: "precision tf32 needs an NVIDIA GPU of 2020 or later (compute capability 8.0)",
    got: device === "cpu" ? "the CPU" : `capability ${capability}`,
    remedy: 'Use precision: "float32".',
  });
}

async function startTensorflow(options: EngineOptions): Promise<string> {
  mustAskForFloat32("tensorflow", options);
  if (options.deterministic === true) {
    throw unavailable({
      subject: "tensorflow",
      must: "deterministic must be false: this engine does not promise it",
      got: "true",
      remedy: "Use the torch engine, or leave deterministic out.",
    });
  }
  const packages = tensorflowPackages(options.device);
  for (const name of packages) {
    if (!isInstalled(name)) continue;
    try {
      await import(name);
    } catch (error) {
      throw unavailable(
        {
          subject: "tensorflow",
          must: `${name} must load`,
          got: error instanceof Error ? error.message : String(error),
          remedy: "Rebuild that package for this Node, or use another engine.",
        },
        error,
      );
    }
    return setBackend("tensorflow");
  }
  throw unavailable({
    subject: "tensorflow",
    must: `${packages.join(" or ")} must be installed`,
    got: "none",
    remedy: "It is optional; install one beside katlab to use it.",
  });
}

/** Optional peers, of which the user may have installed some; the better one first. */
function tensorflowPackages(device: EngineOptions["device"]): readonly string[] {
  const [gpu, cpu] = ["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node"];
  if (device === undefined) return [gpu, cpu];
  return device === "cpu" ? [cpu] : [gpu];
}

async function startWasm(options: EngineOptions): Promise<string> {
  mustAskForFloat32("wasm", options);
  mustRunOnProcessor("wasm", options);
  const wasm = await import("@tensorflow/tfjs-backend-wasm");
  await completeWasmKernels();
  const packageFile = createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm/package.json");
  // Paths are read once, when the backend first starts.
  if (!("wasm" in tf.engine().registry)) wasm.setWasmPaths(join(dirname(packageFile), "dist", "/"));
  return keepingFaultHandlers(() => setBackend("wasm"));
}

/**
 * Runs `start` and removes the process-wide fault handlers it adds: those of tfjs's wasm module throw again what they
 * catch, which ends a notebook kernel at the first rejected promise nobody awaits.
 */
async function keepingFaultHandlers<Result>(start: () => Promise<Result>): Promise<Result> {
  const before = {
    uncaughtException: process.listeners("uncaughtException"),
    unhandledRejection: process.listeners("unhandledRejection"),
  };
  try {
    return await start();
  } finally {
    for (const added of process.listeners("uncaughtException")) {
      if (!before.uncaughtException.includes(added)) process.off("uncaughtException", added);
    }
    for (const added of process.listeners("unhandledRejection")) {
      if (!before.unhandledRejection.includes(added)) process.off("unhandledRejection", added);
    }
  }
}

async function startCpu(options: EngineOptions): Promise<string> {
  mustAskForFloat32("cpu", options);
  mustRunOnProcessor("cpu", options);
  const { MathBackendCPU } = await import("@tensorflow/tfjs-backend-cpu");
  const backend = tf.findBackend("cpu");
  // It would print an advertisement for another backend at its first tensor.
  if (backend instanceof MathBackendCPU) backend["firstUse"] = false;
  return setBackend("cpu");
}

async function setBackend(name: string): Promise<string> {
  if (await tf.setBackend(name)) return name;
  throw unavailable({
    subject: name,
    must: "the tfjs backend must start",
    got: "a failure, which tfjs printed",
    remedy: "Use another engine, or run `npx katlab doctor`.",
  });
}

function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}

function mustAskForFloat32(engine: EngineName, { precision = "float32" }: EngineOptions): void {
  if (precision === "float32") return;
  throw unavailable({
    subject: engine,
    must: "precision must be float32: only torch has others",
    got: precision,
    remedy: "Use the torch engine, or leave precision out.",
  });
}

function mustRunOnProcessor(engine: EngineName, { device = "cpu" }: EngineOptions): void {
  if (device === "cpu") return;
  throw unavailable({
    subject: engine,
    must: 'device must be "cpu": this engine knows no other',
    got: JSON.stringify(device),
    remedy: "Use the torch engine, or leave device out.",
  });
}

function describeTorch(
  backend: TorchBackend,
  versions: EngineDescription["versions"],
  skipped: readonly SkippedEngine[],
): EngineDescription {
  const { addon, device, precision } = backend;
  const status = addonStatus();
  return new EngineDescription(
    {
      engine: "torch",
      device,
      deviceName: device === "cpu" ? processorName() : (accelerator(backend)?.name ?? device),
      versions: status.available ? { ...versions, torch: status.torchVersion } : versions,
      threads: addon.threads(),
      precision,
      deterministic: addon.deterministic(),
      skipped,
    },
    backend,
  );
}

function accelerator({ addon, device }: TorchBackend): Accelerator | null {
  return addon.accelerator(Number(device.split(":")[1] ?? 0));
}

function processorName(): string {
  return cpus().at(0)?.model.trim() ?? process.arch;
}

let warned = false;

/** A GPU that nobody uses costs a factor of twenty without any other sign. */
function warnOfUnusedGpu(engine: EngineName, options: EngineOptions): void {
  if (warned || options.device === "cpu" || options.engine !== undefined || !existsSync("/dev/nvidiactl"))
    return;
  if (engine === "torch" && describeEngine().device !== "cpu") return;
  warned = true;
  console.warn(
    `katlab: an NVIDIA GPU is here but ${engine} computes on the CPU. ` +
      'Run `npx katlab doctor` for the reason, or pass device: "cpu" to mean it.',
  );
}
