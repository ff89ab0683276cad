import * as tf from "@tensorflow/tfjs-core";
import { mustBe } from "../../errors.js";
import {
  defineKernel,
  type KernelDefinition,
  type KernelTorch,
  type Operand,
  type Temp,
} from "../defineKernel.js";
import { ScalarType } from "../scalarType.js";
import { filled } from "./filled.js";

/** Integers whose last axis is counted; each counts 1, or its weight. */
interface Numbers {
  readonly x: Operand;
  readonly shape: number[];
  readonly dtype: tf.DataType;
  readonly weights?: tf.TensorInfo;
}

function numbers(x: Operand, shape: number[], weights: tf.TensorInfo): Numbers {
  const { dtype } = weights;
  return tf.util.sizeFromShape(weights.shape) > 0 ? { x, shape, dtype, weights } : { x, shape, dtype };
}

/** `[…, size]`: what the numbers 0, 1, … count in total. Numbers from `size` on are left out. */
function totals(torch: KernelTorch, { x, shape, dtype, weights }: Numbers, size: number): Temp {
  if (!shape.includes(0) && Number(torch.value("item", torch.call("amin", x))) < 0) {
    throw mustBe({
      subject: "bincount",
      must: "Input x must be non-negative",
      got: "a negative number",
      remedy: "Shift the numbers to start at 0.",
    });
  }
  const counting =
    weights === undefined ? filled(torch, shape, 1, dtype) : torch.call("reshape", weights, shape);
  const bins = torch.call("to.dtype", torch.call("clamp_max", x, size), ScalarType.int64);
  const none = filled(torch, [...shape.slice(0, -1), size + 1], 0, dtype);
  return torch.call("narrow", torch.call("scatter_add", none, -1, bins, counting), -1, 0, size);
}

const bincount = defineKernel<tf.BincountInputs, tf.BincountAttrs>(
  tf.Bincount,
  ({ inputs: { x, weights }, attrs: { size }, torch }) => {
    const flat = torch.call("reshape", x, [-1]);
    return torch.keep(totals(torch, numbers(flat, [tf.util.sizeFromShape(x.shape)], weights), size));
  },
);

const denseBincount = defineKernel<tf.DenseBincountInputs, tf.DenseBincountAttrs>(
  tf.DenseBincount,
  ({ inputs: { x, weights }, attrs: { size, binaryOutput = false }, torch }) => {
    if (!binaryOutput) return torch.keep(totals(torch, numbers(x, x.shape, weights), size));
    const { dtype } = weights;
    const counts = totals(torch, { x, shape: x.shape, dtype }, size);
    return torch.result("to.dtype", torch.call("gt.Scalar", counts, 0), torch.storage(dtype));
  },
);

/** Histograms of integers. */
export const countingKernels: readonly KernelDefinition[] = [bincount, denseBincount];
