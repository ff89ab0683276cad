import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { useEngine } from "../../src/engine.js";
import { Random } from "../../src/random.js";
import { addonStatus, currentTorchBackend, torchAutocast } from "../../src/torch/backend.js";

/** Values in [0.1, 0.9): where every operator below is smooth. */
function values(...shape: number[]): tf.Tensor {
  const random = new Random(shape.length);
  return tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 0.1 + 0.8 * random.uniform()),
    shape,
  );
}

const integers = (...list: number[]): tf.Tensor1D => tf.tensor1d(list, "int32");
const matrix = (): tf.Tensor2D => values(4, 4) as tf.Tensor2D;
const vector = (length = 6): tf.Tensor1D => values(length) as tf.Tensor1D;
const image = (): tf.Tensor4D => values(2, 4, 4, 3) as tf.Tensor4D;
const filter = (): tf.Tensor4D => values(2, 2, 3, 3) as tf.Tensor4D;
const volume = (): tf.Tensor5D => values(1, 4, 4, 4, 2) as tf.Tensor5D;

const unary: Record<string, (x: tf.Tensor) => tf.TensorContainer> = {
  ...{ abs: tf.abs, acos: tf.acos, asin: tf.asin, asinh: tf.asinh, atan: tf.atan, atanh: tf.atanh },
  ...{ ceil: tf.ceil, cos: tf.cos, cosh: tf.cosh, elu: tf.elu, erf: tf.erf, exp: tf.exp, expm1: tf.expm1 },
  ...{ floor: tf.floor, leakyRelu: tf.leakyRelu, log: tf.log, log1p: tf.log1p, logSigmoid: tf.logSigmoid },
  ...{ neg: tf.neg, reciprocal: tf.reciprocal, relu: tf.relu, relu6: tf.relu6, round: tf.round },
  ...{ rsqrt: tf.rsqrt, selu: tf.selu, sigmoid: tf.sigmoid, sign: tf.sign, sin: tf.sin, sinh: tf.sinh },
  ...{ softplus: tf.softplus, sqrt: tf.sqrt, square: tf.square, step: tf.step, tan: tf.tan, tanh: tf.tanh },
  ...{ isFinite: tf.isFinite, isInf: tf.isInf, isNaN: tf.isNaN, softmax: tf.softmax },
  ...{ sum: tf.sum, mean: tf.mean, prod: tf.prod, max: tf.max, min: tf.min, cumsum: tf.cumsum },
  ...{ cumprod: tf.cumprod, logSumExp: tf.logSumExp, norm: tf.norm, topk: tf.topk, reverse: tf.reverse },
  ...{ transpose: tf.transpose, unstack: tf.unstack, tile: (x: tf.Tensor) => tf.tile(x, [2, 1]) },
  ...{
    onesLike: tf.onesLike,
    zerosLike: tf.zerosLike,
    pad: (x: tf.Tensor) =>
      tf.pad(x, [
        [1, 1],
        [0, 0],
      ]),
  },
};

const binary: Record<string, (a: tf.Tensor, b: tf.Tensor) => tf.Tensor> = {
  ...{ add: tf.add, sub: tf.sub, mul: tf.mul, div: tf.div, divNoNan: tf.divNoNan, maximum: tf.maximum },
  ...{ minimum: tf.minimum, mod: tf.mod, pow: tf.pow, squaredDifference: tf.squaredDifference },
  ...{ atan2: tf.atan2, prelu: tf.prelu, matMul: tf.matMul, greater: tf.greater, equal: tf.equal },
};

const others: Record<string, () => tf.TensorContainer> = {
  where: () => tf.where(tf.greater(matrix(), 0.5), matrix(), tf.neg(matrix())),
  clipByValue: () => tf.clipByValue(matrix(), 0.2, 0.8),
  concat: () => tf.concat([matrix(), matrix()]),
  split: () => tf.split(matrix(), 2),
  slice: () => tf.slice(matrix(), [0, 1], [2, 2]),
  stridedSlice: () => tf.stridedSlice(matrix(), [0, 0], [4, 4], [2, 1]),
  mirrorPad: () =>
    tf.mirrorPad(
      matrix(),
      [
        [1, 1],
        [0, 0],
      ],
      "reflect",
    ),
  gather: () => tf.gather(matrix(), integers(2, 0)),
  gatherND: () => tf.gatherND(matrix(), tf.tensor2d([[0, 1]], [1, 2], "int32")),
  scatterND: () => tf.scatterND(tf.tensor2d([[0], [1]], [2, 1], "int32"), vector(2), [4]),
  tensorScatterUpdate: () => tf.tensorScatterUpdate(vector(), tf.tensor2d([[0]], [1, 1], "int32"), vector(1)),
  sparseToDense: () => tf.sparseToDense(integers(1, 2), vector(2), [4]),
  unsortedSegmentSum: () => tf.unsortedSegmentSum(vector(), integers(0, 0, 1, 1, 2, 2), 3),
  bincount: () => tf.bincount(integers(0, 1, 1), vector(3), 3),
  searchSorted: () => tf.searchSorted(vector(), vector()),
  einsum: () => tf.einsum("ij,jk->ik", matrix(), matrix()),
  diag: () => tf.diag(vector()),
  bandPart: () => tf.linalg.bandPart(matrix(), 1, 1),
  fusedMatMul: () => tf.fused.matMul({ a: matrix(), b: matrix(), bias: vector(4), activation: "relu" }),
  conv2d: () => tf.conv2d(image(), filter(), 1, "same"),
  fusedConv2d: () =>
    tf.fused.conv2d({ x: image(), filter: filter(), strides: 1, pad: "same", bias: vector(3) }),
  depthwiseConv2d: () => tf.depthwiseConv2d(image(), filter(), 1, "same"),
  conv2dTranspose: () => tf.conv2dTranspose(image(), filter(), [2, 4, 4, 3], 1, "same"),
  conv3d: () => tf.conv3d(volume(), values(2, 2, 2, 2, 2) as tf.Tensor5D, 1, "same"),
  maxPool: () => tf.maxPool(image(), 2, 2, "same"),
  avgPool: () => tf.avgPool(image(), 2, 2, "same"),
  maxPool3d: () => tf.maxPool3d(volume(), 2, 2, "same"),
  avgPool3d: () => tf.avgPool3d(volume(), 2, 2, "same"),
  dilation2d: () => tf.dilation2d(image(), values(2, 2, 3) as tf.Tensor3D, 1, "same"),
  batchNorm: () => tf.batchNorm(image(), tf.zeros([3]), tf.ones([3])),
  localResponseNormalization: () => tf.localResponseNormalization(image()),
  resizeBilinear: () => tf.image.resizeBilinear(image(), [6, 6]),
  resizeNearestNeighbor: () => tf.image.resizeNearestNeighbor(image(), [6, 6]),
  flipLeftRight: () => tf.image.flipLeftRight(image()),
  rotateWithOffset: () => tf.image.rotateWithOffset(image(), 0.3),
  transform: () => tf.image.transform(image(), tf.tensor2d([[1, 0, 0, 0, 1, 0, 0, 0]])),
  cropAndResize: () => tf.image.cropAndResize(image(), tf.tensor2d([[0, 0, 1, 1]]), integers(0), [3, 3]),
  depthToSpace: () => tf.depthToSpace(values(1, 2, 2, 4) as tf.Tensor4D, 2),
  spaceToBatchND: () =>
    tf.spaceToBatchND(
      image(),
      [2, 2],
      [
        [0, 0],
        [0, 0],
      ],
    ),
  batchToSpaceND: () =>
    tf.batchToSpaceND(
      values(4, 2, 2, 3),
      [2, 2],
      [
        [0, 0],
        [0, 0],
      ],
    ),
  fft: () => tf.abs(tf.spectral.fft(tf.complex(vector(), vector()))),
  range: () => tf.range(0, 600),
};

const cases: [name: string, f: () => tf.TensorContainer][] = [
  ...Object.entries(unary).map(([name, f]): [string, () => tf.TensorContainer] => [name, () => f(matrix())]),
  ...Object.entries(binary).map(([name, f]): [string, () => tf.TensorContainer] => [
    name,
    () => f(matrix(), tf.transpose(matrix())),
  ]),
  ...Object.entries(others),
];

describe.skipIf(!addonStatus().available)("operators inside autocast under bfloat16", () => {
  beforeAll(async () => {
    await useEngine({ engine: "torch", device: "cpu", precision: "bfloat16" });
  });
  afterAll(async () => {
    await useEngine({ engine: "torch", device: "cpu" });
  });

  test.each(cases)("%s is near its float32 value", (_, f) => {
    tf.tidy(() => {
      const wide = numbers(f());
      const narrow = numbers(torchAutocast(currentTorchBackend("test"), f));
      expect(narrow).toHaveLength(wide.length);
      const errors = wide.map((value, i) => Math.abs(value - narrow[i]) / (1 + Math.abs(value)));
      expect(Math.max(...errors)).toBeLessThan(0.02);
    });
  });
});

function numbers(container: tf.TensorContainer): number[] {
  if (container instanceof tf.Tensor) return [...container.dataSync<"float32">()];
  return Object.values(container as object).flatMap(numbers);
}
