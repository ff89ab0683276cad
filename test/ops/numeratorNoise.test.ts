import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { useEngine } from "../../src/engine.js";
import { numeratorNoise } from "../../src/ops/numeratorNoise.js";
import { Random } from "../../src/random.js";

test("factors are uniform in [0.9, 1.1), one for every coefficient", async () => {
  await useEngine({ engine: "cpu" });
  const before = tf.memory().numTensors;
  const count = 100 * 64;
  const factors = tf.tidy(() => numeratorNoise(tf.ones([100, 64]), new Random(1)).dataSync<"float32">());
  expect(new Set(factors).size).toBeGreaterThan(0.99 * count);
  const sorted = factors.slice().sort();
  expect(sorted[0]).toBeGreaterThanOrEqual(Math.fround(0.9));
  expect(sorted[count - 1]).toBeLessThanOrEqual(Math.fround(1.1));
  // Kolmogorov and Smirnov's distance from the uniform distribution; 1.95/√n is passed by 99.9 % of samples.
  const distance = Math.max(...sorted.map((factor, i) => Math.abs((factor - 0.9) / 0.2 - (i + 0.5) / count)));
  expect(distance).toBeLessThan(1.95 / Math.sqrt(count));
  expect(tf.memory().numTensors).toBe(before);
});
