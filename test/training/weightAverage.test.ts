import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { useEngine } from "../../src/engine.js";
import { constant } from "../../src/layers/initializer.js";
import { Parameter } from "../../src/layers/parameter.js";
import { Random } from "../../src/random.js";
import { addonStatus } from "../../src/torch/backend.js";
import { WeightAverage } from "../../src/training/weightAverage.js";

const engines = ["cpu", "wasm", ...(addonStatus().available ? ["torch" as const] : [])] as const;

describe.each(engines)("on the %s engine", (engine) => {
  let before: number;
  let parameter: Parameter;
  beforeEach(async () => {
    await useEngine({ engine });
    before = tf.memory().numTensors;
    const spec = { kind: "weight", axes: ["value"], shape: [2], initializer: constant(1) } as const;
    parameter = new Parameter("w", spec, new Random(1));
  });
  afterEach(() => {
    parameter.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
  const assign = (value: number): void =>
    tf.tidy(() => {
      parameter.assign(tf.fill([2], value));
    });
  const values = (tensor: tf.Tensor): number[] => [...tensor.dataSync()];

  test("follows e ← e + (1 − d)(θ − e) from the first weights on, and leaves clones as they were", () => {
    const average = new WeightAverage([parameter], 0.75);
    const start = tf.clone(average.weights().w);
    let expected = 1;
    for (const value of [3, -2, 10]) {
      assign(value);
      average.update();
      expected += 0.25 * (value - expected);
      expect(values(average.weights().w)[1]).toBeCloseTo(expected, 6);
      expect(values(parameter.variable)).toEqual([value, value]);
    }
    expect(values(start)).toEqual([1, 1]);
    start.dispose();
    average.dispose();
  });

  test("lends the model its averages, and gives the weights back after an error, too", async () => {
    const average = new WeightAverage([parameter], 0.5);
    assign(3);
    average.update();
    expect(await average.during(() => Promise.resolve(values(parameter.variable)))).toEqual([2, 2]);
    expect(values(parameter.variable)).toEqual([3, 3]);
    await expect(average.during(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(values(parameter.variable)).toEqual([3, 3]);
    average.apply();
    expect(values(parameter.variable)).toEqual([2, 2]);
    assign(7);
    expect(values(average.weights().w)).toEqual([2, 2]);
    average.dispose();
  });

  test("goes on from other averages of the same parameters only", () => {
    const average = new WeightAverage([parameter], 0.5);
    tf.tidy(() => {
      average.restore({ w: tf.tensor1d([5, 6]) });
      expect(values(average.weights().w)).toEqual([5, 6]);
      expect(() => average.restore({ v: tf.ones([2]) })).toThrow("the averages must hold w");
      expect(() => average.restore({ w: tf.ones([3]) })).toThrow("w: shape must be [2]; got [3]");
    });
    average.dispose();
  });
});
