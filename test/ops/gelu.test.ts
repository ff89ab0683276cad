import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { activations } from "../../src/bases/activations.js";
import { useEngine } from "../../src/engine.js";
import { gelu } from "../../src/ops/gelu.js";
import { testOperator } from "./operatorSuite.js";

testOperator({
  name: "gelu",
  kernel: "Gelu",
  cases: [[[3, 7]], [[64]], [[2, 3, 4, 5]]],
  empty: [[0, 3]],
  run: (x) => gelu(x),
  reference: (x) => x.values.map(activations.gelu),
});

test("is the exact form, not the tanh approximation", async () => {
  await useEngine({ engine: "cpu" });
  const tanhForm = 0.5 * 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (2 + 0.044715 * 8)));
  const [value] = gelu(tf.tensor1d([2])).dataSync();
  expect(Math.abs(value - activations.gelu(2))).toBeLessThan(1e-6);
  expect(Math.abs(value - tanhForm)).toBeGreaterThan(1e-5);
});

test("checks the dtype", () => {
  expect(() => gelu(tf.tensor1d([1], "int32"))).toThrow("gelu: x: dtype must be float32; got int32");
});
