import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { useEngine } from "../../src/engine.js";
import { createModel } from "../../src/models/registry.js";
import { resizePositions } from "../../src/models/resizePositions.js";

interface Case {
  readonly from: number;
  readonly to: number;
  readonly prefix: number;
  readonly positions: readonly number[];
}
const golden = JSON.parse(
  readFileSync(new URL("../golden/models/positions.json", import.meta.url), "utf8"),
) as {
  cases: readonly Case[];
};

let before: number;
beforeAll(() => useEngine({ engine: "cpu" }));
beforeEach(() => {
  before = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before);
});

/** The positions of golden/models/positions.py. */
function formula(tokens: number): tf.Tensor3D {
  const values = Float32Array.from({ length: 2 * tokens }, (_, i) => Math.sin(0.37 * i ** 1.5));
  return tf.tensor3d(values, [1, tokens, 2]);
}

test.each(golden.cases)("$from → $to patches a side, after $prefix: PyTorch's values", (expected) => {
  tf.tidy(() => {
    const { from, to, prefix, positions } = expected;
    const resized = resizePositions(formula(prefix + from ** 2), { from, to, prefix });
    expect(resized.shape).toEqual([1, prefix + to ** 2, 2]);
    const values = resized.dataSync();
    positions.forEach((value, i) => expect(Math.abs(values[i] - value)).toBeLessThan(1e-7));
  });
});

test("a constant stays that constant, the same size the same bits", () => {
  tf.tidy(() => {
    const constant = resizePositions(tf.fill([1, 26, 3], 0.5), { from: 5, to: 9, prefix: 1 });
    for (const value of constant.dataSync()) expect(value).toBeCloseTo(0.5, 7);
    const positions = formula(17);
    expect(resizePositions(positions, { from: 4, to: 4, prefix: 1 }).dataSync()).toEqual(
      positions.dataSync(),
    );
  });
});

test("other numbers of positions, and sizes that are none, are refused", () => {
  tf.tidy(() => {
    const positions = formula(17);
    expect(() => resizePositions(positions, { from: 4, to: 5, prefix: 0 })).toThrow(
      "resizePositions: positions: shape must be [1, 16, dim]; got [1, 17, 2]",
    );
    expect(() => resizePositions(positions, { from: 4, to: 0, prefix: 1 })).toThrow(
      "to must be a whole number ≥ 1",
    );
  });
});

test.each(["token", "mean"] as const)("weights of one image size load into another (%s)", (pooling) => {
  const small = createModel("kat_test_patch7_28", { pooling, seed: 1 });
  const large = createModel("kat_test_patch7_28", { pooling, imageSize: 42 });
  const weights = small.weights();
  expect(() => large.loadWeights(weights)).toThrow("pos_embed: shape must be");
  expect(large.loadWeights(weights, { resizePositions: true })).toEqual({ missing: [], unexpected: [] });
  tf.tidy(() => {
    const prefix = pooling === "token" ? 1 : 0;
    expect(large.posEmbed.variable.dataSync()).toEqual(
      resizePositions(weights.pos_embed, { from: 4, to: 6, prefix }).dataSync(),
    );
    expect(large.head.weight.variable.dataSync()).toEqual(small.head.weight.variable.dataSync());
    expect(large.forward(tf.zeros([1, 42, 42, 1])).shape).toEqual([1, 10]);
  });
  small.dispose();
  large.dispose();
});

test("positions that are not a square stay refused by their shape", () => {
  const model = createModel("kat_test_patch7_28");
  tf.tidy(() => {
    const load = (): unknown => {
      return model.loadWeights(
        { pos_embed: tf.zeros([1, 12, 96]) },
        { strict: false, resizePositions: true },
      );
    };
    expect(load).toThrow("pos_embed: shape must be [batch 1, tokens 17, dim 96]; got [1, 12, 96]");
  });
  model.dispose();
});
