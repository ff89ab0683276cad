import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, type KernelDefinition, type KernelTorch, type Operand } from "../defineKernel.js";
import { ScalarType } from "../scalarType.js";
import { filled } from "./filled.js";

/** Axes as torch takes them; none given means all. */
function axesOf(x: tf.TensorInfo, axis: number | number[]): number[] {
  return tf.util.parseAxisParam(axis, x.shape);
}

/** Torch reads an empty list of axes as all of them, tfjs as none. */
function reducesNothing(x: tf.TensorInfo, axes: readonly number[]): boolean {
  return axes.length === 0 && x.shape.length > 0;
}

/** Integers are summed and multiplied in int64, which the backend then wraps to int32. */
function accumulator(x: tf.TensorInfo): ScalarType | null {
  return x.dtype === "int32" || x.dtype === "bool" ? ScalarType.int64 : null;
}

const sum = defineKernel<tf.SumInputs, tf.SumAttrs>(
  tf.Sum,
  ({ inputs: { x }, attrs: { axis, keepDims }, torch }) => {
    const axes = axesOf(x, axis);
    if (!reducesNothing(x, axes)) return torch.result("sum.dim_IntList", x, axes, keepDims, accumulator(x));
    return x.dtype === "bool" ? torch.result("to.dtype", x, ScalarType.int32) : torch.share(x);
  },
);

const mean = defineKernel<tf.MeanInputs, tf.MeanAttrs>(
  tf.Mean,
  ({ inputs: { x }, attrs: { axis, keepDims }, torch }) => {
    const axes = axesOf(x, axis);
    const reals = x.dtype === "int32" || x.dtype === "bool" ? torch.storage("float32") : null;
    if (!reducesNothing(x, axes)) return torch.result("mean.dim", x, axes, keepDims, reals);
    return reals === null ? torch.share(x) : torch.result("to.dtype", x, reals);
  },
);

const prod = defineKernel<tf.ProdInputs, tf.ProdAttrs>(
  tf.Prod,
  ({ inputs: { x }, attrs: { axis, keepDims }, torch }) => {
    const [last, ...axes] = axesOf(x, axis).sort((a, b) => a - b);
    const type = accumulator(x);
    if (x.shape.length === 0) return torch.result("prod", x, type);
    if (reducesNothing(x, axesOf(x, axis))) {
      return type === null ? torch.share(x) : torch.result("to.dtype", x, type);
    }
    let product: Operand = x;
    for (const axis of axes.reverse()) product = torch.call("prod.dim_int", product, axis, keepDims, type);
    return torch.result("prod.dim_int", product, last, keepDims, type);
  },
);

/** The extreme of nothing at all: what no value can be worse than. */
function worst(operator: "amax" | "amin", dtype: tf.DataType): number | boolean {
  const lowest = operator === "amax";
  if (dtype === "bool") return !lowest;
  if (dtype === "int32") return lowest ? -(2 ** 31) : 2 ** 31 - 1;
  return lowest ? -Infinity : Infinity;
}

function extreme(
  torch: KernelTorch,
  operator: "amax" | "amin",
  x: tf.TensorInfo,
  axis: number | number[],
  keepDims: boolean,
): tf.TensorInfo {
  const axes = axesOf(x, axis);
  if (reducesNothing(x, axes)) return torch.share(x);
  if (axes.every((axis) => x.shape[axis] > 0)) return torch.result(operator, x, axes, keepDims);
  const shape = keepDims
    ? x.shape.map((size, i) => (axes.includes(i) ? 1 : size))
    : x.shape.filter((_, i) => !axes.includes(i));
  return torch.keep(filled(torch, shape, worst(operator, x.dtype), x.dtype));
}

const max = defineKernel<tf.MaxInputs, tf.MaxAttrs>(
  tf.Max,
  ({ inputs: { x }, attrs: { reductionIndices, keepDims }, torch }) =>
    extreme(torch, "amax", x, reductionIndices, keepDims),
);

const min = defineKernel<tf.MinInputs, tf.MinAttrs>(
  tf.Min,
  ({ inputs: { x }, attrs: { axis, keepDims }, torch }) => extreme(torch, "amin", x, axis, keepDims),
);

function logical(kernelName: string, operator: string): KernelDefinition {
  return defineKernel<tf.AllInputs, tf.AllAttrs>(
    kernelName,
    ({ inputs: { x }, attrs: { axis, keepDims }, torch }) => {
      const axes = axesOf(x, axis);
      return reducesNothing(x, axes) ? torch.share(x) : torch.result(operator, x, axes, keepDims);
    },
  );
}

/** NaN is passed over: it counts as the worst value. */
function position(kernelName: string, operator: string, nan: number): KernelDefinition {
  return defineKernel<tf.ArgMaxInputs, tf.ArgMaxAttrs>(
    kernelName,
    ({ inputs: { x }, attrs: { axis }, torch }) => {
      const [dim] = tf.util.parseAxisParam(axis, x.shape);
      let values: Operand = x;
      if (x.dtype === "float32") values = torch.call("nan_to_num", x, nan, Infinity, -Infinity);
      if (x.dtype === "bool") values = torch.call("to.dtype", x, ScalarType.uint8);
      if (x.shape[dim] > 0) return torch.result(operator, values, dim);
      const shape = x.shape.filter((_, i) => i !== dim);
      return torch.keep(filled(torch, shape, 0, "int32"));
    },
  );
}

function cumulative(kernelName: string, operator: string, identity: number): KernelDefinition {
  return defineKernel<tf.CumsumInputs, tf.CumsumAttrs>(
    kernelName,
    ({ inputs: { x }, attrs: { axis, exclusive, reverse }, torch }) => {
      const [dim] = tf.util.parseAxisParam(axis, x.shape);
      const flip = (y: Operand): Operand => (reverse ? torch.call("flip", y, [dim]) : y);
      let y: Operand = flip(x);
      if (exclusive && x.shape[dim] > 0) {
        const padding = new Array<number>(2 * (x.shape.length - dim)).fill(0);
        padding[padding.length - 2] = 1;
        padding[padding.length - 1] = -1; // shifted by one place: the last element drops out
        y = torch.call("constant_pad_nd", y, padding, identity);
      }
      y = torch.call(operator, y, dim, accumulator(x));
      return reverse ? torch.result("flip", y, [dim]) : torch.keep(y);
    },
  );
}

/** Sums, extremes and the like along axes. */
export const reductionKernels: readonly KernelDefinition[] = [
  sum,
  mean,
  prod,
  max,
  min,
  logical(tf.All, "all.dims"),
  logical(tf.Any, "any.dims"),
  position(tf.ArgMax, "argmax", -Infinity),
  position(tf.ArgMin, "argmin", Infinity),
  cumulative(tf.Cumsum, "cumsum", 0),
  cumulative(tf.Cumprod, "cumprod", 1),
];
