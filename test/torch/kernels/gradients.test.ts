import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  loadAddon,
  registerTorchBackend,
  TorchBackend,
  torchValueAndGrads,
} from "../../../src/torch/backend.js";

const addon = loadAddon();
let backend: TorchBackend;

beforeAll(async () => {
  registerTorchBackend({ name: "torch-float64", float: "float64" });
  await tf.setBackend("torch-float64");
  const current = tf.backend();
  if (!(current instanceof TorchBackend)) throw new Error("no torch backend");
  backend = current;
});

let before = { numTensors: 0, handles: 0 };
beforeEach(() => {
  before = { numTensors: tf.memory().numTensors, handles: addon.live() };
});
afterEach(() => {
  tf.disposeVariables();
  expect({ numTensors: tf.memory().numTensors, handles: addon.live() }).toEqual(before);
});

/** A function of tensors, and their shapes. */
type Case = [name: string, f: (...inputs: tf.Tensor[]) => tf.Tensor | tf.Tensor[], ...shapes: number[][]];

const add = (by: number) => (x: tf.Tensor) => tf.add(x, by);
const as4D = (x: tf.Tensor): tf.Tensor4D => x as tf.Tensor4D;
const as5D = (x: tf.Tensor): tf.Tensor5D => x as tf.Tensor5D;

// Values lie in (0.15, 0.85), all different: no kink, no tie, inside every domain.
const elementwise: Case[] = [
  ["abs", (x) => tf.abs(tf.sub(x, 2)), [5]],
  ["acos", tf.acos, [5]],
  ["acosh", (x) => tf.acosh(add(1)(x)), [5]],
  ["asin", tf.asin, [5]],
  ["asinh", tf.asinh, [5]],
  ["atan", tf.atan, [5]],
  ["atanh", tf.atanh, [5]],
  ["ceil", (x) => tf.ceil(x), [5]],
  ["clipByValue", (x) => tf.clipByValue(x, 0.3, 0.6), [5]],
  ["cos", tf.cos, [5]],
  ["cosh", tf.cosh, [5]],
  ["elu", (x) => tf.elu(tf.sub(x, 0.51)), [5]],
  ["erf", tf.erf, [5]],
  ["exp", tf.exp, [5]],
  ["expm1", tf.expm1, [5]],
  ["floor", tf.floor, [5]],
  ["leakyRelu", (x) => tf.leakyRelu(tf.sub(x, 0.51), 0.25), [5]],
  ["log", tf.log, [5]],
  ["log1p", tf.log1p, [5]],
  ["neg", tf.neg, [5]],
  ["reciprocal", tf.reciprocal, [5]],
  ["relu", (x) => tf.relu(tf.sub(x, 0.51)), [5]],
  ["relu6", (x) => tf.relu6(tf.mul(x, 10)), [5]],
  ["round", tf.round, [5]],
  ["rsqrt", tf.rsqrt, [5]],
  ["selu", (x) => tf.selu(tf.sub(x, 0.51)), [5]],
  ["sigmoid", tf.sigmoid, [5]],
  ["sign", tf.sign, [5]],
  ["sin", tf.sin, [5]],
  ["sinh", tf.sinh, [5]],
  ["softplus", tf.softplus, [5]],
  ["sqrt", tf.sqrt, [5]],
  ["square", tf.square, [5]],
  ["step", (x) => tf.step(tf.sub(x, 0.51), 0.5), [5]],
  ["tan", tf.tan, [5]],
  ["tanh", tf.tanh, [5]],
  ["add", tf.add, [2, 3], [3]],
  ["addN", (a, b) => tf.addN([a, b, a]), [3], [3]],
  ["sub", tf.sub, [2, 3], [2, 1]],
  ["mul", tf.mul, [2, 1], [3]],
  ["div", tf.div, [2, 3], [3]],
  ["maximum", tf.maximum, [5], [5]],
  ["minimum", tf.minimum, [5], [5]],
  ["pow", tf.pow, [2, 3], [3]],
  ["mod", (a, b) => tf.mod(tf.mul(a, 5), b), [2, 3], [3]],
  ["atan2", tf.atan2, [2, 3], [3]],
  ["squaredDifference", tf.squaredDifference, [5], [5]],
  ["prelu", (x, alpha) => tf.prelu(tf.sub(x, 0.51), alpha), [2, 3], [3]],
  ["where", (a, b) => tf.where(tf.tensor1d([1, 0, 1, 1, 0], "bool"), a, b), [5], [5]],
];

const shaping: Case[] = [
  ["reshape", (x) => tf.square(tf.reshape(x, [3, 2])), [2, 3]],
  ["transpose", (x) => tf.square(tf.transpose(x, [1, 0])), [2, 3]],
  ["expandDims", (x) => tf.expandDims(x, 1), [2, 3]],
  ["tile", (x) => tf.square(tf.tile(x, [2, 1])), [2, 3]],
  ["broadcastTo", (x) => tf.square(tf.broadcastTo(x, [2, 3])), [3]],
  ["reverse", (x) => tf.reverse(x, 1), [2, 3]],
  ["slice", (x) => tf.square(tf.slice(x, [0, 1], [2, 2])), [2, 3]],
  ["concat", (a, b) => tf.square(tf.concat([a, b], 1)), [2, 3], [2, 2]],
  ["stack", (a, b) => tf.square(tf.stack([a, b], 1)), [2, 3], [2, 3]],
  ["unstack", (x) => tf.unstack(x, 1), [2, 3]],
  ["split", (x) => tf.split(x, [1, 2], 1), [2, 3]],
  ["pad", (x) => tf.square(tf.pad(x, [[1, 0], [0, 2]])), [2, 3]], // prettier-ignore
  ["mirrorPad", (x) => tf.mirrorPad(x, [[0, 0], [0, 0]], "reflect"), [2, 3]], // prettier-ignore
  ["spaceToBatchND", (x) => tf.spaceToBatchND(x, [2, 2], [[0, 0], [0, 0]]), [1, 2, 2, 1]], // prettier-ignore
  ["batchToSpaceND", (x) => tf.batchToSpaceND(x, [2, 2], [[0, 0], [0, 0]]), [4, 1, 1, 1]], // prettier-ignore
  ["gather", (x) => tf.gather(x, tf.tensor1d([0, 2, 0], "int32"), 1), [2, 3]],
  ["cast", (x) => tf.cast(tf.square(x), "float32"), [3]],
];

const reducing: Case[] = [
  ["sum", (x) => tf.square(tf.sum(x, 1)), [2, 3]],
  ["mean", (x) => tf.square(tf.mean(x, 0, true)), [2, 3]],
  ["prod", (x) => tf.prod(x, 1), [2, 3]],
  ["max", (x) => tf.max(x, 1), [2, 3]],
  ["min", (x) => tf.min(x, [0, 1]), [2, 3]],
  ["cumsum", (x) => tf.cumsum(x, 1, true, true), [2, 3]],
  ["logSumExp", (x) => tf.logSumExp(x, 1), [2, 3]],
  ["softmax", (x) => tf.softmax(x), [2, 3]],
  ["logSoftmax", (x) => tf.logSoftmax(x), [2, 3]],
  [
    "unsortedSegmentSum",
    (x) => tf.square(tf.unsortedSegmentSum(x, tf.tensor1d([1, -1, 1], "int32"), 2)),
    [3, 2],
  ],
  ["matMul", (a, b) => tf.matMul(a, b), [2, 3], [3, 2]],
  ["matMul, transposed, in batches", (a, b) => tf.matMul(a, b, true, true), [2, 3, 2], [2, 2, 3]],
  [
    "fused.matMul",
    (a, b, bias) => tf.fused.matMul({ a: a, b: b, bias, activation: "relu" }),
    [2, 3],
    [3, 2],
    [2],
  ],
  [
    "batchNorm",
    (x, mean, variance, offset, scale) =>
      tf.batchNorm(
        as4D(x),
        mean as tf.Tensor1D,
        variance as tf.Tensor1D,
        offset as tf.Tensor1D,
        scale as tf.Tensor1D,
      ),
    [2, 1, 2, 2],
    [2],
    [2],
    [2],
    [2],
  ],
  ["localResponseNormalization", (x) => tf.localResponseNormalization(as4D(x), 1, 1, 0.5, 0.5), [1, 1, 2, 4]],
];

const spatial: Case[] = [
  ["conv2d", (x, w) => tf.conv2d(as4D(x), as4D(w), 2, "same"), [1, 3, 4, 2], [2, 2, 2, 3]],
  [
    "conv2d, explicit padding",
    (x, w) => tf.conv2d(as4D(x), as4D(w), 1, [[0, 0], [1, 0], [0, 2], [0, 0]]), // prettier-ignore
    [1, 3, 3, 1],
    [2, 2, 1, 2],
  ],
  [
    "conv2dTranspose",
    (x, w) => tf.conv2dTranspose(as4D(x), as4D(w), [1, 4, 4, 2], 2, "same"),
    [1, 2, 2, 3],
    [2, 2, 2, 3],
  ],
  ["depthwiseConv2d", (x, w) => tf.depthwiseConv2d(as4D(x), as4D(w), 1, "same"), [1, 3, 3, 2], [2, 2, 2, 2]],
  [
    "fused.conv2d",
    (x, filter, bias) =>
      tf.fused.conv2d({
        x: as4D(x),
        filter: as4D(filter),
        strides: 1,
        pad: "same",
        bias,
        activation: "relu",
      }),
    [1, 2, 3, 2],
    [2, 2, 2, 2],
    [2],
  ],
  ["conv3d", (x, w) => tf.conv3d(as5D(x), as5D(w), 1, "same"), [1, 2, 2, 3, 1], [2, 1, 2, 1, 2]],
  ["maxPool", (x) => tf.maxPool(as4D(x), 2, 1, "same"), [1, 3, 3, 2]],
  ["avgPool", (x) => tf.avgPool(as4D(x), 2, 1, "same"), [1, 3, 3, 2]],
  ["maxPool3d", (x) => tf.maxPool3d(as5D(x), 2, 1, "same"), [1, 2, 2, 3, 1]],
  ["avgPool3d", (x) => tf.avgPool3d(as5D(x), 2, 1, "same"), [1, 2, 2, 3, 1]],
  ["dilation2d", (x, w) => tf.dilation2d(as4D(x), w as tf.Tensor3D, 1, "same"), [1, 3, 3, 1], [2, 2, 1]],
  ["resizeBilinear", (x) => tf.image.resizeBilinear(as4D(x), [4, 5]), [1, 2, 3, 1]],
  ["resizeNearestNeighbor", (x) => tf.image.resizeNearestNeighbor(as4D(x), [4, 5]), [1, 2, 3, 1]],
];

/** tfjs has no gradient for these, or not for these shapes; torch autograd has. */
const withoutTape: Case[] = [
  ["maximum", tf.maximum, [2, 3], [3]],
  ["minimum", tf.minimum, [2, 3], [3]],
  ["squaredDifference", tf.squaredDifference, [2, 3], [3]],
  [
    "conv2d, dilated",
    (x, w) => tf.conv2d(as4D(x), as4D(w), 1, "valid", "NHWC", 2),
    [1, 3, 4, 1],
    [2, 2, 1, 2],
  ],
  ["einsum", (a, b) => tf.einsum("ij,jk->ik", a, b), [2, 3], [3, 2]],
  ["cumprod", (x) => tf.cumprod(x, 1), [2, 3]],
  ["topk", (x) => tf.topk(x, 2).values, [2, 3]],
  ["stridedSlice", (x) => tf.stridedSlice(x, [0, 2], [2, -4], [1, -2]), [2, 3]],
  ["diag", (x) => tf.diag(x), [3]],
  ["gatherND", (x) => tf.gatherND(x, tf.tensor2d([[1, 2], [0, 1]], [2, 2], "int32")), [2, 3]], // prettier-ignore
  ["scatterND", (x) => tf.square(tf.scatterND(tf.tensor2d([[1], [1]], [2, 1], "int32"), x, [3, 2])), [2, 2]], // prettier-ignore
  ["depthToSpace", (x) => tf.depthToSpace(as4D(x), 2), [1, 1, 1, 4]],
  ["flipLeftRight", (x) => tf.image.flipLeftRight(as4D(x)), [1, 1, 3, 1]],
  ["spectrum", (x) => tf.abs(tf.spectral.rfft(x)), [1, 4]],
  ["mirrorPad", (x) => tf.square(tf.mirrorPad(x, [[1, 0], [2, 1]], "symmetric")), [2, 3]], // prettier-ignore
];

/** Different values in (0.15, 0.85), in no order. */
function values(size: number, seed: number): Float64Array {
  const places = Array.from({ length: size }, (_, i) => ((i + seed) * 0.6180339887498949) % 1);
  return Float64Array.from(places, (place) => 0.15 + 0.7 * place);
}

function tensor(data: Float64Array, shape: number[]): tf.Tensor {
  const dataId = backend.write(data as unknown as Float32Array, shape, "float32");
  return tf.engine().makeTensorFromTensorInfo({ dataId, shape, dtype: "float32" });
}

/** Σ of all outputs, each element weighted by another number. */
function loss([, f]: Case, inputs: tf.Tensor[]): tf.Scalar {
  const outputs = [f(...inputs)].flat();
  const weights = (y: tf.Tensor): tf.Tensor => tf.reshape(tf.linspace(0.5, 1.5, y.size), y.shape);
  const sums = outputs.map((y) => tf.sum(tf.mul(y, weights(y))));
  return tf.addN(sums) as tf.Scalar;
}

function byTorch(run: Case, data: Float64Array[]): number[][] {
  const [, , ...shapes] = run;
  const variables = data.map((list, i) => tf.tidy(() => tf.variable(tensor(list, shapes[i]))));
  const { value, grads } = torchValueAndGrads(() => loss(run, variables), variables);
  const numbers = grads.map((grad) => [...backend.readFloat64(grad)]);
  tf.dispose([value, ...grads, ...variables]);
  return numbers;
}

function byTape(run: Case, data: Float64Array[]): number[][] {
  const [, , ...shapes] = run;
  return tf.tidy(() => {
    const inputs = data.map((list, i) => tensor(list, shapes[i]));
    const grads = tf.grads((...inputs: tf.Tensor[]) => loss(run, inputs))(inputs);
    return grads.map((grad) => [...backend.readFloat64(grad)]);
  });
}

function byDifferences(run: Case, data: Float64Array[]): number[][] {
  const [, , ...shapes] = run;
  const step = 2 ** -18;
  const at = (k: number, i: number, by: number): number =>
    tf.tidy(() => {
      const moved = data.map((list, j) =>
        j === k ? list.map((value, n) => (n === i ? value + by : value)) : list,
      );
      const inputs = moved.map((list, j) => tensor(list, shapes[j]));
      return backend.readFloat64(loss(run, inputs))[0];
    });
  return data.map((list, k) => Array.from(list, (_, i) => (at(k, i, step) - at(k, i, -step)) / (2 * step)));
}

function expectNear(actual: number[][], expected: number[][], tolerance: number): void {
  expect(actual.map(({ length }) => length)).toEqual(expected.map(({ length }) => length));
  actual.forEach((list, k) =>
    list.forEach((value, i) => {
      const bound = tolerance * Math.max(1, Math.abs(expected[k][i]));
      if (!(Math.abs(value - expected[k][i]) <= bound))
        expect.fail(`input ${k}, element ${i}: ${value} instead of ${expected[k][i]}`);
    }),
  );
}

function dataOf([, , ...shapes]: Case): Float64Array[] {
  return shapes.map((shape, i) => values(tf.util.sizeFromShape(shape), 1 + 7 * i));
}

describe("torch autograd agrees with differences and with tfjs's tape", () => {
  test.each([...elementwise, ...shaping, ...reducing, ...spatial].map((run) => [run[0], run] as const))(
    "%s",
    (_, run) => {
      const data = dataOf(run);
      const gradients = byTorch(run, data);
      expectNear(gradients, byDifferences(run, data), 1e-8);
      // The tape's constants pass through float32.
      expectNear(byTape(run, data), gradients, 1e-6);
    },
  );
});

describe("torch autograd agrees with differences where tfjs has no gradient", () => {
  test.each(withoutTape.map((run) => [run[0], run] as const))("%s", (_, run) => {
    const data = dataOf(run);
    expectNear(byTorch(run, data), byDifferences(run, data), 1e-8);
  });
});
