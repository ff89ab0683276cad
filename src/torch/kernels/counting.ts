import * as tf from "@tensorflow/tfjs-core";
import { mustBe } from "../../errors.js";
import { defineKernel, type KernelDefinition, type KernelTorch, type Temp } from "../defineKernel.js";
import { ScalarType } from "../scalarType.js";

/**
 * Sums of the weights (ones where there are none) of each number along the last axis; numbers from `size` on do not
 * count.
 */
function weightsOfNumbers(
  torch: KernelTorch,
  kernelName: string,
  x: tf.TensorInfo,
  weights: tf.TensorInfo,
  size: number,
): Temp {
  const isEmpty = tf.util.sizeFromShape(x.shape) === 0;
  if (!isEmpty && Number(torch.value("item", torch.call("amin", x))) < 0) {
    throw mustBe({
      subject: `tfjs kernel ${kernelName}`,
      must: "Input x must be non-negative",
      got: "a negative number",
      remedy: "Shift the numbers to start at 0.",
    });
  }
  const type = torch.storage(weights.dtype);
  const counted =
    tf.util.sizeFromShape(weights.shape) > 0
      ? torch.call("reshape", weights, x.shape)
      : torch.call("ones", x.shape, type, null, torch.device);
  const bins = torch.call("to.dtype", torch.call("clamp_max", x, size), ScalarType.int64);
  const zeros = torch.call("zeros", [...x.shape.slice(0, -1), size + 1], type, null, torch.device);
  return torch.call("narrow", torch.call("scatter_add", zeros, -1, bins, counted), -1, 0, size);
}

const bincount = defineKernel<tf.BincountInputs, tf.BincountAttrs>(
  tf.Bincount,
  ({ inputs: { x, weights }, attrs: { size }, torch }) =>
    torch.keep(weightsOfNumbers(torch, tf.Bincount, x, weights, size)),
);

const denseBincount = defineKernel<tf.DenseBincountInputs, tf.DenseBincountAttrs>(
  tf.DenseBincount,
  ({ inputs: { x, weights }, attrs: { size, binaryOutput = false }, torch }) => {
    if (!binaryOutput) return torch.keep(weightsOfNumbers(torch, tf.DenseBincount, x, weights, size));
    const none = { ...weights, shape: [0] };
    const counts = weightsOfNumbers(torch, tf.DenseBincount, x, none, size);
    return torch.result("to.dtype", torch.call("gt.Scalar", counts, 0), torch.storage(weights.dtype));
  },
);

/** Histograms of integers. */
export const countingKernels: readonly KernelDefinition[] = [bincount, denseBincount];
