import * as tf from "@tensorflow/tfjs-core";
import {
  defineKernel,
  type KernelDefinition,
  type KernelTorch,
  type Operand,
  type Temp,
} from "../defineKernel.js";
import { filled } from "./filled.js";

const flipLeftRight = defineKernel<tf.FlipLeftRightInputs>(tf.FlipLeftRight, ({ inputs: { image }, torch }) =>
  torch.result("flip", image, [2]),
);

/** Where each place of a resized axis comes from, as a fractional index. */
function origins(
  from: number,
  to: number,
  alignCorners: boolean,
  shift: (place: number, scale: number) => number,
): number[] {
  const aligned = alignCorners && to > 1;
  const scale = (aligned ? from - 1 : from) / (aligned ? to - 1 : to);
  return Array.from({ length: to }, (_, place) => shift(place, scale));
}

/** The two neighbours of each place along one axis, and the weight of the second. */
interface Blend {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly weight: Float64Array;
}

function blend(from: number, to: number, { alignCorners, halfPixelCenters }: tf.ResizeBilinearAttrs): Blend {
  const places = origins(from, to, alignCorners, (place, scale) =>
    halfPixelCenters ? scale * (place + 0.5) - 0.5 : scale * place,
  );
  const low = Int32Array.from(places, (place) => Math.max(0, Math.floor(place)));
  return {
    low,
    high: Int32Array.from(places, (place) => Math.min(from - 1, Math.ceil(place))),
    weight: Float64Array.from(places, (place, i) => place - low[i]),
  };
}

/** One value per row (axis 1) or column (axis 2) of `[batch, height, width, channels]`. */
function weights(torch: KernelTorch, { weight }: Blend, axis: 1 | 2): Temp {
  return torch.constant(weight, axis === 1 ? [weight.length, 1, 1] : [weight.length, 1]);
}

function blended(torch: KernelTorch, x: Operand, axis: 1 | 2, along: Blend): Operand {
  const pick = (index: Int32Array): Temp =>
    torch.call("index_select", x, axis, torch.constant(index, [index.length]));
  return torch.call("lerp.Tensor", pick(along.low), pick(along.high), weights(torch, along, axis));
}

const resizeBilinear = defineKernel<tf.ResizeBilinearInputs, tf.ResizeBilinearAttrs>(
  tf.ResizeBilinear,
  ({ inputs: { images }, attrs, torch }) => {
    const [, height, width] = images.shape;
    const [newHeight, newWidth] = attrs.size;
    const reals =
      images.dtype === "float32" ? images : torch.call("to.dtype", images, torch.storage("float32"));
    const rows = blended(torch, reals, 1, blend(height, newHeight, attrs));
    return torch.result("alias", blended(torch, rows, 2, blend(width, newWidth, attrs)));
  },
);

/** Sends each place's gradient to the elements of an axis of `length` that it was made of. */
function unblended(
  torch: KernelTorch,
  dy: Operand,
  axis: 1 | 2,
  length: number,
  shape: number[],
  along: Blend,
): Temp {
  const weight = weights(torch, along, axis);
  const toHigh = torch.call("mul.Tensor", dy, weight);
  const toLow = torch.call("sub.Tensor", dy, toHigh);
  const size = [...shape];
  size[axis] = length;
  let dx = filled(torch, size, 0);
  for (const [index, share] of [
    [along.low, toLow],
    [along.high, toHigh],
  ] as const) {
    dx = torch.call("index_add", dx, axis, torch.constant(index, [index.length]), share);
  }
  return dx;
}

const resizeBilinearGradient = defineKernel<tf.ResizeBilinearGradInputs, tf.ResizeBilinearGradAttrs>(
  tf.ResizeBilinearGrad,
  ({ inputs: { images, dy }, attrs, torch }) => {
    const [batch, height, width, channels] = images.shape;
    const [, newHeight, newWidth] = dy.shape;
    const columns = blend(width, newWidth, attrs);
    const rows = blend(height, newHeight, attrs);
    const wide = unblended(torch, dy, 2, width, [batch, newHeight, newWidth, channels], columns);
    return torch.keep(unblended(torch, wide, 1, height, [batch, newHeight, width, channels], rows));
  },
);

/** The element of an axis that each place of the resized axis repeats. */
function nearest(
  from: number,
  to: number,
  { alignCorners, halfPixelCenters }: tf.ResizeNearestNeighborAttrs,
): Int32Array {
  const places = origins(
    from,
    to,
    alignCorners,
    (place, scale) => scale * (halfPixelCenters ? place + 0.5 : place),
  );
  return Int32Array.from(places, (place) =>
    Math.min(from - 1, alignCorners ? Math.round(place) : Math.floor(place)),
  );
}

const resizeNearestNeighbor = defineKernel<tf.ResizeNearestNeighborInputs, tf.ResizeNearestNeighborAttrs>(
  tf.ResizeNearestNeighbor,
  ({ inputs: { images }, attrs, torch }) => {
    const [, height, width] = images.shape;
    const [newHeight, newWidth] = attrs.size;
    const rows = torch.constant(nearest(height, newHeight, attrs), [newHeight]);
    const columns = torch.constant(nearest(width, newWidth, attrs), [newWidth]);
    return torch.result("index_select", torch.call("index_select", images, 1, rows), 2, columns);
  },
);

const resizeNearestNeighborGradient = defineKernel<
  tf.ResizeNearestNeighborGradInputs,
  tf.ResizeNearestNeighborGradAttrs
>(tf.ResizeNearestNeighborGrad, ({ inputs: { images, dy }, attrs, torch }) => {
  const [batch, height, width, channels] = images.shape;
  const [, newHeight, newWidth] = dy.shape;
  const zeros = (shape: number[]): Temp => filled(torch, shape, 0, dy.dtype);
  const rows = torch.constant(nearest(height, newHeight, attrs), [newHeight]);
  const columns = torch.constant(nearest(width, newWidth, attrs), [newWidth]);
  const wide = torch.call("index_add", zeros([batch, newHeight, width, channels]), 2, columns, dy);
  return torch.result("index_add", zeros([batch, height, width, channels]), 1, rows, wide);
});

/** Images `[batch, height, width, channels]`. */
export const imageKernels: readonly KernelDefinition[] = [
  flipLeftRight,
  resizeBilinear,
  resizeBilinearGradient,
  resizeNearestNeighbor,
  resizeNearestNeighborGradient,
];
