import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, type KernelDefinition, type KernelTorch, type Temp } from "../defineKernel.js";
import { ScalarType } from "../scalarType.js";
import { toInt32 } from "./cast.js";
import { counted, filled } from "./filled.js";

/** Says what torch's own complaint leaves out. On CUDA there is none: indices are not checked where they are used. */
function mustPointInside(torch: KernelTorch, indices: tf.TensorInfo, size: number): void {
  for (const index of torch.backend.readSync(indices.dataId) as Int32Array) {
    tf.util.assert(
      index >= 0 && index < size,
      () => `GatherV2: the index value ${index} is not in [0, ${size - 1}]`,
    );
  }
}

const gatherV2 = defineKernel<tf.GatherV2Inputs, tf.GatherV2Attrs>(
  tf.GatherV2,
  ({ inputs: { x, indices }, attrs, torch }) => {
    const [axis] = tf.util.parseAxisParam(attrs.axis, x.shape);
    const info = tf.backend_util.segment_util.collectGatherOpShapeInfo(x, indices, axis, attrs.batchDims);
    const { batchSize, outerSize, dimSize, sliceSize, outputShape } = info;
    if (outputShape.includes(0)) return torch.keep(filled(torch, outputShape, 0, x.dtype));
    try {
      if (batchSize === 1) {
        const rows = torch.call("reshape", x, [outerSize, dimSize, sliceSize]);
        const chosen = torch.call("index_select", rows, 1, torch.call("reshape", indices, [-1]));
        return torch.result("reshape", chosen, outputShape);
      }
      const rows = torch.call("reshape", x, [batchSize, outerSize, dimSize, sliceSize]);
      const each = torch.call("reshape", indices, [batchSize, 1, -1, 1]);
      const numbers = torch.call("to.dtype", each, ScalarType.int64);
      const chosen = torch.call(
        "gather",
        rows,
        2,
        torch.call("expand", numbers, [-1, outerSize, -1, sliceSize]),
      );
      return torch.result("reshape", chosen, outputShape);
    } catch (error) {
      mustPointInside(torch, indices, dimSize);
      throw error;
    }
  },
);

/**
 * The rows that index tuples `[count, depth]` point at: Σ indices[:, k] · strides[k].
 */
export function rowNumbers(
  torch: KernelTorch,
  indices: tf.TensorInfo,
  [count, depth]: readonly [number, number],
  strides: readonly number[],
): Temp {
  const tuples = torch.call("to.dtype", torch.call("reshape", indices, [count, depth]), ScalarType.int64);
  const steps = torch.constant(Int32Array.from(strides.slice(0, depth)), [depth]);
  return torch.call("sum.dim_IntList", torch.call("mul.Tensor", tuples, steps), [1]);
}

const gatherNd = defineKernel<tf.GatherNdInputs>(tf.GatherNd, ({ inputs: { params, indices }, torch }) => {
  const [resultShape, count, sliceSize, strides] = tf.backend_util.prepareAndValidate(params, indices);
  if (resultShape.includes(0)) return torch.keep(filled(torch, resultShape, 0, params.dtype));
  const rows = torch.call("reshape", params, [-1, sliceSize]);
  const depth = indices.shape[indices.shape.length - 1];
  const numbers = rowNumbers(torch, indices, [count, depth], strides);
  return torch.result("reshape", torch.call("index_select", rows, 0, numbers), resultShape);
});

const oneHot = defineKernel<tf.OneHotInputs, tf.OneHotAttrs>(
  tf.OneHot,
  ({ inputs: { indices }, attrs: { depth, onValue, offValue, dtype }, torch }) => {
    const isOn = torch.call("eq.Tensor", torch.call("unsqueeze", indices, -1), counted(torch, depth));
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

/** Choosing by index or condition. */
export const gatherKernels: readonly KernelDefinition[] = [gatherV2, gatherNd, oneHot, select];
