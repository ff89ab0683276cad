import * as fc from "fast-check";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { useEngine } from "../src/engine.js";
import { createModel, listModels } from "../src/models/registry.js";
import { Random } from "../src/random.js";
import { AdamW } from "../src/training/adamw.js";
import { trainingStep } from "../src/training/step.js";
import { anyTensor, finiteReal, pair, shape, tensor } from "./torch/kernels/arbitrary.js";
import { expectClose, type Inputs, integers, type Plain } from "./torch/kernels/kernelRun.js";

beforeAll(async () => {
  for (const engine of ["cpu", "wasm"] as const) await useEngine({ engine });
});

/** What a tfjs kernel is given. */
interface Call {
  readonly inputs: Inputs;
  readonly attrs?: object;
}

const toTensor = ({ values, shape, dtype }: Plain): tf.Tensor => tf.tensor([...values], [...shape], dtype);

async function run(backend: string, kernelName: string, { inputs, attrs = {} }: Call): Promise<Plain[]> {
  await tf.setBackend(backend);
  return tf.tidy(() => {
    const tensors = Object.fromEntries(Object.entries(inputs).map(([name, x]) => [name, toTensor(x)]));
    const given = Array.isArray(inputs) ? Object.values(tensors) : tensors;
    const results: tf.Tensor | tf.Tensor[] = tf
      .engine()
      .runKernel(kernelName, given as tf.NamedTensorMap, attrs as tf.NamedAttrMap);
    return [results].flat().map((x) => ({ shape: x.shape, dtype: x.dtype, values: [...x.dataSync()] }));
  });
}

const real = anyTensor("float32", finiteReal, { min: 1, maxRank: 4 });
const positive = anyTensor("float32", fc.float({ min: 0.125, max: 8, noNaN: true }), { min: 1, maxRank: 4 });
const nonEmpty = (x: fc.Arbitrary<{ a: Plain; b: Plain }>): fc.Arbitrary<{ a: Plain; b: Plain }> =>
  x.filter(
    ({ a, b }) => a.values.length > 0 && b.values.length > 0 && a.shape.length <= 4 && b.shape.length <= 4,
  );

const unary = (x: fc.Arbitrary<Plain>, attrs: object = {}): fc.Arbitrary<Call> =>
  x.map((x) => ({ inputs: { x }, attrs }));
const binary = (value = finiteReal): fc.Arbitrary<Call> =>
  nonEmpty(pair("float32", value)).map((inputs) => ({ inputs: { ...inputs } }));
const axesOf = (x: Plain): number[] => x.shape.map((_, axis) => axis);
const reduction = (name: string, one = false): fc.Arbitrary<Call> =>
  real.chain((x) =>
    fc
      .record({
        axes: fc.subarray(axesOf(x), one ? { minLength: Math.min(1, x.shape.length) } : {}),
        keepDims: fc.boolean(),
      })
      .map(({ axes, keepDims }) => ({ inputs: { x }, attrs: { [name]: axes, keepDims } })),
  );
const ranked = (minRank: number): fc.Arbitrary<Plain> =>
  anyTensor("float32", finiteReal, { min: 1, minRank, maxRank: 4 });

/** The tfjs kernels that a training step runs on wasm, with what they are given. */
const calls: Record<string, fc.Arbitrary<Call>> = {
  [tf.Add]: binary(),
  [tf.Sub]: binary(),
  [tf.Multiply]: binary(),
  [tf.RealDiv]: binary(fc.float({ min: 0.125, max: 8, noNaN: true })),
  [tf.Minimum]: binary(),
  [tf.GreaterEqual]: binary(),
  [tf.Exp]: unary(real),
  [tf.Erf]: unary(real),
  [tf.Log]: unary(positive),
  [tf.Neg]: unary(real),
  [tf.Sqrt]: unary(positive),
  [tf.Rsqrt]: unary(positive),
  [tf.Square]: unary(real),
  [tf.Step]: unary(real, { alpha: 0 }),
  [tf.Identity]: unary(real),
  [tf.Cast]: fc.oneof(
    unary(real, { dtype: "float32" }),
    unary(anyTensor("int32", fc.integer({ min: -9, max: 9 }), { min: 1, maxRank: 4 }), { dtype: "float32" }),
  ),
  [tf.Sum]: reduction("axis"),
  [tf.Mean]: reduction("axis"),
  [tf.Max]: reduction("reductionIndices"),
  [tf.Softmax]: ranked(1).map((logits) => ({ inputs: { logits }, attrs: { dim: logits.shape.length - 1 } })),
  [tf.Transpose]: shape({ min: 1, maxRank: 5 })
    .chain((shape) => tensor(shape, "float32", finiteReal))
    .chain((x) =>
      fc
        .shuffledSubarray(axesOf(x), { minLength: x.shape.length })
        .map((perm) => ({ inputs: { x }, attrs: { perm } })),
    ),
  [tf.Tile]: ranked(1).chain((x) =>
    fc
      .array(fc.integer({ min: 1, max: 3 }), { minLength: x.shape.length, maxLength: x.shape.length })
      .map((reps) => ({ inputs: { x }, attrs: { reps } })),
  ),
  [tf.PadV2]: ranked(1).chain((x) =>
    fc
      .array(fc.tuple(fc.nat(2), fc.nat(2)), { minLength: x.shape.length, maxLength: x.shape.length })
      .map((paddings) => ({ inputs: { x }, attrs: { paddings, constantValue: 0 } })),
  ),
  [tf.Slice]: ranked(1).chain((x) =>
    fc
      .tuple(
        ...x.shape.map((size) =>
          fc
            .nat(size - 1)
            .chain((begin) => fc.tuple(fc.constant(begin), fc.integer({ min: 1, max: size - begin }))),
        ),
      )
      .map((parts) => ({
        inputs: { x },
        attrs: { begin: parts.map(([begin]) => begin), size: parts.map(([, size]) => size) },
      })),
  ),
  [tf.SplitV]: ranked(1).chain((x) =>
    fc.nat(x.shape.length - 1).chain((axis) =>
      fc.integer({ min: 1, max: x.shape[axis] }).map((first) => ({
        inputs: { x },
        attrs: { numOrSizeSplits: first < x.shape[axis] ? [first, x.shape[axis] - first] : 1, axis },
      })),
    ),
  ),
  [tf.Concat]: ranked(1).chain((x) =>
    fc.nat(x.shape.length - 1).map((axis) => ({ inputs: [x, x, x], attrs: { axis } })),
  ),
  [tf.Pack]: real
    .filter(({ shape }) => shape.length < 4)
    .chain((x) => fc.nat(x.shape.length).map((axis) => ({ inputs: [x, x], attrs: { axis } }))),
  [tf.Unpack]: ranked(1).chain((value) =>
    fc.nat(value.shape.length - 1).map((axis) => ({ inputs: { value }, attrs: { axis } })),
  ),
  [tf.Reshape]: real.map((x) => ({ inputs: { x }, attrs: { shape: [x.values.length] } })),
  [tf.Fill]: shape({ min: 1, maxRank: 4 }).map((shape) => ({
    inputs: {},
    attrs: { shape, value: 0.5, dtype: "float32" },
  })),
  [tf.OneHot]: fc.array(fc.nat(4), { minLength: 1, maxLength: 4 }).map((classes) => ({
    inputs: { indices: integers([classes.length], classes) },
    attrs: { dtype: "int32", depth: 5, onValue: 1, offValue: 0 },
  })),
  [tf.BatchMatMul]: fc
    .record({
      batch: shape({ min: 1, maxRank: 2 }),
      sizes: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 3, maxLength: 3 }),
      transposeA: fc.boolean(),
      transposeB: fc.boolean(),
    })
    .chain(({ batch, sizes: [rows, inner, columns], transposeA, transposeB }) =>
      fc
        .record({
          a: tensor([...batch, ...(transposeA ? [inner, rows] : [rows, inner])], "float32", finiteReal),
          b: tensor([...batch, ...(transposeB ? [columns, inner] : [inner, columns])], "float32", finiteReal),
        })
        .map((inputs) => ({ inputs: { ...inputs }, attrs: { transposeA, transposeB } })),
    ),
};

/** Where results are rounded otherwise: relative to what is computed with, in units in the last place. */
const rounded = { ulps: 64, scale: 64 };

describe("on wasm, what training runs is as on tfjs's cpu backend", () => {
  test.each(Object.keys(calls))("%s", async (kernelName) => {
    await fc.assert(
      fc.asyncProperty(calls[kernelName], async (call) => {
        expectClose(await run("wasm", kernelName, call), await run("cpu", kernelName, call), rounded);
      }),
    );
  });

  test("and nothing else is run", async () => {
    const ran = new Set<string>();
    await useEngine({ engine: "wasm" });
    for (const name of listModels().filter((name) => name.includes("test"))) {
      const { kernelNames } = await tf.profile(() => {
        const random = new Random(1);
        const model = createModel(name, { dropPath: 0.2 });
        const optimizer = new AdamW(model.parameters(), {
          weightDecay: 0.05,
          coefficientWeightDecay: 0.01,
          beta1: 0.9,
          beta2: 0.999,
          epsilon: 1e-8,
        });
        const images = tf.ones<tf.Rank.R4>([2, 28, 28, 1]);
        const labels = tf.tensor1d([0, 1], "int32");
        const loss = trainingStep({
          model,
          optimizer,
          images,
          labels,
          learningRate: 1e-3,
          labelSmoothing: 0.1,
          clipNorm: 1,
          random,
        });
        tf.dispose([loss, images, labels]);
        optimizer.dispose();
        model.dispose();
      });
      kernelNames.forEach((kernelName) => ran.add(kernelName));
    }
    // tfjs also names the scopes of custom gradients.
    const kernels = [...ran].filter((name) => tf.getKernel(name, "wasm") as tf.KernelConfig | undefined);
    expect(kernels.filter((kernelName) => !(kernelName in calls))).toEqual([]);
    expect(kernels.length).toBeGreaterThan(25);
  });
});
