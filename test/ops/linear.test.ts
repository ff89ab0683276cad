import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { useEngine } from "../../src/engine.js";
import { linear } from "../../src/ops/linear.js";
import { testOperator } from "./operatorSuite.js";

const cases = [
  [[3, 4], [5, 4], [5]],
  [[2, 3, 4], [1, 4], [1]],
  [[4], [5, 4], [5]],
  [[2, 1, 1, 6], [3, 6], [3]],
];

testOperator({
  name: "linear",
  kernel: "Linear",
  cases,
  empty: [[0, 4], [5, 4], [5]],
  run: (x, weight, bias) => linear(x, weight, bias),
  reference: (x, weight, bias) => product(x.values, weight.values, weight.shape, bias.values),
});

testOperator({
  name: "linear without bias",
  kernel: "Linear",
  cases: cases.map(([x, weight]) => [x, weight]),
  empty: [
    [0, 4],
    [5, 4],
  ],
  run: (x, weight) => linear(x, weight),
  reference: (x, weight) => product(x.values, weight.values, weight.shape),
});

function product(
  x: readonly number[],
  weight: readonly number[],
  [out, width]: readonly number[],
  bias?: readonly number[],
): number[] {
  return Array.from({ length: (x.length / width) * out }, (_, k) => {
    const [row, column] = [Math.floor(k / out), k % out];
    let sum = bias?.[column] ?? 0;
    for (let i = 0; i < width; i++) sum += x[row * width + i] * weight[column * width + i];
    return sum;
  });
}

test("checks shapes and dtypes", async () => {
  await useEngine({ engine: "cpu" });
  const weight = tf.zeros([5, 4]);
  expect(() => linear(tf.zeros([2, 3]), weight)).toThrow("linear: x: shape must be […, 4]; got [2, 3].");
  expect(() => linear(tf.scalar(1), weight)).toThrow("linear: x: shape must be […, 4]; got [].");
  expect(() => linear(tf.zeros([2, 4]), tf.zeros([4]))).toThrow("shape must be [out, in]");
  expect(() => linear(tf.zeros([2, 4]), weight, tf.zeros([4]))).toThrow("linear: bias: shape must be [5]");
  expect(() => linear(tf.zeros([2, 4], "int32"), weight)).toThrow(
    "linear: x: dtype must be float32; got int32",
  );
});
