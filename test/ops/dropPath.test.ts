import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { useEngine } from "../../src/engine.js";
import { dropPath } from "../../src/ops/dropPath.js";
import { Random } from "../../src/random.js";
import { onEveryEngine } from "../presentEngines.js";

onEveryEngine("dropPath", ({ options }) => {
  beforeAll(async () => {
    await useEngine(options);
  });

  test("keeps whole samples, scaled, or drops them whole", () => {
    const kept = tf.tidy(() => dropPath(tf.ones([64, 3, 2]), 0.5, new Random(1)).arraySync() as number[][][]);
    const samples = kept.map((sample) => new Set(sample.flat()));
    expect(samples.every((values) => values.size === 1)).toBe(true);
    expect(new Set(samples.flatMap((values) => [...values]))).toEqual(new Set([0, 2]));
  });

  test("the same seed drops the same samples on every engine", () => {
    const kept = tf.tidy(() => [...dropPath(tf.ones([8]), 0.5, new Random(1)).dataSync()]);
    expect(kept).toEqual([2, 2, 0, 2, 2, 2, 0, 0]);
  });

  test("rate 0 changes nothing, rate 1 drops all; nothing is left behind", () => {
    const x = tf.tensor2d([[1, 2]]);
    const before = tf.memory().numTensors;
    const [none, all] = [dropPath(x, 0, new Random(1)), dropPath(x, 1, new Random(1))];
    expect([[...none.dataSync()], [...all.dataSync()]]).toEqual([
      [1, 2],
      [0, 0],
    ]);
    tf.dispose([none, all]);
    expect([...x.dataSync()]).toEqual([1, 2]);
    expect(tf.memory().numTensors).toBe(before);
    x.dispose();
  });

  test("takes an empty batch", () => {
    expect(dropPath(tf.zeros([0, 2]), 0.5, new Random(1)).shape).toEqual([0, 2]);
  });
});

test("the mean over many samples stays", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 0.9, noNaN: true }), fc.integer(), (rate, seed) => {
      const count = 4000;
      const mean = tf.tidy(() => tf.mean(dropPath(tf.ones([count]), rate, new Random(seed))).dataSync()[0]);
      const deviation = Math.sqrt(rate / (1 - rate) / count);
      expect(Math.abs(mean - 1)).toBeLessThanOrEqual(6 * deviation + 1e-6);
    }),
    { numRuns: 50, seed: 1 },
  );
});

test("checks the rate, the rank and the dtype", () => {
  const random = new Random(1);
  expect(() => dropPath(tf.zeros([2]), 1.5, random)).toThrow("dropPath: rate must be in [0, 1]; got 1.5");
  expect(() => dropPath(tf.zeros([2]), NaN, random)).toThrow("got NaN");
  expect(() => dropPath(tf.scalar(1), 0.5, random)).toThrow("dropPath: x: shape must be [batch, …]; got []");
  expect(() => dropPath(tf.zeros([2], "int32"), 0.5, random)).toThrow("dtype must be float32");
});
