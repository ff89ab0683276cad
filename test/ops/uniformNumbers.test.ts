import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { useEngine } from "../../src/engine.js";
import { dropPath } from "../../src/ops/dropPath.js";
import { takeUniform, UniformNumbers } from "../../src/ops/uniformNumbers.js";
import { Random } from "../../src/random.js";

beforeAll(async () => {
  await useEngine({ engine: "cpu" });
});

test("are taken in order, and no more than were drawn", () => {
  tf.tidy(() => {
    const numbers = new UniformNumbers(tf.tensor1d([0, 0.25, 0.5]));
    expect([...numbers.take(2).dataSync()]).toEqual([0, 0.25]);
    expect([...numbers.take(0).dataSync()]).toEqual([]);
    expect(() => numbers.take(2)).toThrow(
      "UniformNumbers: 2 more numbers must have been drawn; got 1. Draw as many as one step takes",
    );
    expect([...numbers.take(1).dataSync()]).toEqual([0.5]);
  });
});

test("drop the paths that the same numbers drop when they are drawn as needed", () => {
  tf.tidy(() => {
    const ahead = new UniformNumbers(takeUniform(new Random(3), 16));
    const asNeeded = new Random(3);
    for (const rate of [0.2, 0.7]) {
      const x = tf.ones([8, 2]);
      expect([...dropPath(x, rate, ahead).dataSync()]).toEqual([...dropPath(x, rate, asNeeded).dataSync()]);
    }
  });
});
