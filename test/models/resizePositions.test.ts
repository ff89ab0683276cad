import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { useEngine } from "../../src/engine.js";
import { createModel } from "../../src/models/registry.js";
import { type PatchGrid, resizePositions } from "../../src/models/resizePositions.js";
import { sizeOf } from "../../src/shape.js";

interface Case {
  readonly from: PatchGrid;
  readonly to: PatchGrid;
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

test.each(golden.cases)("$from → $to patches, after $prefix: PyTorch's values", (expected) => {
  tf.tidy(() => {
    const { from, to, prefix, positions } = expected;
    const resized = resizePositions(formula(prefix + sizeOf(from)), { from, to, prefix });
    expect(resized.shape).toEqual([1, prefix + sizeOf(to), 2]);
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
    expect(() => resizePositions(positions, { from: 4, to: [2, 0], prefix: 1 })).toThrow(
      "to must be a whole number ≥ 1, or a pair [height, width] of them; got [2,0]",
    );
    expect(() => resizePositions(positions, { from: [3, 5], to: 4, prefix: 1 })).toThrow(
      "shape must be [1, 16, dim]; got [1, 17, 2]",
    );
    expect(() => resizePositions(positions, { from: 4, to: 4, prefix: -1 })).toThrow(
      "prefix must be a whole number ≥ 0",
    );
  });
});

test.each(["token", "mean"] as const)("weights of one image size load into another (%s)", (pooling) => {
  const small = createModel("kat_test_patch7_28", { pooling, seed: 1 });
  const large = createModel("kat_test_patch7_28", { pooling, imageSize: 42 });
  const weights = small.weights();
  expect(() => large.loadWeights(weights)).toThrow("pos_embed: shape must be");
  expect(large.loadWeights(weights, { resizePositions: true })).toMatchObject({
    missing: [],
    unexpected: [],
  });
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

test.each(["token", "mean"] as const)("grids that are no squares load by their sides (%s)", (pooling) => {
  const create = (height: number, width: number) =>
    createModel("kat_test_patch7_28", { pooling, imageSize: [height, width] });
  const [wide, tall, square] = [create(14, 56), create(49, 21), create(28, 28)];
  const prefix = pooling === "token" ? 1 : 0;
  tf.tidy(() => {
    const weights = wide.weights();
    tall.loadWeights(weights, { resizePositions: [2, 8] });
    const given = { from: [2, 8], to: [7, 3], prefix } as const;
    expect(tall.posEmbed.variable.dataSync()).toEqual(resizePositions(weights.pos_embed, given).dataSync());
    expect(tall.forward(tf.zeros([1, 49, 21, 1])).shape).toEqual([1, 10]);
    if (pooling === "token") {
      const [first, own] = [weights.pos_embed, tall.posEmbed.variable].map((positions) =>
        tf.slice(positions, [0, 0, 0], [1, 1, 96]).dataSync(),
      );
      expect(own).toEqual(first);
    }

    // 16 patches: a square of 4, or those of the model itself.
    const squares = square.weights();
    expect(() => wide.loadWeights(squares, { resizePositions: true })).toThrow(
      "resizePositions must be the grid of patches, as these may be 4 × 4 or the model's 2 × 8; got true. Pass [4, 4], or false",
    );
    wide.loadWeights(squares, { resizePositions: [4, 4] });
    expect(wide.posEmbed.variable.dataSync()).toEqual(
      resizePositions(squares.pos_embed, { from: 4, to: [2, 8], prefix }).dataSync(),
    );
    expect(() => tall.loadWeights(squares, { resizePositions: [2, 7] })).toThrow(
      "resizePositions: positions",
    );
  });
  for (const model of [wide, tall, square]) model.dispose();
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
