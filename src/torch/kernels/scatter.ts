import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, type KernelDefinition, type KernelTorch, type Operand } from "../defineKernel.js";
import { ScalarType } from "../scalarType.js";
import { filled } from "./filled.js";
import { rowNumbers } from "./gather.js";

/** Rows put into a tensor where index tuples point. */
interface Scatter {
  readonly indices: tf.TensorInfo;
  readonly updates: tf.TensorInfo;
  /** Of the result. */
  readonly shape: number[];
  /** Whether rows that meet are added, or the last one wins. */
  readonly operator: "index_add" | "index_copy";
  /** What is there before, as rows `[count, size]`. */
  readonly before: (rows: number[]) => Operand;
}

function scattered(
  torch: KernelTorch,
  { indices, updates, shape, operator, before }: Scatter,
): tf.TensorInfo {
  const { sliceRank, numUpdates, sliceSize, strides, outputSize } = tf.backend_util.calculateShapes(
    updates,
    indices,
    shape,
  );
  const base = before([outputSize / Math.max(1, sliceSize), sliceSize]);
  if (outputSize === 0) return torch.result("reshape", base, shape);
  const rows = torch.call(updates.shape.length === 0 ? "expand" : "reshape", updates, [
    numUpdates,
    sliceSize,
  ]);
  const numbers = rowNumbers(torch, indices, [numUpdates, sliceRank], strides);
  return torch.result("reshape", torch.call(operator, base, 0, numbers, rows), shape);
}

const scatterNd = defineKernel<tf.ScatterNdInputs, tf.ScatterNdAttrs>(
  tf.ScatterNd,
  ({ inputs: { indices, updates }, attrs: { shape }, torch }) => {
    const before = (rows: number[]): Operand => filled(torch, rows, 0, updates.dtype);
    return scattered(torch, { indices, updates, shape, operator: "index_add", before });
  },
);

const tensorScatterUpdate = defineKernel<tf.TensorScatterUpdateInputs>(
  tf.TensorScatterUpdate,
  ({ inputs: { tensor, indices, updates }, torch }) => {
    const before = (rows: number[]): Operand => torch.call("reshape", tensor, rows);
    return scattered(torch, { indices, updates, shape: tensor.shape, operator: "index_copy", before });
  },
);

const sparseToDense = defineKernel<tf.SparseToDenseInputs, tf.SparseToDenseAttrs>(
  tf.SparseToDense,
  ({ inputs: { sparseIndices: indices, sparseValues: updates, defaultValue }, attrs, torch }) => {
    const before = (rows: number[]): Operand => torch.call("expand", defaultValue, rows);
    return scattered(torch, { indices, updates, shape: attrs.outputShape, operator: "index_copy", before });
  },
);

const unsortedSegmentSum = defineKernel<tf.UnsortedSegmentSumInputs, tf.UnsortedSegmentSumAttrs>(
  tf.UnsortedSegmentSum,
  ({ inputs: { x, segmentIds }, attrs: { numSegments }, torch }) => {
    const ids = torch.call("to.dtype", segmentIds, ScalarType.int64);
    // Ids out of range take part in no sum: they go to one more segment, which is dropped.
    const isOutside = torch.call(
      "logical_or",
      torch.call("lt.Scalar", ids, 0),
      torch.call("ge.Scalar", ids, numSegments),
    );
    const segments = torch.call("masked_fill.Scalar", ids, isOutside, numSegments);
    const trailing = x.shape.slice(segmentIds.shape.length).map(() => 1);
    const aligned = torch.call("reshape", segments, [...segmentIds.shape, ...trailing]);
    const none = filled(torch, [numSegments + 1, ...x.shape.slice(1)], 0, x.dtype);
    const sums = torch.call("scatter_add", none, 0, torch.call("expand", aligned, x.shape), x);
    return torch.result("narrow", sums, 0, 0, numSegments);
  },
);

/** Putting rows where indices point. */
export const scatterKernels: readonly KernelDefinition[] = [
  scatterNd,
  tensorScatterUpdate,
  sparseToDense,
  unsortedSegmentSum,
];
