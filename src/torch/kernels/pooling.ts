import * as tf from "@tensorflow/tfjs-core";
import {
  defineKernel,
  type KernelDefinition,
  type KernelTorch,
  type Operand,
  type Temp,
} from "../defineKernel.js";
import { asReal, keepReal, toFloat64 } from "./cast.js";
import {
  channelsFirst,
  channelsLast,
  cropped,
  isEmpty,
  padded,
  type Windows,
  windows2D,
  windows3D,
} from "./windows.js";
import { filled } from "./filled.js";

type Shape4D = [number, number, number, number];
type Shape5D = [number, number, number, number, number];

/** What places the windows, in two and in three dimensions. */
type Placement2D = Pick<tf.AvgPoolAttrs, "filterSize" | "strides" | "pad" | "dimRoundingMode">;
type Placement3D = Pick<tf.AvgPool3DAttrs, "filterSize" | "strides" | "pad" | "dimRoundingMode">;

interface Pooling<Placement> {
  readonly spatial: 2 | 3;
  windows(x: tf.TensorInfo, attrs: Placement): Windows;
}

const plane: Pooling<Placement2D> = {
  spatial: 2,
  windows: ({ shape }, { filterSize, strides, pad, dimRoundingMode }) =>
    windows2D(
      tf.backend_util.computePool2DInfo(shape as Shape4D, filterSize, strides, 1, pad, dimRoundingMode),
    ),
};

const volume: Pooling<Placement3D> = {
  spatial: 3,
  windows: ({ shape }, { filterSize, strides, pad, dimRoundingMode }) =>
    windows3D(
      tf.backend_util.computePool3DInfo(shape as Shape5D, filterSize, strides, 1, pad, dimRoundingMode),
    ),
};

/** tfjs takes windows of one element as the identity where the shape stays, whatever stride and padding say. */
function isIdentity({ filter, shape }: Windows, x: tf.TensorInfo): boolean {
  return filter.length === 2 && filter.every((size) => size === 1) && tf.util.arraysEqual(shape, x.shape);
}

/** Neither paddings nor NaN ever win: they count as −∞. */
function maxSource(torch: KernelTorch, x: tf.TensorInfo, windows: Windows): Operand {
  const reals =
    x.dtype === "float32" ? torch.call("nan_to_num", x, -Infinity, Infinity, -Infinity) : toFloat64(torch, x);
  return padded(torch, channelsFirst(torch, reals, x.shape), windows, -Infinity);
}

function maxPool<Placement>(kernelName: string, pooling: Pooling<Placement>): KernelDefinition {
  const { spatial } = pooling;
  return defineKernel<tf.MaxPoolInputs, Placement>(kernelName, ({ inputs: { x }, attrs, torch }) => {
    const windows = pooling.windows(x, attrs);
    if (isEmpty(windows)) return torch.keep(filled(torch, windows.shape, 0, x.dtype));
    if (isIdentity(windows, x)) return torch.share(x);
    const y = torch.call(`max_pool${spatial}d`, maxSource(torch, x, windows), windows.filter, windows.stride);
    const last = channelsLast(torch, y, spatial);
    return x.dtype === "float32" ? torch.keep(last) : keepReal(torch, last, x.dtype);
  });
}

function maxPoolGradient<Placement>(kernelName: string, pooling: Pooling<Placement>): KernelDefinition {
  const { spatial } = pooling;
  return defineKernel<tf.MaxPoolGradInputs, Placement>(
    kernelName,
    ({ inputs: { dy, input }, attrs, torch }) => {
      const windows = pooling.windows(input, attrs);
      if (isEmpty(windows)) return torch.keep(filled(torch, input.shape, 0));
      if (isIdentity(windows, input)) return torch.share(dy);
      const { filter, stride } = windows;
      const x = maxSource(torch, input, windows);
      const [none, one] = [filter.map(() => 0), filter.map(() => 1)];
      const operator = `max_pool${spatial}d_with_indices`;
      const [, positions] = torch.calls(operator, x, filter, stride);
      const first = channelsFirst(torch, dy, dy.shape);
      const dx = torch.call(`${operator}_backward`, first, x, filter, stride, none, one, false, positions);
      return torch.keep(channelsLast(torch, cropped(torch, dx, windows), spatial));
    },
  );
}

/** How many elements of each window are no padding, `[1, 1, …windows]`; 1 for windows of nothing else. */
function counts(torch: KernelTorch, x: tf.TensorInfo, windows: Windows): Temp {
  const sizes = x.shape.slice(1, -1);
  const ones = filled(torch, [1, 1, ...sizes], 1);
  return torch.call("clamp_min", sums(torch, padded(torch, ones, windows, 0), windows), 1);
}

/** Sums over the windows. */
function sums(torch: KernelTorch, x: Operand, { filter, stride }: Windows): Temp {
  const none = filter.map(() => 0);
  return torch.call(`avg_pool${filter.length}d`, x, filter, stride, none, false, true, 1);
}

function avgPool<Placement>(kernelName: string, pooling: Pooling<Placement>): KernelDefinition {
  const { spatial } = pooling;
  return defineKernel<tf.AvgPoolInputs, Placement>(kernelName, ({ inputs: { x }, attrs, torch }) => {
    const windows = pooling.windows(x, attrs);
    if (isEmpty(windows)) return torch.keep(filled(torch, windows.shape, 0));
    if (isIdentity(windows, x)) return torch.share(x);
    const first = channelsFirst(torch, asReal(torch, x), x.shape);
    const total = sums(torch, padded(torch, first, windows, 0), windows);
    const mean = torch.call("div.Tensor", total, counts(torch, x, windows));
    return torch.keep(channelsLast(torch, mean, spatial));
  });
}

// The derivative of avgPool. tfjs's own backends divide by the size of the window, also where padding is in it, which
// their forward pass does not count.
function avgPoolGradient<Placement>(kernelName: string, pooling: Pooling<Placement>): KernelDefinition {
  const { spatial } = pooling;
  return defineKernel<tf.AvgPoolGradInputs, Placement>(
    kernelName,
    ({ inputs: { dy, input }, attrs, torch }) => {
      const windows = pooling.windows(input, attrs);
      if (isEmpty(windows)) return torch.keep(filled(torch, input.shape, 0));
      if (isIdentity(windows, input)) return torch.share(dy);
      const { filter, stride } = windows;
      const x = padded(torch, channelsFirst(torch, input, input.shape), windows, 0);
      const first = channelsFirst(torch, dy, dy.shape);
      const shares = torch.call("div.Tensor", first, counts(torch, input, windows));
      const none = filter.map(() => 0);
      const dx = torch.call(`avg_pool${spatial}d_backward`, shares, x, filter, stride, none, false, true, 1);
      return torch.keep(channelsLast(torch, cropped(torch, dx, windows), spatial));
    },
  );
}

const maxPoolWithArgmax = defineKernel<tf.MaxPoolWithArgmaxInputs, tf.MaxPoolWithArgmaxAttrs>(
  tf.MaxPoolWithArgmax,
  ({ inputs: { x }, attrs, torch }) => {
    const windows = plane.windows(x, attrs);
    if (isEmpty(windows)) {
      return [filled(torch, windows.shape, 0, x.dtype), filled(torch, windows.shape, 0, "int32")].map(
        (none) => torch.keep(none),
      );
    }
    const [batch, height, width, channels] = x.shape;
    const [values, positions] = torch.calls(
      "max_pool2d_with_indices",
      maxSource(torch, x, windows),
      windows.filter,
      windows.stride,
    );
    // From a position in the padded plane to one in x, in which channels vary fastest.
    const paddedWidth = width + windows.before[1] + windows.after[1];
    const row = torch.call("div.Scalar_mode", positions, paddedWidth, "floor");
    const column = torch.call("remainder.Scalar", positions, paddedWidth);
    const corner = windows.before[0] * width + windows.before[1];
    const pixel = torch.call("add.Tensor", column, row, width);
    const line = (count: number, shape: number[]): Temp =>
      torch.call("reshape", torch.call("arange", count, null, null, torch.device), shape);
    const flat = torch.call(
      "add.Tensor",
      line(channels, [channels, 1, 1]),
      torch.call("sub.Scalar", pixel, corner),
      channels,
    );
    const images = line(attrs.includeBatchInIndex ? batch : 1, [-1, 1, 1, 1]);
    const index = torch.call("add.Tensor", flat, images, height * width * channels);
    return [torch.keep(channelsLast(torch, values, 2)), torch.keep(channelsLast(torch, index, 2))];
  },
);

/** Pooling in two and three dimensions, with the tfjs kernels that are its gradients. */
export const poolingKernels: readonly KernelDefinition[] = [
  maxPool(tf.MaxPool, plane),
  maxPoolGradient(tf.MaxPoolGrad, plane),
  maxPoolWithArgmax,
  avgPool(tf.AvgPool, plane),
  avgPoolGradient(tf.AvgPoolGrad, plane),
  maxPool(tf.MaxPool3D, volume),
  maxPoolGradient(tf.MaxPool3DGrad, volume),
  avgPool(tf.AvgPool3D, volume),
  avgPoolGradient(tf.AvgPool3DGrad, volume),
];
