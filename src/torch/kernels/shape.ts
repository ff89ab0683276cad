import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, type KernelDefinition, type KernelTorch, type Operand } from "../defineKernel.js";

const identity = defineKernel<tf.IdentityInputs>(tf.Identity, ({ inputs: { x }, torch }) => torch.share(x));

const reshape = defineKernel<tf.ReshapeInputs, tf.ReshapeAttrs>(
  tf.Reshape,
  ({ inputs: { x }, attrs: { shape }, torch }) =>
    torch.result("reshape", x, tf.util.inferFromImplicitShape(shape, tf.util.sizeFromShape(x.shape))),
);

const expandDims = defineKernel<tf.ExpandDimsInputs, tf.ExpandDimsAttrs>(
  tf.ExpandDims,
  ({ inputs: { input }, attrs: { dim }, torch }) => {
    const { length } = input.shape;
    tf.util.assert(-(length + 1) <= dim, () => `Axis must be in the interval [${-(length + 1)}, ${length}]`);
    return torch.result("unsqueeze", input, dim);
  },
);

const transpose = defineKernel<tf.TransposeInputs, tf.TransposeAttrs>(
  tf.Transpose,
  ({ inputs: { x }, attrs: { perm }, torch }) => torch.result("permute", x, perm),
);

const broadcastTo = defineKernel<tf.BroadcastToInputs, tf.BroadCastToAttrs>(
  tf.BroadcastTo,
  ({ inputs: { x }, attrs: { shape }, torch }) => torch.result("broadcast_to", x, shape),
);

const tile = defineKernel<tf.TileInputs, tf.TileAttrs>(tf.Tile, ({ inputs: { x }, attrs: { reps }, torch }) =>
  torch.result("repeat", x, reps),
);

const reverse = defineKernel<tf.ReverseInputs, tf.ReverseAttrs>(
  tf.Reverse,
  ({ inputs: { x }, attrs: { dims }, torch }) =>
    torch.result("flip", x, x.shape.length === 0 ? [] : tf.util.parseAxisParam(dims, x.shape)),
);

/** Part of each axis: `size` elements from `begin` on; all of the axes that these leave out. */
function sliced(
  torch: KernelTorch,
  x: Operand,
  shape: readonly number[],
  begin: readonly number[],
  size: readonly number[],
): Operand {
  let part = x;
  size.forEach((length, axis) => {
    if (length !== shape[axis]) part = torch.call("narrow", part, axis, begin[axis], length);
  });
  return part;
}

const slice = defineKernel<tf.SliceInputs, tf.SliceAttrs>(tf.Slice, ({ inputs: { x }, attrs, torch }) => {
  const [begin, size] = tf.slice_util.parseSliceParams(x, attrs.begin, attrs.size);
  tf.slice_util.assertParamsValid(x, begin, size);
  const part = sliced(torch, x, x.shape, begin, size);
  return typeof part === "number" ? torch.keep(part) : torch.share(part);
});

const stridedSlice = defineKernel<tf.StridedSliceInputs, tf.StridedSliceAttrs>(
  tf.StridedSlice,
  ({ inputs: { x }, attrs, torch }) => {
    const { begin, end, strides, finalShape } = tf.slice_util.sliceInfo(
      x.shape,
      attrs.begin,
      attrs.end,
      attrs.strides,
      attrs.beginMask,
      attrs.endMask,
      attrs.ellipsisMask,
      attrs.newAxisMask,
      attrs.shrinkAxisMask,
    );
    let part: Operand = x;
    x.shape.forEach((length, axis) => {
      const stride = strides[axis];
      // Torch walks forwards only: a negative stride is a positive one on the flipped axis.
      const [from, to] =
        stride > 0 ? [begin[axis], end[axis]] : [length - 1 - begin[axis], length - 1 - end[axis]];
      if (stride < 0) part = torch.call("flip", part, [axis]);
      part = torch.call("slice.Tensor", part, axis, from, Math.max(from, to), Math.abs(stride));
    });
    return torch.result("reshape", part, finalShape);
  },
);

const concat = defineKernel<tf.ConcatInputs, tf.ConcatAttrs>(tf.Concat, ({ inputs, attrs, torch }) => {
  const [{ shape, dtype }] = inputs;
  const [axis] = tf.util.parseAxisParam(attrs.axis, shape);
  tf.backend_util.assertParamsConsistent(
    inputs.map((x) => x.shape),
    axis,
  );
  const parts = inputs.map((x) => (x.dtype === dtype ? x : torch.call("to.dtype", x, torch.storage(dtype))));
  return torch.result("cat", parts, axis);
});

const pack = defineKernel<tf.PackInputs, tf.PackAttrs>(tf.Pack, ({ inputs, attrs: { axis }, torch }) => {
  const [{ shape, dtype }] = inputs;
  for (const x of inputs) {
    tf.util.assertShapesMatch(shape, x.shape, "All tensors passed to stack must have matching shapes");
    tf.util.assert(dtype === x.dtype, () => "All tensors passed to stack must have matching dtypes");
  }
  return torch.result("stack", inputs, axis);
});

const unpack = defineKernel<tf.UnpackInputs, tf.UnpackAttrs>(
  tf.Unpack,
  ({ inputs: { value }, attrs: { axis }, torch }) => torch.results("unbind.int", value, axis),
);

const splitV = defineKernel<tf.SplitVInputs, tf.SplitVAttrs>(
  tf.SplitV,
  ({ inputs: { x }, attrs: { numOrSizeSplits, axis }, torch }) => {
    const [dim] = tf.util.parseAxisParam(axis, x.shape);
    const sizes = tf.backend_util.prepareSplitSize(x, numOrSizeSplits, dim);
    return torch.results("split_with_sizes", x, sizes, dim);
  },
);

/** Torch lists paddings from the last axis to the first. */
function torchPadding(paddings: readonly (readonly number[])[]): number[] {
  return [...paddings].reverse().flat();
}

const padV2 = defineKernel<tf.PadV2Inputs, tf.PadV2Attrs>(
  tf.PadV2,
  ({ inputs: { x }, attrs: { paddings, constantValue }, torch }) =>
    torch.result("constant_pad_nd", x, torchPadding(paddings), constantValue),
);

const mirrorPad = defineKernel<tf.MirrorPadInputs, tf.MirrorPadAttrs>(
  tf.MirrorPad,
  ({ inputs: { x }, attrs: { paddings, mode }, torch }) => {
    const edge = mode === "reflect" ? 1 : 0; // how many border elements are not repeated
    let padded: Operand = x;
    paddings.forEach(([before, after], axis) => {
      const length = x.shape[axis];
      const mirrored = (from: number, size: number): Operand =>
        torch.call("flip", torch.call("narrow", padded, axis, from, size), [axis]);
      if (before > 0 || after > 0) {
        const parts = [mirrored(edge, before), padded, mirrored(length - edge - after, after)];
        padded = torch.call("cat", parts, axis);
      }
    });
    return typeof padded === "number" ? torch.keep(padded) : torch.share(padded);
  },
);

const spaceToBatchND = defineKernel<tf.SpaceToBatchNDInputs, tf.SpaceToBatchNDAttrs>(
  tf.SpaceToBatchND,
  ({ inputs: { x }, attrs: { blockShape, paddings }, torch }) => {
    const all = x.shape.map((_, axis) => (axis > 0 && axis <= paddings.length ? paddings[axis - 1] : [0, 0]));
    const padded = torch.call("constant_pad_nd", x, torchPadding(all), 0);
    const shape = x.shape.map((length, axis) => length + all[axis][0] + all[axis][1]);
    const size = tf.util.sizeFromShape(blockShape);
    const { getReshaped, getPermuted, getReshapedPermuted } = tf.backend_util;
    const blocks = getReshaped(shape, blockShape, size, false);
    const order = getPermuted(blocks.length, blockShape.length, false);
    const permuted = torch.call("permute", torch.call("reshape", padded, blocks), order);
    return torch.result("reshape", permuted, getReshapedPermuted(shape, blockShape, size, false));
  },
);

const batchToSpaceND = defineKernel<tf.BatchToSpaceNDInputs, tf.BatchToSpaceNDAttrs>(
  tf.BatchToSpaceND,
  ({ inputs: { x }, attrs: { blockShape, crops }, torch }) => {
    const size = tf.util.sizeFromShape(blockShape);
    const { getReshaped, getPermuted, getReshapedPermuted, getSliceBeginCoords, getSliceSize } =
      tf.backend_util;
    const blocks = getReshaped(x.shape, blockShape, size);
    const order = getPermuted(blocks.length, blockShape.length);
    const permuted = torch.call("permute", torch.call("reshape", x, blocks), order);
    const shape = getReshapedPermuted(x.shape, blockShape, size);
    const whole = torch.call("reshape", permuted, shape);
    const begin = getSliceBeginCoords(crops, blockShape.length);
    const part = sliced(torch, whole, shape, begin, getSliceSize(shape, crops, blockShape.length));
    return torch.result("alias", part);
  },
);

const depthToSpace = defineKernel<tf.DepthToSpaceInputs, tf.DepthToSpaceAttrs>(
  tf.DepthToSpace,
  ({ inputs: { x }, attrs: { blockSize: block, dataFormat }, torch }) => {
    const isNHWC = dataFormat === "NHWC";
    const [batch, height, width, depth] = isNHWC ? x.shape : [0, 2, 3, 1].map((axis) => x.shape[axis]);
    const channels = depth / (block * block);
    const [apart, order, joined] = isNHWC
      ? [
          [batch, height, width, block, block, channels],
          [0, 1, 3, 2, 4, 5],
          [batch, height * block, width * block, channels],
        ]
      : [
          [batch, block, block, channels, height, width],
          [0, 3, 4, 1, 5, 2],
          [batch, channels, height * block, width * block],
        ];
    return torch.result("reshape", torch.call("permute", torch.call("reshape", x, apart), order), joined);
  },
);

/** Tensors in another form: the values stay. */
export const shapeKernels: readonly KernelDefinition[] = [
  identity,
  reshape,
  expandDims,
  transpose,
  broadcastTo,
  tile,
  reverse,
  slice,
  stridedSlice,
  concat,
  pack,
  unpack,
  splitV,
  padV2,
  mirrorPad,
  spaceToBatchND,
  batchToSpaceND,
  depthToSpace,
];
