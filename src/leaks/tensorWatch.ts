import * as tf from "@tensorflow/tfjs-core";
import type { Origin } from "./leakReport.js";

/** The methods by which tfjs's engine makes and disposes every tensor and runs every tfjs kernel; some are private. */
interface EngineMethods {
  nextTensorId: () => number;
  trackTensor: (tensor: tf.Tensor, backend: tf.KernelBackend) => void;
  disposeTensor: (tensor: tf.Tensor) => void;
  /** Also runs functions with a gradient of their own, which have no `kernelName`. */
  runKernelFunc: (call: { readonly kernelName?: string }) => unknown;
}

function engineMethods(): EngineMethods {
  return tf.engine() as unknown as EngineMethods;
}

/** Watches every tensor that is made, from its construction to `end`. The first of all puts its hooks into tfjs, the last takes them out. */
export class TensorWatch {
  static readonly #running = new Set<TensorWatch>();
  /** The tfjs kernels that run now, the innermost last. */
  static readonly #kernels: string[] = [];
  readonly #origins = new Map<number, Origin>();
  /** Older tensors have smaller ids; a variable is tracked anew under its own when it is assigned to. */
  readonly #firstId = engineMethods().nextTensorId();

  constructor() {
    if (TensorWatch.#running.size === 0) TensorWatch.#hook(engineMethods());
    TensorWatch.#running.add(this);
  }

  /** Ends the watch. */
  end(): void {
    if (TensorWatch.#running.delete(this) && TensorWatch.#running.size === 0)
      TensorWatch.#unhook(engineMethods());
  }

  /** The tensors made since and not disposed, but those in `value`. */
  left(value: unknown): Origin[] {
    const inValue = tf.tensor_util.getTensorsInContainer(value as tf.TensorContainer);
    for (const { id } of inValue) this.#origins.delete(id);
    return [...this.#origins.values()];
  }

  #made(tensor: tf.Tensor, trace: Origin["trace"]): void {
    if (tensor.id < this.#firstId) return;
    const { shape, dtype, size } = tensor;
    this.#origins.set(tensor.id, { kernel: TensorWatch.#kernels.at(-1), shape, dtype, size, trace });
  }

  static #hook(engine: EngineMethods): void {
    const { trackTensor, disposeTensor, runKernelFunc } = engine;
    engine.trackTensor = (tensor, backend) => {
      trackTensor.call(engine, tensor, backend);
      const trace = traceAbove(engine.trackTensor);
      for (const watch of TensorWatch.#running) watch.#made(tensor, trace);
    };
    engine.disposeTensor = (tensor) => {
      disposeTensor.call(engine, tensor);
      for (const watch of TensorWatch.#running) watch.#origins.delete(tensor.id);
    };
    engine.runKernelFunc = (call) => {
      if (call.kernelName === undefined) return runKernelFunc.call(engine, call);
      TensorWatch.#kernels.push(call.kernelName);
      try {
        return runKernelFunc.call(engine, call);
      } finally {
        TensorWatch.#kernels.pop();
      }
    };
  }

  /** Without its own methods, an engine has those of its class again. */
  static #unhook(engine: EngineMethods): void {
    for (const name of ["trackTensor", "disposeTensor", "runKernelFunc"])
      Reflect.deleteProperty(engine, name);
  }
}

/** The stack of a function's caller, deep enough to reach the program through tfjs and katlab. */
function traceAbove(callee: EngineMethods["trackTensor"]): Origin["trace"] {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 64;
  const trace = { stack: "" };
  Error.captureStackTrace(trace, callee);
  Error.stackTraceLimit = stackTraceLimit;
  return trace;
}
