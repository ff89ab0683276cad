import type { KernelTorch, Operand, Temp } from "../defineKernel.js";
import { cropped, padded, paddedSizes, type Windows } from "./windows.js";
import { filled } from "./filled.js";

/** Torch pads both ends of an axis alike; other paddings are done before. */
function isEven({ before, after }: Windows): boolean {
  return before.every((size, i) => size === after[i]);
}

/** The arguments that all operators of convolution have in common. */
function options(windows: Windows, groups: number): (boolean | number | number[])[] {
  const none = windows.stride.map(() => 0);
  const padding = isEven(windows) ? windows.before : none;
  return [windows.stride, padding, windows.dilation, false, none, groups];
}

function source(torch: KernelTorch, x: Operand, windows: Windows): Operand {
  return isEven(windows) ? x : padded(torch, x, windows, 0);
}

/**
 * A convolution in torch's order of axes.
 *
 * @param x `[batch, in, …spatial]`
 * @param weight `[out, in / groups, …spatial]`
 * @returns `[batch, out, …spatial]`
 */
export function convolve(
  torch: KernelTorch,
  x: Operand,
  weight: Operand,
  windows: Windows,
  groups: number,
): Temp {
  return torch.call("convolution", source(torch, x, windows), weight, null, ...options(windows, groups));
}

/**
 * Its gradient by the input.
 *
 * @param shape of the input, `[batch, in, …spatial]`
 */
export function inputGradient(
  torch: KernelTorch,
  dy: Operand,
  shape: readonly number[],
  weight: Operand,
  windows: Windows,
  groups: number,
): Operand {
  const [batch, channels, ...sizes] = shape;
  const even = isEven(windows);
  const x = filled(torch, [batch, channels, ...(even ? sizes : paddedSizes(sizes, windows))], 0); // for its shape
  const mask = [true, false, false];
  const dx = torch.call("convolution_backward", dy, x, weight, null, ...options(windows, groups), mask);
  return even ? dx : cropped(torch, dx, windows);
}

/**
 * Its gradient by the weight.
 *
 * @param shape of the weight, `[out, in / groups, …spatial]`
 */
export function weightGradient(
  torch: KernelTorch,
  dy: Operand,
  x: Operand,
  shape: readonly number[],
  windows: Windows,
  groups: number,
): Temp {
  const mask = [false, true, false];
  const weight = filled(torch, shape, 0); // for its shape
  return torch.call(
    "convolution_backward",
    dy,
    source(torch, x, windows),
    weight,
    null,
    ...options(windows, groups),
    mask,
  );
}
