import * as tf from "@tensorflow/tfjs-core";
import { mustBe } from "../errors.js";
import type { Handle } from "./addon.js";
import { ScalarType } from "./scalarType.js";
import type { TorchBackend } from "./torchBackend.js";

/**
 * The tfjs kernels that take float32 inside `autocast` under the precision bfloat16: those that lose what they compute
 * when their operands have 8 bits, as in PyTorch's autocast, and means. Either whole, or some inputs only.
 *
 * Layer normalisation is not among them: torch computes its statistics in float32 whatever it takes.
 */
const float32Operands: Readonly<Record<string, "all" | readonly string[]>> = {
  ...Object.fromEntries(
    [
      ...[tf.Exp, tf.Expm1, tf.Log, tf.Log1p, tf.Pow, tf.Rsqrt, tf.Reciprocal, tf.Softplus],
      ...[tf.Acos, tf.Asin, tf.Cosh, tf.Sinh, tf.Tan],
      ...[tf.Sum, tf.Mean, tf.Prod, tf.Cumsum, tf.Cumprod, tf.Softmax, tf.LogSoftmax],
      // Those have no narrow form.
      ...[tf.Bincount, tf.DenseBincount, tf.Complex, tf.AvgPool3D, tf.ResizeBilinear],
      ...[tf.ScatterNd, tf.TensorScatterUpdate, tf.UnsortedSegmentSum, tf.SparseToDense],
      "SoftmaxCrossEntropy",
    ].map((name) => [name, "all"] as const),
  ),
  GroupRational: ["numerator", "denominator"],
};

/**
 * A stretch of a program in which tfjs kernels take bfloat16 in place of float32.
 *
 * A variable has one narrow twin for the whole stretch, so that its weights are rounded once; other tensors are
 * converted where a kernel takes them. Torch autograd records the conversions: gradients of variables are float32.
 */
export class Autocast {
  readonly #backend: TorchBackend;
  readonly #twins = new Map<tf.DataId, Handle>();

  /**
   * Starts a stretch on a backend that is in none; `end` ends it.
   *
   * @param variables what will be read: their twins are made here, by one operator
   */
  constructor(backend: TorchBackend, variables: readonly tf.Variable[]) {
    this.#backend = backend;
    const each = [...new Set(variables)];
    const handles = each.map((variable) => backend.handle(variable));
    const castAll = backend.operator("katlab::cast_all");
    const twins = backend.addon.call(castAll, handles, ScalarType.bfloat16) as Handle[];
    each.forEach(({ dataId }, i) => this.#twins.set(dataId, twins[i]));
    backend.autocast = this;
  }

  /**
   * The handle that an operator takes for a tensor.
   *
   * @param own is given a handle that the caller frees after the operator
   */
  operand(tensor: tf.TensorInfo, wide: boolean, own: (handle: Handle) => Handle): Handle {
    const backend = this.#backend;
    const handle = backend.handle(tensor);
    const wanted = wide ? ScalarType.float32 : ScalarType.bfloat16;
    const stored = backend.scalarType(tensor);
    if (stored === wanted || !(stored === ScalarType.float32 || stored === ScalarType.bfloat16))
      return handle;
    // Torch computes with a scalar in the type of the other operand.
    if (tensor.shape.length === 0 && !wide) return handle;
    if (!(tensor instanceof tf.Variable)) return own(this.#converted(handle, wanted));
    let twin = this.#twins.get(tensor.dataId);
    if (twin === undefined) this.#twins.set(tensor.dataId, (twin = this.#converted(handle, wanted)));
    return twin;
  }

  /** Ends the stretch, and frees the twins. */
  end(): void {
    this.#backend.autocast = undefined;
    for (const twin of this.#twins.values()) this.#backend.addon.free(twin);
    this.#twins.clear();
  }

  #converted(handle: Handle, type: ScalarType): Handle {
    return this.#backend.addon.call(this.#backend.operator("to.dtype"), handle, type) as Handle;
  }
}

/** Which of a tfjs kernel's inputs stay float32 inside `autocast`; undefined is none. */
export function wideInputs(
  kernelName: string,
  inputs: tf.NamedTensorInfoMap,
): "all" | readonly tf.TensorInfo[] | undefined {
  const names = Object.hasOwn(float32Operands, kernelName) ? float32Operands[kernelName] : undefined;
  return typeof names === "object" ? names.flatMap((name) => inputs[name] ?? []) : names;
}

/**
 * Runs `f` with the operators of the precision the torch backend has: under bfloat16, tfjs kernels take bfloat16 in
 * place of float32, except sums, exponentials, logarithms, powers and losses. Otherwise just runs
 * `f`.
 *
 * `f` runs inside `tf.tidy`. What it returns is float32 again. Inside another call, the outer one rules.
 *
 * @param variables float32 variables that `f` reads, each once: rounded together, which saves time on a GPU
 * @throws KatlabError `invalid` under bfloat16 inside a function that tfjs's tape differentiates
 */
export function torchAutocast<T extends tf.TensorContainer>(
  backend: TorchBackend,
  f: () => T,
  variables: readonly tf.Variable[] = [],
): T {
  if (backend.precision !== "bfloat16" || backend.autocast !== undefined) return tf.tidy(f);
  if (tf.engine().state.gradientDepth > 0) {
    throw mustBe({
      subject: "autocast",
      must: "must be around tf.grad, tf.variableGrads and the like, whose gradients then compute alike",
      got: "a call inside",
      remedy: "Write autocast(() => tf.variableGrads(f)), or use valueAndGrads, which does it by itself.",
    });
  }
  const autocast = new Autocast(backend, variables);
  try {
    const result = tf.tidy(f);
    widen(backend, result);
    return result;
  } finally {
    autocast.end();
  }
}

function widen(backend: TorchBackend, container: tf.TensorContainer): void {
  if (container instanceof tf.Tensor) backend.widen(container);
  else if (typeof container === "object") Object.values(container).forEach((item) => widen(backend, item));
}
