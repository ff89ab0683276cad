import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { useEngine } from "../../src/engine.js";
import { type AttentionOptions, scaledDotProductAttention } from "../../src/ops/scaledDotProductAttention.js";
import { type Numbers, testOperator } from "./operatorSuite.js";

function attend(options: AttentionOptions, ...inputs: tf.Tensor[]): tf.Tensor {
  const [query, key, value] = inputs as tf.Tensor4D[];
  return scaledDotProductAttention(query, key, value, options);
}

const alike = (shape: number[]): number[][] => [shape, shape, shape];

for (const options of [{}, { scale: 0.3 }]) {
  testOperator({
    name: `scaledDotProductAttention, ${JSON.stringify(options)}`,
    kernel: "ScaledDotProductAttention",
    cases: [
      alike([2, 3, 4, 5]),
      alike([1, 1, 1, 8]), // one token
      [
        [2, 1, 3, 4],
        [2, 1, 5, 4],
        [2, 1, 5, 6],
      ],
    ],
    empty: alike([0, 2, 3, 4]),
    run: (...inputs) => attend(options, ...inputs),
    reference: (query, key, value) => attended(query, key, value, options.scale),
  });
}

function attended(query: Numbers, key: Numbers, value: Numbers, wish?: number): number[] {
  const [batch, heads, queries, headDim] = query.shape;
  const [tokens, valueDim] = value.shape.slice(2);
  const scale = wish ?? 1 / Math.sqrt(headDim);
  const result: number[] = [];
  for (let row = 0; row < batch * heads * queries; row++) {
    const head = Math.floor(row / queries);
    const scores = Array.from({ length: tokens }, (_, token) => {
      let score = 0;
      for (let i = 0; i < headDim; i++) {
        score += query.values[row * headDim + i] * key.values[(head * tokens + token) * headDim + i];
      }
      return Math.exp(scale * score);
    });
    const sum = scores.reduce((a, b) => a + b);
    for (let i = 0; i < valueDim; i++) {
      const mixed = scores.map(
        (score, token) => score * value.values[(head * tokens + token) * valueDim + i],
      );
      result.push(mixed.reduce((a, b) => a + b) / sum);
    }
  }
  return result;
}

test("checks shapes and options", async () => {
  await useEngine({ engine: "cpu" });
  const zeros = (...shape: [number, number, number, number]): tf.Tensor4D => tf.zeros(shape);
  const x = zeros(2, 3, 4, 5);
  expect(() => scaledDotProductAttention(x, zeros(2, 3, 4, 6), x)).toThrow(
    "scaledDotProductAttention: key: shape must be [2, 3, tokens, 5]; got [2, 3, 4, 6]",
  );
  expect(() => scaledDotProductAttention(x, x, zeros(2, 3, 5, 5))).toThrow(
    "value: shape must be [2, 3, 4, valueDim]",
  );
  expect(() => scaledDotProductAttention(x, zeros(2, 3, 0, 5), zeros(2, 3, 0, 5))).toThrow("got 0 tokens");
  expect(() => scaledDotProductAttention(x, x, x, { scale: Infinity })).toThrow("scale Infinity");
});
