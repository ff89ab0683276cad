import * as fc from "fast-check";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { useEngine } from "../src/engine.js";
import { completeWasmKernels } from "../src/wasmKernels.js";
import { anyReal, anyTensor, finiteReal, shape, tensor } from "./torch/kernels/arbitrary.js";
import { expectClose, type Plain } from "./torch/kernels/kernelRun.js";

beforeAll(async () => {
  for (const engine of ["cpu", "wasm"] as const) await useEngine({ engine });
});

let before = 0;
beforeEach(() => {
  before = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before);
});

const toTensor = ({ values, shape, dtype }: Plain): tf.Tensor => tf.tensor([...values], [...shape], dtype);

async function on(backend: "wasm" | "cpu", f: () => tf.Tensor): Promise<Plain[]> {
  await tf.setBackend(backend);
  return tf.tidy(() => {
    const x = f();
    return [{ shape: x.shape, dtype: x.dtype, values: [...x.dataSync()] }];
  });
}

/** As on tfjs's cpu backend, but for rounding. */
async function expectSame(f: () => tf.Tensor): Promise<void> {
  expectClose(await on("wasm", f), await on("cpu", f), { ulps: 64, scale: 64 });
}

describe("what tfjs's wasm backend computes wrongly", () => {
  const activations = ["linear", "relu", "relu6", "elu", "sigmoid", "leakyrelu", "prelu"] as const;
  const sizes = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 3, maxLength: 3 });

  test("products with bias and activation, transposed and in batches", async () => {
    const runs = fc
      .record({
        batch: shape({ min: 1, maxRank: 2 }),
        sizes,
        transposeA: fc.boolean(),
        transposeB: fc.boolean(),
        activation: fc.constantFrom(...activations),
        biased: fc.constantFrom("no", "row", "whole"),
      })
      .chain(({ batch, sizes: [rows, inner, columns], ...attrs }) => {
        const { transposeA, transposeB, biased } = attrs;
        const biasShape = biased === "row" ? [columns] : [rows, columns];
        return fc.record({
          attrs: fc.constant(attrs),
          a: tensor([...batch, ...(transposeA ? [inner, rows] : [rows, inner])], "float32", finiteReal),
          b: tensor([...batch, ...(transposeB ? [columns, inner] : [inner, columns])], "float32", finiteReal),
          bias: tensor(biasShape, "float32", finiteReal),
          slopes: tensor([columns], "float32", finiteReal),
        });
      });
    await fc.assert(
      fc.asyncProperty(runs, async ({ a, b, bias, slopes, attrs: { biased, ...attrs } }) => {
        await expectSame(() =>
          tf.fused.matMul({
            a: toTensor(a),
            b: toTensor(b),
            bias: biased === "no" ? undefined : toTensor(bias),
            preluActivationWeights: attrs.activation === "prelu" ? toTensor(slopes) : undefined,
            leakyreluAlpha: 0.3,
            ...attrs,
          }),
        );
      }),
    );
  });

  test("oneHot with values of its own", async () => {
    const runs = fc.record({
      indices: tensor([3], "int32", fc.integer({ min: -1, max: 4 })),
      dtype: fc.constantFrom("float32", "int32", "bool"),
      onValue: fc.integer({ min: -3, max: 3 }),
      offValue: fc.integer({ min: -3, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(runs, ({ indices, dtype, onValue, offValue }) => {
        const [on, off] = dtype === "float32" ? [onValue / 4, offValue / 4] : [onValue, offValue];
        const [one, other] = dtype === "bool" ? [1, 0] : [on, off];
        return expectSame(() => tf.oneHot(toTensor(indices), 4, one, other, dtype));
      }),
    );
  });

  test.each<[string, (x: tf.Tensor4D, filter: tf.Tensor4D, strides: [number, number]) => tf.Tensor]>([
    ["conv2d", (x, filter, strides) => tf.conv2d(x, filter, strides, "same")],
    ["depthwiseConv2d", (x, filter, strides) => tf.depthwiseConv2d(x, filter, strides, "same")],
    [
      "fused.conv2d",
      (x, filter, strides) => tf.fused.conv2d({ x, filter, strides, pad: "same", activation: "relu" }),
    ],
    [
      "fused.depthwiseConv2d",
      (x, filter, strides) =>
        tf.fused.depthwiseConv2d({ x, filter, strides, pad: "same", activation: "relu" }),
    ],
  ])("%s with strides longer than the filter", async (_, convolve) => {
    const pair = (max: number): fc.Arbitrary<[number, number]> =>
      fc.tuple(fc.integer({ min: 1, max }), fc.integer({ min: 1, max }));
    const runs = fc
      .record({ size: pair(7), filter: pair(2), strides: pair(4) })
      .chain(({ size, filter, strides }) =>
        fc.record({
          x: tensor([1, ...size, 2], "float32", finiteReal),
          filter: tensor([...filter, 2, 2], "float32", finiteReal),
          strides: fc.constant(strides),
        }),
      );
    await fc.assert(
      fc.asyncProperty(runs, ({ x, filter, strides }) =>
        expectSame(() => convolve(toTensor(x) as tf.Tensor4D, toTensor(filter) as tf.Tensor4D, strides)),
      ),
    );
  });

  test("reals as truth values", async () => {
    await fc.assert(
      fc.asyncProperty(anyTensor("float32", anyReal, { min: 1, maxRank: 4 }), (x) =>
        expectSame(() => tf.cast(toTensor(x), "bool")),
      ),
    );
  });

  test("clipByValue of what is no number", async () => {
    await fc.assert(
      fc.asyncProperty(anyTensor("float32", anyReal, { min: 1, maxRank: 4 }), (x) =>
        expectSame(() => tf.clipByValue(toTensor(x), -1, 2)),
      ),
    );
  });
});

describe("what tfjs's wasm backend lacks", () => {
  test("nothing but complex numbers", () => {
    const names = (backend: string): string[] =>
      tf.getKernelsForBackend(backend).map(({ kernelName }) => kernelName);
    const here = new Set(names("wasm"));
    expect(
      names("cpu")
        .filter((name) => !here.has(name))
        .sort(),
    ).toEqual([tf.Complex, tf.ComplexAbs, tf.FFT, tf.IFFT, tf.Imag, tf.Real].sort());
  });

  test("completing it twice changes nothing", async () => {
    const functions = (): unknown[] => tf.getKernelsForBackend("wasm").map(({ kernelFunc }) => kernelFunc);
    const once = functions();
    await completeWasmKernels();
    expect(functions()).toEqual(once);
  });

  test("the gradient of a convolution by its filter", async () => {
    const runs = fc
      .record({
        filter: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
        size: fc.tuple(fc.integer({ min: 3, max: 6 }), fc.integer({ min: 3, max: 6 })),
        channels: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
        strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
        pad: fc.constantFrom("same" as const, "valid" as const),
      })
      .chain(({ filter, size, channels: [inputs, outputs], ...attrs }) =>
        fc.record({
          x: tensor([2, ...size, inputs], "float32", finiteReal),
          filter: tensor([...filter, inputs, outputs], "float32", finiteReal),
          attrs: fc.constant(attrs),
        }),
      );
    await fc.assert(
      fc.asyncProperty(runs, ({ x, filter, attrs: { strides, pad } }) =>
        expectSame(() => {
          const image = toTensor(x) as tf.Tensor4D;
          const f = (w: tf.Tensor): tf.Tensor => tf.square(tf.conv2d(image, w as tf.Tensor4D, strides, pad));
          return tf.grad(f)(toTensor(filter));
        }),
      ),
      { numRuns: 50 },
    );
  });

  test.each<[string, () => tf.Tensor]>([
    ["einsum", () => tf.einsum("bi,ij->bj", tf.ones([2, 3]), tf.range(0, 6).reshape([3, 2]))],
    ["segment sums", () => tf.unsortedSegmentSum(tf.range(0, 4), tf.tensor1d([1, 0, -1, 1], "int32"), 2)],
    ["unique", () => tf.unique(tf.tensor1d([3, 1, 3])).values],
  ])("%s", (_, f) => expectSame(f));
});

test("a convolutional model of tf.layers, and one with an embedding, learn", async () => {
  await tf.setBackend("wasm");
  const seeded = (seed: number): object => ({
    kernelInitializer: tfl.initializers.glorotNormal({ seed }),
    depthwiseInitializer: tfl.initializers.glorotNormal({ seed }),
  });
  const images = tfl.sequential({
    layers: [
      tfl.layers.conv2d({
        inputShape: [6, 6, 1],
        filters: 3,
        kernelSize: 3,
        activation: "tanh",
        ...seeded(1),
      }),
      tfl.layers.depthwiseConv2d({ kernelSize: 2, activation: "tanh", ...seeded(2) }),
      tfl.layers.flatten(),
      tfl.layers.dense({ units: 1, ...seeded(3) }),
    ],
  });
  const words = tfl.sequential({
    layers: [
      tfl.layers.embedding({
        inputDim: 4,
        outputDim: 3,
        inputLength: 2,
        embeddingsInitializer: tfl.initializers.randomNormal({ seed: 4 }),
      }),
      tfl.layers.flatten(),
      tfl.layers.dense({ units: 1, ...seeded(5) }),
    ],
  });
  const targets = tf.tensor2d([[1], [-1]]);
  const inputs = [tf.tidy(() => tf.stack([tf.zeros([6, 6, 1]), tf.ones([6, 6, 1])])), tf.tensor2d([[0, 1], [2, 3]], [2, 2], "int32")]; // prettier-ignore
  for (const [i, model] of [images, words].entries()) {
    const optimizer = tf.train.sgd(0.1);
    model.compile({ optimizer, loss: "meanSquaredError" });
    const { history } = await model.fit(inputs[i], targets, { epochs: 20, shuffle: false });
    const losses = history["loss"] as number[];
    expect(losses[19]).toBeLessThan(0.8 * losses[0]);
    model.dispose();
    optimizer.dispose();
  }
  tf.dispose([inputs, targets]);
});
