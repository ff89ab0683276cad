import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { useEngine } from "../../src/engine.js";
import { layerNorm } from "../../src/ops/layerNorm.js";
import { type Numbers, testOperator } from "./operatorSuite.js";

const cases = [
  [[3, 5], [5], [5]],
  [[2, 3, 8], [8], [8]],
  [[7], [7], [7]],
  [[2, 2, 2, 6], [6], [6]],
];

for (const epsilon of [undefined, 0.1]) {
  testOperator({
    name: `layerNorm, epsilon ${epsilon ?? "by default"}`,
    kernel: "LayerNorm",
    cases,
    empty: [[0, 5], [5], [5]],
    run: (x, scale, offset) => layerNorm(x, scale, offset, epsilon),
    reference: (x, scale, offset) => normalised(x, scale.values, offset.values, epsilon ?? 1e-6),
  });
}

function normalised(
  x: Numbers,
  scale: readonly number[],
  offset: readonly number[],
  epsilon: number,
): number[] {
  const dim = scale.length;
  const result: number[] = [];
  for (let row = 0; row < x.values.length; row += dim) {
    const values = x.values.slice(row, row + dim);
    const mean = values.reduce((sum, value) => sum + value, 0) / dim;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / dim;
    values.forEach((value, i) =>
      result.push(((value - mean) / Math.sqrt(variance + epsilon)) * scale[i] + offset[i]),
    );
  }
  return result;
}

test("checks shapes, dtypes and epsilon", async () => {
  await useEngine({ engine: "cpu" });
  const [x, four] = [tf.zeros([2, 4]), tf.ones([4])];
  expect(() => layerNorm(x, tf.ones([3]), four)).toThrow("layerNorm: scale: shape must be [4]; got [3]");
  expect(() => layerNorm(x, four, tf.ones([3]))).toThrow("layerNorm: offset: shape must be [4]; got [3]");
  expect(() => layerNorm(tf.scalar(1), four, four)).toThrow("layerNorm: x: shape must be […, dim]; got []");
  expect(() => layerNorm(x, four, four, 0)).toThrow("layerNorm: epsilon must be above 0; got 0");
  expect(() => layerNorm(x, four, four, NaN)).toThrow("got NaN");
});
