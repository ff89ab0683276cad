import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, type KernelDefinition, type KernelTorch } from "../defineKernel.js";

// A stable sort: of equal values the one with the lower index comes first, which torch's topk does not promise.
const topK = defineKernel<tf.TopKInputs, tf.TopKAttrs>(tf.TopK, ({ inputs: { x }, attrs: { k }, torch }) =>
  torch
    .calls("sort.stable", x, true, -1, true)
    .map((sorted) => torch.result("clone", torch.call("narrow", sorted, -1, 0, k))),
);

function bound(
  torch: KernelTorch,
  sortedSequence: tf.TensorInfo,
  values: tf.TensorInfo,
  isUpper: boolean,
): tf.TensorInfo {
  return torch.result("searchsorted.Tensor", sortedSequence, values, true, isUpper);
}

const searchSorted = defineKernel<tf.SearchSortedInputs, tf.SearchSortedAttrs>(
  tf.SearchSorted,
  ({ inputs: { sortedSequence, values }, attrs: { side }, torch }) =>
    bound(torch, sortedSequence, values, side === "right"),
);

const lowerBound = defineKernel<tf.LowerBoundInputs>(
  tf.LowerBound,
  ({ inputs: { sortedSequence, values }, torch }) => bound(torch, sortedSequence, values, false),
);

const upperBound = defineKernel<tf.UpperBoundInputs>(
  tf.UpperBound,
  ({ inputs: { sortedSequence, values }, torch }) => bound(torch, sortedSequence, values, true),
);

/** Order and search. */
export const sortingKernels: readonly KernelDefinition[] = [topK, searchSorted, lowerBound, upperBound];
