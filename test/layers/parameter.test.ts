import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, beforeEach, afterEach, describe, expect, test } from "vitest";
import { useEngine } from "../../src/engine.js";
import { constant, normal } from "../../src/layers/initializer.js";
import { Parameter, type ParameterSpec } from "../../src/layers/parameter.js";
import { Random } from "../../src/random.js";

const spec: ParameterSpec = { kind: "weight", axes: ["out", "in"], shape: [2, 3], initializer: normal(1) };

describe("Parameter", () => {
  let before = 0;
  beforeAll(async () => {
    await useEngine({ engine: "cpu" });
  });
  beforeEach(() => {
    before = tf.memory().numTensors;
  });
  afterEach(() => {
    expect(tf.memory().numTensors).toBe(before);
  });

  test("takes no memory until it is used, and frees it", () => {
    const parameter = new Parameter("w", spec, new Random(1));
    expect([parameter.isBuilt, parameter.size, tf.memory().numTensors]).toEqual([false, 6, before]);
    expect(parameter.variable.shape).toEqual([2, 3]);
    expect(parameter.variable).toBe(parameter.variable);
    expect([parameter.isBuilt, tf.memory().numTensors]).toEqual([true, before + 1]);
    parameter.dispose();
    parameter.dispose();
    expect(() => parameter.variable).toThrow(
      "w: a parameter must be alive to be used; got one of a disposed model",
    );
  });

  test("is made inside tf.tidy and outlives it", () => {
    const parameter = new Parameter("w", spec, new Random(1));
    tf.tidy(() => parameter.variable);
    expect(parameter.variable.isDisposed).toBe(false);
    parameter.dispose();
  });

  test("values assigned before the first use replace the first values", () => {
    const parameter = new Parameter("w", spec, new Random(1));
    const values = tf.tensor2d([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    parameter.assign(values);
    values.dispose();
    expect([...parameter.variable.dataSync()]).toEqual([1, 2, 3, 4, 5, 6]);
    parameter.dispose();
  });

  test("keeps its variable when values are assigned", () => {
    const parameter = new Parameter("w", { ...spec, initializer: constant(7) }, new Random(1));
    const { variable } = parameter;
    const values = tf.zeros([2, 3]);
    parameter.assign(values);
    values.dispose();
    expect(parameter.variable).toBe(variable);
    expect([...variable.dataSync()]).toEqual([0, 0, 0, 0, 0, 0]);
    parameter.dispose();
  });

  test("checks what is assigned", () => {
    const parameter = new Parameter("blocks.0.w", spec, new Random(1));
    tf.tidy(() => {
      expect(() => parameter.assign(tf.zeros([3, 2]))).toThrow(
        "blocks.0.w: shape must be [out 2, in 3]; got [3, 2]",
      );
      expect(() => parameter.assign(tf.zeros([2, 3], "int32"))).toThrow("values must be float32; got int32");
    });
    expect(parameter.isBuilt).toBe(false);
  });
});
