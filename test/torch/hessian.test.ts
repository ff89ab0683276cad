import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Hessian, hessianAt } from "../../src/autodiff/hessianAt.js";
import { jvp } from "../../src/autodiff/jvp.js";
import { KatlabError } from "../../src/errors.js";
import { Random } from "../../src/random.js";
import {
  currentTorchBackend,
  defineKernel,
  fusedAdamW,
  loadAddon,
  registerTorchBackend,
  type TorchBackend,
  torchAutocast,
  torchValueAndGrads,
} from "../../src/torch/backend.js";

const addon = loadAddon();
const name = "torch-cpu-float64";
registerTorchBackend({ name, device: "cpu", float: "float64" });

let backend: TorchBackend;
beforeAll(async () => {
  await tf.setBackend(name);
  backend = currentTorchBackend("test");
});

let before = { numTensors: 0, handles: 0 };
const counts = (): typeof before => ({ numTensors: tf.memory().numTensors, handles: addon.live() });
beforeEach(() => {
  before = counts();
});
afterEach(() => {
  tf.disposeVariables();
  expect(counts()).toEqual(before);
  expect(addon.gradMode(false)).toBe(false);
  expect(backend.derivatives).toBe(0);
});

const exactly = (tensor: tf.Tensor): number[] => [...backend.readFloat64(tensor)];
const variable = (values: number[], shape: number[] = [values.length]): tf.Variable =>
  tf.tidy(() => tf.variable(tf.tensor(values, shape)));

/** In (0.2, 0.8): inside every function's domain, and away from where it has no derivative. */
function between(random: Random, shape: readonly number[]): tf.Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Array.from({ length: size }, () => 0.2 + 0.6 * random.uniform()),
    [...shape],
  );
}

/** Shapes of the variables, and a function of them. */
type Case = readonly [shapes: readonly (readonly number[])[], f: (...x: tf.Tensor[]) => tf.Tensor];

const unary = (f: (x: tf.Tensor) => tf.Tensor): Case => [[[2, 3]], f];
const binary = (f: (x: tf.Tensor, y: tf.Tensor) => tf.Tensor): Case => [[[2, 3], [3]], f];
const image = (f: (x: tf.Tensor4D) => tf.Tensor): Case => [[[2, 6, 6, 2]], (x) => f(x as tf.Tensor4D)];
const volume = (f: (x: tf.Tensor5D) => tf.Tensor): Case => [[[1, 4, 4, 4, 2]], (x) => f(x as tf.Tensor5D)];
const indices = (values: number[], shape: number[]): tf.Tensor => tf.tensor(values, shape, "int32");

const cases: Record<string, Case> = {
  ...Object.fromEntries(
    (
      [
        ...([
          "abs",
          "acos",
          "asin",
          "asinh",
          "atan",
          "atanh",
          "ceil",
          "cos",
          "cosh",
          "elu",
          "erf",
          "exp",
        ] as const),
        ...([
          "expm1",
          "floor",
          "leakyRelu",
          "log",
          "log1p",
          "logSigmoid",
          "neg",
          "reciprocal",
          "relu",
        ] as const),
        ...([
          "relu6",
          "round",
          "rsqrt",
          "selu",
          "sigmoid",
          "sign",
          "sin",
          "sinh",
          "softplus",
          "sqrt",
        ] as const),
        ...(["square", "step", "tan", "tanh"] as const),
      ] as const
    ).map((name) => [name, unary((x) => tf.mul(x, tf[name](x)))] as const),
  ),
  "selu, elu, leakyRelu below 0": unary((x) =>
    tf.addN([tf.selu, tf.elu, tf.leakyRelu].map((f) => f(tf.neg(x)))),
  ),
  acosh: unary((x) => tf.acosh(tf.add(x, 1.5))),
  clipByValue: unary((x) => tf.square(tf.clipByValue(x, 0.3, 0.6))),
  prelu: binary((x, alpha) => tf.prelu(tf.sub(x, 0.5), alpha)),

  add: binary(tf.add),
  sub: binary(tf.sub),
  mul: binary(tf.mul),
  div: binary(tf.div),
  divNoNan: binary(tf.divNoNan),
  pow: binary(tf.pow),
  maximum: binary(tf.maximum),
  minimum: binary(tf.minimum),
  squaredDifference: binary(tf.squaredDifference),
  atan2: binary(tf.atan2),
  mod: binary(tf.mod),
  floorDiv: binary((x, y) => tf.mul(tf.floorDiv(x, y), tf.mul(x, y))),
  where: binary((x, y) => tf.where(tf.greater(x, y), tf.square(x), tf.add(x, y))),

  sum: unary((x) => tf.sum(tf.square(x), 0)),
  mean: unary((x) => tf.mean(tf.square(x), 1, true)),
  max: unary((x) => tf.max(tf.square(x), 1)),
  min: unary((x) => tf.min(tf.square(x), 0)),
  prod: unary((x) => tf.prod(x, 1)),
  cumsum: unary((x) => tf.cumsum(tf.square(x), 1)),
  cumprod: unary((x) => tf.cumprod(x, 1)),
  logSumExp: unary((x) => tf.logSumExp(x, 1)),
  softmax: unary((x) => tf.softmax(x)),
  logSoftmax: unary((x) => tf.logSoftmax(x)),
  norm: unary((x) => tf.norm(x, 2, 1)),
  moments: unary((x) => tf.moments(x, 1).variance),
  topk: unary((x) => tf.topk(tf.square(x), 2).values),

  reshape: unary((x) => tf.square(tf.reshape(x, [3, 2]))),
  transpose: unary((x) => tf.matMul(tf.transpose(x), x)),
  slice: unary((x) => tf.square(tf.slice(x, [0, 1], [2, 1]))),
  stridedSlice: unary((x) => tf.square(tf.stridedSlice(x, [0, 0], [2, 3], [1, 2]))),
  "concat, split, stack, unstack": unary((x) => {
    const [a, b] = tf.unstack(x);
    const [c, d, e] = tf.split(tf.concat([a, b]), 3);
    return tf.mul(tf.stack([c, d]), e);
  }),
  gather: unary((x) => tf.square(tf.gather(x, tf.tensor1d([2, 0, 2], "int32"), 1))),
  gatherND: unary((x) => tf.square(tf.gatherND(x, indices([0, 1, 1, 2], [2, 2])))),
  scatterND: unary((x) => tf.square(tf.scatterND(indices([0, 0], [2, 1]), x, [3, 3]))),
  tensorScatterUpdate: unary((x) =>
    tf.square(tf.tensorScatterUpdate(x, indices([1], [1, 1]), tf.square(tf.slice(x, 0, 1)))),
  ),
  unsortedSegmentSum: unary((x) => tf.square(tf.unsortedSegmentSum(x, tf.tensor1d([1, 1], "int32"), 2))),
  tile: unary((x) => tf.square(tf.sum(tf.tile(x, [2, 2]), 1))),
  broadcastTo: binary((x, y) => tf.square(tf.add(tf.broadcastTo(y, [2, 3]), x))),
  pad: unary((x) =>
    tf.square(
      tf.pad(
        x,
        [
          [1, 0],
          [0, 2],
        ],
        0.5,
      ),
    ),
  ),
  mirrorPad: unary((x) =>
    tf.square(
      tf.mirrorPad(
        x,
        [
          [1, 0],
          [0, 1],
        ],
        "reflect",
      ),
    ),
  ),
  reverse: unary((x) => tf.mul(x, tf.reverse(x, 1))),
  "batchToSpaceND, spaceToBatchND": image((x) =>
    tf.square(
      tf.batchToSpaceND(
        tf.square(
          tf.spaceToBatchND(
            x,
            [2, 2],
            [
              [0, 0],
              [0, 0],
            ],
          ),
        ),
        [2, 2],
        [
          [0, 0],
          [1, 1],
        ],
      ),
    ),
  ),
  depthToSpace: [[[1, 2, 2, 4]], (x) => tf.square(tf.depthToSpace(x as tf.Tensor4D, 2))],
  bandPart: [[[3, 3]], (x) => tf.square(tf.linalg.bandPart(x, 1, 0))],

  matMul: [
    [
      [2, 3],
      [4, 3],
    ],
    (x, y) => tf.matMul(x, y, false, true),
  ],
  "matMul, batched": [
    [
      [2, 2, 3],
      [1, 3, 4],
    ],
    (x, y) => tf.matMul(x, y),
  ],
  "fused.matMul": [
    [[2, 3], [3, 4], [4]],
    (a, b, bias) =>
      tf.fused.matMul({
        a: a,
        b: b,
        bias: bias,
        activation: "relu",
      }),
  ],
  einsum: [
    [
      [2, 3],
      [3, 2],
    ],
    (x, y) => tf.einsum("ij,jk->ik", x, y),
  ],
  outerProduct: [[[3], [2]], (x, y) => tf.outerProduct(x as tf.Tensor1D, y as tf.Tensor1D)],
  qr: [[[3, 3]], (x) => tf.linalg.qr(tf.add(x, tf.eye(3)))[1]],

  conv1d: [
    [
      [1, 6, 2],
      [3, 2, 2],
    ],
    (x, w) => tf.conv1d(x as tf.Tensor3D, w as tf.Tensor3D, 1, "same"),
  ],
  conv2d: [
    [
      [1, 5, 5, 2],
      [3, 3, 2, 2],
    ],
    (x, w) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 2, "same"),
  ],
  "fused.conv2d": [
    [[1, 4, 4, 2], [2, 2, 2, 3], [3]],
    (x, filter, bias) =>
      tf.fused.conv2d({
        x: x as tf.Tensor4D,
        filter: filter as tf.Tensor4D,
        bias,
        strides: 1,
        pad: "valid",
        activation: "sigmoid",
      }),
  ],
  conv2dTranspose: [
    [
      [1, 3, 3, 2],
      [3, 3, 1, 2],
    ],
    (x, w) => tf.conv2dTranspose(x as tf.Tensor4D, w as tf.Tensor4D, [1, 6, 6, 1], 2, "same"),
  ],
  depthwiseConv2d: [
    [
      [1, 4, 4, 2],
      [3, 3, 2, 2],
    ],
    (x, w) => tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "same"),
  ],
  separableConv2d: [
    [
      [1, 4, 4, 2],
      [3, 3, 2, 1],
      [1, 1, 2, 3],
    ],
    (x, d, p) => tf.separableConv2d(x as tf.Tensor4D, d as tf.Tensor4D, p as tf.Tensor4D, 1, "same"),
  ],
  conv3d: [
    [
      [1, 3, 3, 3, 1],
      [2, 2, 2, 1, 2],
    ],
    (x, w) => tf.conv3d(x as tf.Tensor5D, w as tf.Tensor5D, 1, "same"),
  ],
  dilation2d: [
    [
      [1, 4, 4, 2],
      [2, 2, 2],
    ],
    (x, w) => tf.square(tf.dilation2d(x as tf.Tensor4D, w as tf.Tensor3D, 1, "same")),
  ],
  maxPool: image((x) => tf.maxPool(tf.square(x), 2, 2, "valid")),
  avgPool: image((x) => tf.square(tf.avgPool(x, 3, 2, "same"))),
  maxPool3d: volume((x) => tf.maxPool3d(tf.square(x), 2, 2, "same")),
  avgPool3d: volume((x) => tf.square(tf.avgPool3d(x, 2, 1, "same"))),
  localResponseNormalization: image((x) => tf.localResponseNormalization(x, 2)),
  batchNorm: [
    [[2, 3], [3], [3], [3], [3]],
    (x, mean, variance, offset, scale) => tf.batchNorm(x, mean, variance, offset, scale),
  ],
  resizeBilinear: image((x) => tf.square(tf.image.resizeBilinear(x, [4, 9]))),
  resizeNearestNeighbor: image((x) => tf.square(tf.image.resizeNearestNeighbor(x, [9, 4]))),
  "fft, ifft": [
    [[8]],
    (x) => tf.square(tf.real(tf.spectral.ifft(tf.square(tf.spectral.fft(tf.complex(x, tf.square(x))))))),
  ],
  "rfft, irfft": [[[8]], (x) => tf.square(tf.spectral.irfft(tf.spectral.rfft(tf.square(x))))],
  complexAbs: [[[3], [3]], (x, y) => tf.abs(tf.complex(x, y))],
  cast: unary((x) => tf.square(tf.cast(x, "float32"))),
  customGrad: unary((x) =>
    tf.customGrad((y) => ({
      value: tf.square(y as tf.Tensor),
      gradFunc: () => tf.zerosLike(y as tf.Tensor),
    }))(x),
  ),
};

describe("products in float64 are the central differences of gradients", () => {
  test.each(Object.keys(cases))("%s", (name) => {
    const [shapes, f] = cases[name];
    const random = new Random(3);
    tf.tidy(() => {
      const variables = shapes.map((shape) => tf.variable(between(random, shape)));
      const vectors = shapes.map((shape) => tf.sub(between(random, shape), 0.5));
      // A curved function of the result, so that the operator's own first derivative counts twice.
      const loss = (): tf.Scalar => tf.sum(tf.sin(tf.mul(f(...variables), 1.5)));
      const start = variables.map((each) => tf.clone(each));
      const moved = <T>(distance: number, run: () => T): T => {
        variables.forEach((each, i) => each.assign(tf.add(start[i], tf.mul(vectors[i], distance))));
        const result = run();
        variables.forEach((each, i) => each.assign(start[i]));
        return result;
      };
      const h = 2 ** -18;
      const differences = (values: () => number[][]): number[][] => {
        const [above, below] = [h, -h].map((distance) => moved(distance, values));
        return above.map((numbers, i) => numbers.map((value, j) => (value - below[i][j]) / (2 * h)));
      };
      const hessian = hessianAt(loss, variables);
      const { products } = hessian.times(vectors);
      hessian.dispose();
      const slopes = differences(() => torchValueAndGrads(loss, variables).grads.map(exactly));
      const { tangent } = jvp(() => f(...variables), variables, vectors);
      const [direction] = differences(() => [exactly(f(...variables))]);
      const pairs = [
        ...products.map((product, i) => [exactly(product), slopes[i]]),
        [exactly(tangent), direction],
      ];
      for (const [exact, difference] of pairs) {
        expect(exact).toHaveLength(difference.length);
        const size = Math.max(1, ...difference.map(Math.abs));
        exact.forEach((value, j) => expect(Math.abs(value - difference[j]) / size).toBeLessThan(1e-7));
      }
      tf.dispose(variables);
    });
  });
});

const cubes = (x: tf.Tensor): tf.Scalar => tf.sum(tf.pow(x, 3));

/** What f was refused with. */
function refusal(f: () => unknown): KatlabError {
  try {
    f();
  } catch (error) {
    if (error instanceof KatlabError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

test("an operator without second derivative is named, and first derivatives go through it", () => {
  const fast = defineKernel<{ x: tf.TensorInfo }>("FastAttention", ({ inputs: { x }, torch }) =>
    torch.result("_scaled_dot_product_flash_attention_for_cpu", x, x, x),
  );
  tf.registerKernel({ ...fast, backendName: name });
  const x = variable([0.5, 1, 1.5, 2], [1, 1, 2, 2]);
  const v = tf.onesLike(x);
  const f = (): tf.Scalar => tf.sum(tf.square(tf.engine().runKernel<tf.Tensor>("FastAttention", { x })));
  const { value, grads } = torchValueAndGrads(f, [x]);
  expect(exactly(grads[0]).every((slope) => Number.isFinite(slope) && slope !== 0)).toBe(true);

  const hessian = hessianAt(f, [x]);
  const { code, message, cause } = refusal(() => hessian.times([v]));
  expect(code).toBe("unavailable");
  expect(message).toBe(
    "hessianAt: every operator of f must have the derivatives that are asked for; got torch's " +
      "_scaled_dot_product_flash_attention_for_cpu_backward, which lacks one. Compute f by other operators.",
  );
  expect(cause).toBeInstanceOf(Error);
  hessian.dispose();
  tf.unregisterKernel("FastAttention", name);
  tf.dispose([v, value, grads]);
});

describe("the point of a Hessian stays", () => {
  test("when an optimizer writes the variables in place", () => {
    const x = variable([1, 2]);
    const v = tf.tensor1d([1, 1]);
    const hessian = hessianAt(() => cubes(x), [x]);
    const [means, variances, steps] = [tf.zerosLike(x), tf.zerosLike(x), tf.scalar(0)];
    for (let step = 0; step < 3; step++) {
      fusedAdamW({
        parameters: [x],
        gradients: [...hessian.grads],
        means: [means],
        variances: [variances],
        steps: [steps],
        ...{ learningRate: 0.5, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0 },
      });
    }
    expect(x.dataSync()[0]).toBeLessThan(0);
    const { products } = hessian.times([v]);
    expect(exactly(products[0])).toEqual([6, 12]);
    hessian.dispose();
    tf.dispose([v, means, variances, steps, products]);
  });

  test("inside tf.tidy, and when the variables are gone", () => {
    const x = variable([1, 2]);
    const made: Hessian[] = [];
    tf.tidy(() => {
      made.push(hessianAt(() => cubes(x), [x]));
    });
    const [hessian] = made;
    x.dispose();
    const v = tf.tensor1d([1, 1]);
    const { products } = hessian.times([v]);
    expect(exactly(hessian.value)).toEqual([9]);
    expect(exactly(products[0])).toEqual([6, 12]);
    hessian.dispose();
    tf.dispose([v, products]);
  });

  test("and the variables keep the storage they had", () => {
    const x = variable([1, 2]);
    const handle = backend.handle(x);
    hessianAt(() => cubes(x), [x]).dispose();
    expect(backend.handle(x)).toBe(handle);
    expect(addon.requiresGrad(handle)).toBe(false);
  });
});

describe("full precision", () => {
  const narrow = (run: (narrowed: TorchBackend) => void): void => {
    const float32 = currentTorchBackend("test");
    float32.precision = "bfloat16";
    try {
      run(float32);
      expect(float32.precision).toBe("bfloat16");
      expect(float32.autocast).toBeUndefined();
    } finally {
      float32.precision = "float32";
    }
  };
  beforeAll(() => {
    registerTorchBackend({ name: "torch-cpu-float32", device: "cpu" });
  });
  beforeEach(async () => {
    await tf.setBackend("torch-cpu-float32");
  });
  afterEach(async () => {
    await tf.setBackend(name);
  });

  test("inside autocast, and where f asks for it", () => {
    const x = variable([1.001, 2.003]);
    const v = tf.tensor1d([1, 1]);
    const product = (): number[] => {
      const hessian = hessianAt(
        () => tf.tidy(() => torchAutocast(currentTorchBackend("test"), () => cubes(tf.square(x)), [x])),
        [x],
      );
      const { products } = hessian.times([v]);
      const numbers = [...products[0].dataSync()];
      hessian.dispose();
      products[0].dispose();
      return numbers;
    };
    const wide = product();
    narrow((float32) => {
      expect(product()).toEqual(wide);
      const inside: number[][] = [];
      tf.dispose(
        torchAutocast(float32, () => {
          inside.push(product());
          return tf.scalar(0);
        }),
      );
      expect(inside).toEqual([wide]);
    });
    v.dispose();
  });

  test("ends when f throws", () => {
    const x = variable([1, 2]);
    narrow(() => {
      expect(() =>
        hessianAt(() => {
          throw new RangeError("from f");
        }, [x]),
      ).toThrow(new RangeError("from f"));
    });
  });
});
