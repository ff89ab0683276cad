import type * as tf from "@tensorflow/tfjs-core";
import type { KernelTorch, Operand, Temp } from "../defineKernel.js";

/** Geometry of a convolution or pooling, one entry per spatial axis. */
export interface Windows {
  /** Size of the window. */
  readonly filter: number[];
  readonly stride: number[];
  readonly dilation: number[];
  /** Elements added in front of each axis. */
  readonly before: number[];
  /** Elements added behind each axis; negative where the last ones are in no window. */
  readonly after: number[];
  /** Number of windows. */
  readonly out: number[];
  /** Shape of the result, in tfjs's order of axes. */
  readonly shape: number[];
}

/** One spatial axis, as tfjs's `Conv2DInfo` and `Conv3DInfo` describe it. */
interface Axis {
  readonly in: number;
  readonly out: number;
  readonly filter: number;
  readonly effective: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
}

/** Rows and columns. */
export function windows2D(info: tf.backend_util.Conv2DInfo): Windows {
  return { ...plane(info), shape: notNegative(info.outShape) };
}

/** What a window larger than the tensor leaves is nothing. */
function notNegative(shape: readonly number[]): number[] {
  return shape.map((size) => Math.max(0, size));
}

function plane(info: Omit<tf.backend_util.Conv2DInfo, "inShape" | "outShape" | "filterShape">): Placed {
  return placed([
    {
      in: info.inHeight,
      out: info.outHeight,
      filter: info.filterHeight,
      effective: info.effectiveFilterHeight,
      stride: info.strideHeight,
      dilation: info.dilationHeight,
      before: info.padInfo.top,
    },
    {
      in: info.inWidth,
      out: info.outWidth,
      filter: info.filterWidth,
      effective: info.effectiveFilterWidth,
      stride: info.strideWidth,
      dilation: info.dilationWidth,
      before: info.padInfo.left,
    },
  ]);
}

/** Slices, rows and columns. */
export function windows3D(info: tf.backend_util.Conv3DInfo): Windows {
  const depth = {
    in: info.inDepth,
    out: info.outDepth,
    filter: info.filterDepth,
    effective: info.effectiveFilterDepth,
    stride: info.strideDepth,
    dilation: info.dilationDepth,
    before: info.padInfo.front,
  };
  const [first, others] = [placed([depth]), plane(info)];
  const join = (name: keyof Placed): number[] => [...first[name], ...others[name]];
  return {
    filter: join("filter"),
    stride: join("stride"),
    dilation: join("dilation"),
    before: join("before"),
    after: join("after"),
    out: join("out"),
    shape: notNegative(info.outShape),
  };
}

type Placed = Omit<Windows, "shape">;

function placed(axes: readonly Axis[]): Placed {
  return {
    filter: axes.map(({ filter }) => filter),
    stride: axes.map(({ stride }) => stride),
    dilation: axes.map(({ dilation }) => dilation),
    before: axes.map(({ before }) => before),
    // What the last window needs: tfjs's own number ignores its rounding of the output's size.
    after: axes.map((axis) => (axis.out - 1) * axis.stride + axis.effective - axis.in - axis.before),
    out: axes.map(({ out }) => out),
  };
}

/**
 * `[batch, …spatial, channels]` → `[batch, channels, …spatial]`.
 *
 * One channel is reshaped: permuted it has strides by which oneDNN takes it for channels last, and with a batch and
 * strides wider than the window it then reads beyond the tensor (torch 2.13).
 */
export function channelsFirst(torch: KernelTorch, x: Operand, shape: readonly number[]): Temp {
  const channels = shape[shape.length - 1];
  if (channels === 1) return torch.call("reshape", x, [shape[0], 1, ...shape.slice(1, -1)]);
  const axes = Array.from({ length: shape.length - 2 }, (_, i) => i + 1);
  return torch.call("permute", x, [0, shape.length - 1, ...axes]);
}

/** `[batch, channels, …spatial]` → `[batch, …spatial, channels]`. */
export function channelsLast(torch: KernelTorch, x: Operand, spatial: number): Temp {
  const axes = Array.from({ length: spatial }, (_, i) => i + 2);
  return torch.call("permute", x, [0, ...axes, 1]);
}

/** Adds the elements around the spatial axes of `[batch, channels, …spatial]`, and leaves out the last ones. */
export function padded(torch: KernelTorch, x: Operand, windows: Windows, value: number): Operand {
  const sides = windows.before.flatMap((before, i) => [[before, windows.after[i]]]);
  const padding = sides.reverse().flat();
  // One after the other: what is left out may lie in what is added.
  return [Math.max, Math.min].reduce((part, limit) => {
    const step = padding.map((size) => limit(0, size));
    return step.some((size) => size !== 0) ? torch.call("constant_pad_nd", part, step, value) : part;
  }, x);
}

/** Takes away the elements that `padded` adds. */
export function cropped(torch: KernelTorch, x: Operand, windows: Windows): Operand {
  const negative = (sizes: number[]): number[] => sizes.map((size) => -size);
  return padded(
    torch,
    x,
    { ...windows, before: negative(windows.before), after: negative(windows.after) },
    0,
  );
}

/** Whether there is nothing to compute: torch's operators refuse that. */
export function isEmpty({ shape }: Windows): boolean {
  return shape.includes(0);
}

/** Spatial sizes of what `padded` gives. */
export function paddedSizes(sizes: readonly number[], windows: Windows): number[] {
  return sizes.map((size, i) => size + windows.before[i] + windows.after[i]);
}
