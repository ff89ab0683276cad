import type { KernelTorch, Operand } from "../defineKernel.js";

/** How filters of tfjs look to torch. */
export interface FilterLayout {
  /** Whether each channel is convolved apart from the others. */
  readonly depthwise: boolean;
  /** Torch's shape of a filter of this shape. */
  shape(filter: readonly number[]): number[];
  /** To torch's order of axes; contiguous, which some of torch's gradients insist on. */
  toTorch(torch: KernelTorch, filter: Operand, shape: readonly number[]): Operand;
  /** Back to the order, and the shape, of a filter of tfjs. */
  fromTorch(torch: KernelTorch, weight: Operand, shape: readonly number[]): Operand;
}

/** `[…spatial, in, out]` ↔ `[out, in, …spatial]`. */
export const denseFilters: FilterLayout = {
  depthwise: false,
  shape: (filter) => denseOrder(filter.length).map((axis) => filter[axis]),
  toTorch: (torch, filter, shape) =>
    torch.call("contiguous", torch.call("permute", filter, denseOrder(shape.length))),
  fromTorch: (torch, weight, { length }) =>
    torch.call("permute", weight, [...Array.from({ length: length - 2 }, (_, i) => i + 2), 1, 0]),
};

function denseOrder(rank: number): number[] {
  return [rank - 1, rank - 2, ...Array.from({ length: rank - 2 }, (_, i) => i)];
}

/** `[height, width, in, multiplier]` ↔ `[in · multiplier, 1, height, width]`, a group for each channel of the input. */
export const depthwiseFilters: FilterLayout = {
  depthwise: true,
  shape: ([height, width, inputs, multiplier]) => [inputs * multiplier, 1, height, width],
  toTorch(torch, filter, shape) {
    const weight = torch.call("contiguous", torch.call("permute", filter, [2, 3, 0, 1]));
    return torch.call("reshape", weight, this.shape(shape));
  },
  fromTorch: (torch, weight, [height, width, inputs, multiplier]) =>
    torch.call("permute", torch.call("reshape", weight, [inputs, multiplier, height, width]), [2, 3, 0, 1]),
};
