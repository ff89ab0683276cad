import * as fc from "fast-check";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { anyTensor, finiteReal, tensor } from "./arbitrary.js";
import { expectClose, expectSame, onTorch, type Plain, reals } from "./kernelRun.js";

const rounded = { ulps: 8, scale: 1 };

test("Softmax and LogSoftmax, with logits that would overflow", () => {
  const value = fc.oneof(finiteReal, fc.constantFrom(-100, 100, 1e4));
  fc.assert(
    fc.property(anyTensor("float32", value, { minRank: 1, min: 1 }), (logits) => {
      const dim = logits.shape.length - 1;
      expectSame(tf.Softmax, { logits }, { dim }, rounded);
      const [{ values }] = onTorch(tf.Softmax, { logits }, { dim }, "float64");
      const [logarithms] = onTorch(tf.LogSoftmax, { logits }, { axis: dim }, "float64");
      logarithms.values.forEach((y, i) => expect(Math.exp(y)).toBeCloseTo(values[i], 12));
    }),
  );
});

describe("FusedBatchNorm", () => {
  const shape = [2, 2, 3, 2];
  const positive = fc.float({ min: Math.fround(0.1), max: 4, noNaN: true });
  test.each([[[2]], [shape]])("statistics of shape %s", (statistics) => {
    const runs = fc.record({
      x: tensor(shape, "float32", finiteReal),
      mean: tensor(statistics, "float32", finiteReal),
      variance: tensor(statistics, "float32", positive),
      scale: tensor(statistics, "float32", finiteReal),
      offset: tensor(statistics, "float32", finiteReal),
    });
    fc.assert(
      fc.property(runs, fc.boolean(), fc.boolean(), (all, hasScale, hasOffset) => {
        const { scale, offset, ...needed } = all;
        const inputs: Record<string, Plain> = needed;
        if (hasScale) inputs["scale"] = scale;
        if (hasOffset) inputs["offset"] = offset;
        expectSame(tf.FusedBatchNorm, inputs, { varianceEpsilon: 0.001 }, { ulps: 8, scale: 512 });
      }),
      { numRuns: 30 },
    );
  });
});

describe("local response normalisation", () => {
  const attrs = { depthRadius: 1, bias: 1.5, alpha: 0.5, beta: 0.75 };
  test("LRN", () => {
    fc.assert(
      fc.property(tensor([1, 2, 2, 4], "float32", finiteReal), (x) =>
        expectSame(tf.LRN, { x }, attrs, { ulps: 8 }),
      ),
    );
  });
  test("LRNGrad", () => {
    const runs = fc.record({
      x: tensor([1, 1, 2, 4], "float32", finiteReal),
      dy: tensor([1, 1, 2, 4], "float32", finiteReal),
    });
    fc.assert(
      fc.property(runs, ({ x, dy }) => {
        const [y] = onTorch(tf.LRN, { x }, attrs);
        expectSame(tf.LRNGrad, { x, y, dy }, attrs, { ulps: 16, scale: 64 });
      }),
    );
  });
});

test("float64 storage", () => {
  const logits = { shape: [2], dtype: "float32", values: [0, 1e-10] } as const;
  const [softmax] = onTorch(tf.Softmax, { logits }, { dim: 0 }, "float64");
  expectClose([softmax], [{ ...logits, values: [0.5 - 2.5e-11, 0.5 + 2.5e-11] }], { ulps: 2 ** -28 });
  expect(softmax.values).not.toEqual(reals([2], softmax.values).values);
});
