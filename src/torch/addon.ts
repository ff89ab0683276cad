import { createRequire } from "node:module";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { KatlabError, unavailable } from "../errors.js";
import { explainTorchError } from "./torchErrors.js";

/** A torch tensor held for JavaScript: an integer of this thread's table. Free each one exactly once. */
export type Handle = number;

/**
 * What an operator takes: tensors as handles, numbers, booleans, strings, lists of these;
 * `null` is None, `undefined` (or a missing trailing argument) the schema's default.
 * A `bigint` gives an int beyond 2^53; devices are strings, element types, layouts and memory formats numbers.
 */
export type Argument =
  | number
  | bigint
  | boolean
  | string
  | null
  | undefined
  | readonly (number | bigint | boolean | string | null)[];

/** What an operator returns: a handle or number, one entry per output, or `null` for None. */
export type Result = number | boolean | null | readonly Result[];

/** The accelerator torch can use. */
export interface Accelerator {
  /** For example `"cuda"`. */
  readonly type: string;
  /** Name of the device, for example `"NVIDIA H200"`. */
  readonly name: string;
  /** Number of devices. */
  readonly count: number;
  /** Memory of the device in bytes. */
  readonly memoryBytes: number;
  /** Compute capability of the device, for example `"9.0"`; empty where the driver does not tell. */
  readonly capability: string;
}

/** What this thread's handles hold, and what torch's allocator holds on a device for the whole process. */
export interface AddonMemory {
  /** Live handles of this thread. */
  readonly handles: number;
  /** Bytes of the distinct storages behind these handles; views count their base once. */
  readonly bytes: number;
  /** Bytes of tensors on the device now, those that only an autograd graph holds included. */
  readonly allocated: number;
  /** Largest `allocated` since the last `resetPeakMemory()`. */
  readonly peak: number;
  /** Bytes taken from the driver: tensors and what is kept for later ones. `null` on the CPU. */
  readonly reserved: number | null;
  /** Bytes of the whole device; `null` on the CPU, and where the driver does not tell. */
  readonly total: number | null;
}

/**
 * The typed face of `native/build/bridge.node`: PyTorch's dispatcher, autograd and settings.
 * Every function may throw an `Error` with PyTorch's own text.
 */
export interface Addon {
  /**
   * Outputs of the last `call`, `from`, `info`, `detach` or `grad`:
   * `[count, then per tensor: handle, scalarType, rank, ...dims]`. An output that is None has no entry.
   * Read it from the addon every time: a larger result replaces the array.
   */
  readonly meta: Int32Array;
  /** Looks an operator up: `op("aten::add", "Tensor")`. The number is valid for this thread; cache it. */
  op(name: string, overload?: string): number;
  /** The operator's schema as PyTorch prints it. */
  schema(op: number): string;
  /** Runs an operator; fills `meta`. The caller owns every handle that comes back. */
  call(op: number, ...args: Argument[]): Result;
  /** Runs an operator and drops its results: for in-place operators, whose result is their own argument. */
  callVoid(op: number, ...args: Argument[]): void;
  /**
   * Copies values into a new tensor; fills `meta`.
   * @param data as many bytes as the shape needs
   * @param scalarType how `data` is to be read
   * @param device for example `"cpu"`, `"cuda:0"`
   * @param to element type of the tensor; `scalarType` by default
   */
  from(
    data: ArrayBufferView,
    shape: readonly number[],
    scalarType: ScalarNumber,
    device: string,
    to?: ScalarNumber,
  ): Handle;
  /** Copies a tensor out, row-major, converted to `scalarType` (its own by default). Waits for the device. */
  read(handle: Handle, scalarType?: ScalarNumber): ArrayBuffer;
  /** Gives a handle back; using it again is an error. */
  free(handle: Handle): void;
  /** Fills `meta` with this one tensor. */
  info(handle: Handle): void;
  /** A second handle on the same tensor. */
  retain(handle: Handle): Handle;
  /** A new tensor on the same storage, outside the autograd graph; fills `meta`. */
  detach(handle: Handle): Handle;
  /**
   * True when nothing else refers to the tensor or its storage and its strides are row-major: it may be written in place.
   * Of several handles, when that is so for all.
   */
  exclusive(handles: Handle | Int32Array): boolean;
  /** Whether gradients flow to this tensor; with `on`, sets it first. */
  requiresGrad(handle: Handle, on?: boolean): boolean;
  /** Switches recording for autograd on this thread; returns the previous state. Off when a thread starts. */
  gradMode(on: boolean): boolean;
  /** torch.autograd.grad; fills `meta` with the gradients that exist. */
  grad(
    outs: readonly Handle[],
    ins: readonly Handle[],
    gradOuts: readonly Handle[] | null,
    retainGraph: boolean,
    createGraph: boolean,
    allowUnused: boolean,
  ): (Handle | null)[];
  /** Loads a library of operators, as torch.ops.load_library does. */
  load(path: string): void;
  /** Threads of one operator on the CPU, when this thread runs it; with `count`, sets it first. */
  threads(count?: number): number;
  /** Seeds torch's generators on every device. */
  seed(seed: number): void;
  /** Waits until a device (by default the current accelerator device) has finished; the CPU always has. */
  sync(device?: string): void;
  /** Live handles of this thread. */
  live(): number;
  /** The accelerator that can be used, as device number `index` (default 0) tells, or `null`. */
  accelerator(index?: number): Accelerator | null;
  /** Whether operators without a deterministic form throw, in all threads; with `on`, sets it first. */
  deterministic(on?: boolean): boolean;
  /** Whether float32 matrix products and convolutions on CUDA may round to TF32. */
  tf32(on: boolean): void;
  /** What is held now; of the allocator, on a device (by default the current accelerator device, else the CPU). */
  memory(device?: string): AddonMemory;
  /** Starts `peak` of a device (by default the current accelerator device, else the CPU) anew. */
  resetPeakMemory(device?: string): void;
  /** Gives memory that no tensor uses back: to the driver, or, on the CPU, from the C library to the system. */
  emptyCache(device?: string): void;
  /** Tells V8 about how many bytes this thread's handles hold, so that it collects garbage in time. */
  reportMemory(): void;
  /** Passes every error of this thread to `explain`, and throws what that returns in its place. */
  onError(explain: (error: Error) => Error): void;
  /** Why CUDA graphs cannot be captured; `null` where they can. */
  graphsMissing(): string | null;
  /**
   * From here on operators on a CUDA device are recorded instead of run. Whatever needs their results fails, and so does
   * copying from or to the host.
   */
  captureBegin(device: string): void;
  /** Ends recording; the number is valid for this thread. */
  captureEnd(): number;
  /** Ends recording, if there is any, and drops what was recorded. */
  captureAbort(): void;
  /** Launches what was recorded, with the tensors that it was recorded with. */
  replayGraph(graph: number): void;
  /** Waits for the device and frees a graph. */
  freeGraph(graph: number): void;
}

type ScalarNumber = number;

/** What `scripts/native.mjs` writes beside the libraries. */
export interface BuildRecord {
  /** For example `"2.13.0+cpu"`. */
  readonly torchVersion: string;
  /** The torch package's folder. */
  readonly torchDir: string;
  /** Whether this torch is a CUDA build. */
  readonly cuda: boolean;
  /** First line of the compiler's `--version`. */
  readonly compiler: string;
  /** Digest of sources, torch version and flags. */
  readonly hash: string;
  /** ISO date of the build. */
  readonly date: string;
  /** Path of NVRTC, where this torch brings it. */
  readonly nvrtc?: string;
}

/** Whether the native part can be used, and if not, why. */
export type AddonStatus =
  | ({
      /** It can be used. */
      readonly available: true;
    } & BuildRecord)
  | {
      /** It cannot be used. */
      readonly available: false;
      /** Why not, with what to do about it. */
      readonly reason: KatlabError;
    };

// src/torch and dist/torch both sit two levels under the root.
const defaultFolder = fileURLToPath(new URL("../../native/build/", import.meta.url));
const remedy = "Run `npm run build` to build the native part; the wasm engine works without it.";

/** One addon per build folder; Node itself keeps a native module once per thread. */
const loaded = new Map<string, Addon>();

/**
 * Loads the native part, once per thread: from `native/build`, or the folder that `KATLAB_NATIVE_BUILD` names.
 *
 * @throws KatlabError `unavailable` when it has not been built, was built for another torch, or does not load
 */
export function loadAddon(): Addon {
  const folder = buildFolder();
  const addon = loaded.get(folder) ?? openAddon(folder);
  loaded.set(folder, addon);
  return addon;
}

/** Says whether `loadAddon` works, without throwing: the build record, or the reason. */
export function addonStatus(): AddonStatus {
  try {
    loadAddon();
    return { available: true, ...readBuild(buildFolder()) };
  } catch (error) {
    if (error instanceof KatlabError) return { available: false, reason: error };
    throw error;
  }
}

function buildFolder(): string {
  return process.env["KATLAB_NATIVE_BUILD"] ?? defaultFolder;
}

/** @internal Loads the addon of one build folder. */
export function openAddon(folder: string): Addon {
  readBuild(folder);
  // OpenMP reads these once, when it is loaded. By default its threads spin for milliseconds at every barrier, which makes
  // a step ten times slower as soon as a browser or a second kernel wants a core; not spinning at all costs a fifth alone, and
  // spinning for some microseconds next to nothing.
  if (process.env["OMP_WAIT_POLICY"] === undefined) process.env["GOMP_SPINCOUNT"] ??= "3000";
  try {
    const addon = createRequire(import.meta.url)(join(folder, "bridge.node")) as Addon;
    addon.onError((error) => explainTorchError(error, (device) => addon.memory(device)));
    return addon;
  } catch (error) {
    const got = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw unavailable({ subject: "torch", must: "bridge.node must load", got, remedy }, error);
  }
}

/** @internal Reads the record of one build folder and checks that its torch is still the one it was built for. */
export function readBuild(folder: string): BuildRecord {
  const path = join(folder, "build.json");
  if (!existsSync(path) || !existsSync(join(folder, "bridge.node"))) {
    throw unavailable({ subject: "torch", must: "the native part must be built", got: "no build", remedy });
  }
  const build = parseRecord(path);
  const installed = installedVersion(build.torchDir);
  if (installed === build.torchVersion) return build;
  throw unavailable({
    subject: "torch",
    must: `must be ${build.torchVersion} in ${build.torchDir}, for which the native part was built`,
    got: installed === undefined ? "none there" : installed,
    remedy,
  });
}

function parseRecord(path: string): BuildRecord {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as BuildRecord;
  } catch (error) {
    const got = error instanceof Error ? error.message : String(error);
    throw unavailable({ subject: "torch", must: `${path} must be a build record`, got, remedy }, error);
  }
}

/** The version a torch package states about itself, read without Python. */
function installedVersion(torchDir: string): string | undefined {
  const path = join(torchDir, "version.py");
  if (!existsSync(path)) return undefined;
  return /^__version__\s*=\s*['"]([^'"]+)['"]/m.exec(readFileSync(path, "utf8"))?.[1];
}
