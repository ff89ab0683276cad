import * as tf from "@tensorflow/tfjs-core";
import {
  defineKernel,
  type KernelDefinition,
  type KernelTorch,
  type Operand,
  type Temp,
} from "../defineKernel.js";
import { ScalarType } from "../scalarType.js";
import { toInt32 } from "./cast.js";

const gatherV2 = defineKernel<tf.GatherV2Inputs, tf.GatherV2Attrs>(
  tf.GatherV2,
  ({ inputs: { x, indices }, attrs, torch }) => {
    const [axis] = tf.util.parseAxisParam(attrs.axis, x.shape);
    const { batchSize, outerSize, dimSize, sliceSize, outputShape } =
      tf.backend_util.segment_util.collectGatherOpShapeInfo(x, indices, axis, attrs.batchDims ?? 0);
    const flat = torch.call("reshape", indices, [-1]);
    if (batchSize === 1) {
      const rows = torch.call("reshape", x, [outerSize, dimSize, sliceSize]);
      return torch.result("reshape", torch.call("index_select", rows, 1, flat), outputShape);
    }
    const count = tf.util.sizeFromShape(indices.shape) / batchSize;
    const rows = torch.call("reshape", x, [batchSize, outerSize, dimSize, sliceSize]);
    const chosen = torch.call(
      "expand",
      torch.call("to.dtype", torch.call("reshape", indices, [batchSize, 1, count, 1]), ScalarType.int64),
      [batchSize, outerSize, count, sliceSize],
    );
    return torch.result("reshape", torch.call("gather", rows, 2, chosen), outputShape);
  },
);

/** Numbers of the rows that index tuples point at: Σ indices[:, k] · strides[k]. */
function rowNumbers(
  torch: KernelTorch,
  indices: tf.TensorInfo,
  depth: number,
  strides: readonly number[],
): Temp {
  const tuples = torch.call("reshape", indices, [depth === 0 ? 1 : -1, depth]);
  let rows = torch.call(
    "zeros",
    [tf.util.sizeFromShape(indices.shape) / Math.max(1, depth)],
    ScalarType.int64,
    null,
    torch.device,
  );
  for (let k = 0; k < depth; k++) {
    rows = torch.call("add.Tensor", rows, torch.call("select.int", tuples, 1, k), strides[k]);
  }
  return rows;
}

const gatherNd = defineKernel<tf.GatherNdInputs>(tf.GatherNd, ({ inputs: { params, indices }, torch }) => {
  const [resultShape, , sliceSize, strides] = tf.backend_util.prepareAndValidate(params, indices);
  const rows = torch.call("reshape", params, [-1, sliceSize]);
  const depth = indices.shape[indices.shape.length - 1];
  const numbers = rowNumbers(torch, indices, depth, strides);
  return torch.result("reshape", torch.call("index_select", rows, 0, numbers), resultShape);
});

/** Puts `updates` into the rows of `target` [rows, sliceSize] that `indices` point at, by `operator`. */
function scattered(
  torch: KernelTorch,
  operator: "index_add" | "index_copy",
  target: (shape: number[]) => Operand,
  indices: tf.TensorInfo,
  updates: tf.TensorInfo,
  shape: number[],
): tf.TensorInfo {
  const { sliceRank, numUpdates, sliceSize, strides, outputSize } = tf.backend_util.calculateShapes(
    updates,
    indices,
    shape,
  );
  const base = target([outputSize / Math.max(1, sliceSize), sliceSize]);
  if (outputSize === 0) return torch.result("reshape", base, shape);
  const numbers = rowNumbers(torch, indices, sliceRank, strides);
  const rows =
    updates.shape.length === 0
      ? torch.call("expand", updates, [numUpdates, sliceSize])
      : torch.call("reshape", updates, [numUpdates, sliceSize]);
  return torch.result("reshape", torch.call(operator, base, 0, numbers, rows), shape);
}

const scatterNd = defineKernel<tf.ScatterNdInputs, tf.ScatterNdAttrs>(
  tf.ScatterNd,
  ({ inputs: { indices, updates }, attrs: { shape }, torch }) => {
    const zeros = (rows: number[]): Operand =>
      torch.call("zeros", rows, torch.storage(updates.dtype), null, torch.device);
    return scattered(torch, "index_add", zeros, indices, updates, shape);
  },
);

const tensorScatterUpdate = defineKernel<tf.TensorScatterUpdateInputs>(
  tf.TensorScatterUpdate,
  ({ inputs: { tensor, indices, updates }, torch }) =>
    scattered(
      torch,
      "index_copy",
      (rows) => torch.call("reshape", tensor, rows),
      indices,
      updates,
      tensor.shape,
    ),
);

const sparseToDense = defineKernel<tf.SparseToDenseInputs, tf.SparseToDenseAttrs>(
  tf.SparseToDense,
  ({ inputs: { sparseIndices, sparseValues, defaultValue }, attrs: { outputShape }, torch }) =>
    scattered(
      torch,
      "index_copy",
      (rows) => torch.call("clone", torch.call("expand", defaultValue, rows)),
      sparseIndices,
      sparseValues,
      outputShape,
    ),
);

const oneHot = defineKernel<tf.OneHotInputs, tf.OneHotAttrs>(
  tf.OneHot,
  ({ inputs: { indices }, attrs: { depth, onValue, offValue, dtype }, torch }) => {
    const classes = torch.call("arange", depth, ScalarType.int32, null, torch.device);
    const isOn = torch.call("eq.Tensor", torch.call("unsqueeze", indices, -1), classes);
    const off = torch.call("full", [], offValue, ScalarType.float64, null, torch.device);
    const values = torch.call("where.ScalarSelf", isOn, onValue, off);
    return dtype === "int32"
      ? torch.keep(toInt32(torch, values))
      : torch.result("to.dtype", values, torch.storage(dtype));
  },
);

const select = defineKernel<tf.SelectInputs>(tf.Select, ({ inputs: { condition, t, e }, torch }) => {
  // A vector chooses whole rows.
  const isRows = condition.shape.length === 1 && t.shape.length > 1;
  const chosen = isRows
    ? torch.call("reshape", condition, [-1, ...t.shape.slice(1).map(() => 1)])
    : condition;
  return torch.result("where.self", chosen, t, e);
});

const unsortedSegmentSum = defineKernel<tf.UnsortedSegmentSumInputs, tf.UnsortedSegmentSumAttrs>(
  tf.UnsortedSegmentSum,
  ({ inputs: { x, segmentIds }, attrs: { numSegments }, torch }) => {
    // Ids out of range take part in no sum: they go to one more segment, which is dropped.
    const isOutside = torch.call(
      "logical_or",
      torch.call("lt.Scalar", segmentIds, 0),
      torch.call("ge.Scalar", segmentIds, numSegments),
    );
    const ids = torch.call(
      "masked_fill.Scalar",
      torch.call("to.dtype", segmentIds, ScalarType.int64),
      isOutside,
      numSegments,
    );
    const trailing = x.shape.slice(segmentIds.shape.length).map(() => 1);
    const rows = torch.call(
      "expand",
      torch.call("reshape", ids, [...segmentIds.shape, ...trailing]),
      x.shape,
    );
    const zeros = torch.call(
      "zeros",
      [numSegments + 1, ...x.shape.slice(1)],
      torch.storage(x.dtype),
      null,
      torch.device,
    );
    return torch.result("narrow", torch.call("scatter_add", zeros, 0, rows, x), 0, 0, numSegments);
  },
);

/** Gathering, scattering and choosing by index. */
export const gatherKernels: readonly KernelDefinition[] = [
  gatherV2,
  gatherNd,
  scatterNd,
  tensorScatterUpdate,
  sparseToDense,
  oneHot,
  select,
  unsortedSegmentSum,
];
