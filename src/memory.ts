import * as tf from "@tensorflow/tfjs-core";
import { TorchBackend } from "./torch/backend.js";
import { byteText } from "./torch/byteText.js";
import { mainMemory } from "./torch/mainMemory.js";

/**
 * What an engine holds now, as plain data that prints and displays itself. All sizes are in bytes; null where the engine
 * does not tell.
 */
export class EngineMemory {
  /** Where the tensors are, for example `"cpu"`, `"cuda:0"`. */
  readonly device: string;
  /**
   * Bytes that tensors take on the device, in all threads, those that a gradient still needs included. A view takes
   * nothing. On torch only.
   */
  readonly allocated: number | null;
  /** Largest `allocated` since the engine's `resetPeakMemory()`. On torch only. */
  readonly peak: number | null;
  /** Bytes taken from the driver, or by wasm's heap: tensors, and what is kept for later ones. */
  readonly reserved: number | null;
  /** Bytes of the device, or of main memory that this process may use. */
  readonly total: number | null;
  /** Torch tensors that this thread holds, and on other engines tfjs's data buffers. */
  readonly handles: number;
  /** tfjs's tensors of this thread, on whatever engine: `tf.memory().numTensors`. */
  readonly tensors: number;

  constructor(facts: Pick<EngineMemory, MemoryFact>) {
    this.device = facts.device;
    this.allocated = facts.allocated;
    this.peak = facts.peak;
    this.reserved = facts.reserved;
    this.total = facts.total;
    this.handles = facts.handles;
    this.tensors = facts.tensors;
  }

  /** One line. */
  toString(): string {
    const sizes = (["allocated", "peak", "reserved", "total"] as const).flatMap((name) => {
      const bytes = this[name];
      return bytes === null ? [] : `${name} ${byteText(bytes)}`;
    });
    return `memory on ${this.device}: ${[...sizes, `${this.tensors} tensors`, `${this.handles} handles`].join(", ")}`;
  }

  [Symbol.for("Jupyter.display")](): { data: Record<string, string> } {
    return { data: { "text/plain": this.toString() } };
  }
}

/** @inline */
type MemoryFact = "device" | "allocated" | "peak" | "reserved" | "total" | "handles" | "tensors";

/** What a tfjs backend holds now. */
export function backendMemory(backend: tf.KernelBackend): EngineMemory {
  const tensors = tf.engine().state.numTensors;
  if (backend instanceof TorchBackend) {
    const { addon, device } = backend;
    const { allocated, peak, reserved, total, handles } = addon.memory(device);
    const whole = device === "cpu" ? mainMemory() : total;
    return new EngineMemory({ device, allocated, peak, reserved, total: whole, handles, tensors });
  }
  return new EngineMemory({
    device: "cpu",
    allocated: null,
    peak: null,
    reserved: isWasm(backend) ? backend.wasm.HEAPU8.length : null,
    total: mainMemory(),
    handles: backend.numDataIds(),
    tensors,
  });
}

/** Gives memory that no tensor uses back, where the backend keeps any. */
export function emptyBackendCache(backend: tf.KernelBackend): void {
  if (backend instanceof TorchBackend) backend.addon.emptyCache(backend.device);
}

/** Starts the peak anew, where the backend counts one. */
export function resetBackendPeak(backend: tf.KernelBackend): void {
  if (backend instanceof TorchBackend) backend.addon.resetPeakMemory(backend.device);
}

/** Recognised by what it has: importing its class would load it. */
function isWasm(
  backend: tf.KernelBackend,
): backend is tf.KernelBackend & { readonly wasm: { readonly HEAPU8: Uint8Array } } {
  return "wasm" in backend;
}
