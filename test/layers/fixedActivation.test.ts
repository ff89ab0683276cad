import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ActivationName, activations } from "../../src/bases/activations.js";
import { useEngine } from "../../src/engine.js";
import { FixedActivation } from "../../src/layers/fixedActivation.js";
import { Scope } from "../../src/layers/scope.js";
import { onEveryEngine } from "../presentEngines.js";

const names = Object.keys(activations) as ActivationName[];

onEveryEngine("FixedActivation", ({ options }) => {
  let before: number;
  beforeEach(async () => {
    await useEngine(options);
    before = tf.memory().numTensors;
  });
  afterEach(() => {
    expect(tf.memory().numTensors).toBe(before);
  });

  test.each(names)("%s: its values and slopes", (name) => {
    const layer = new FixedActivation(new Scope(), name);
    const f = activations[name];
    tf.tidy(() => {
      const x = tf.linspace(-4.05, 4.1, 37);
      const points = x.dataSync();
      const y = layer.forward(x).dataSync();
      const slope = tf
        .grad((t) => layer.forward(t))(x)
        .dataSync();
      points.forEach((t, i) => {
        expect(Math.abs(y[i] - f(t))).toBeLessThan(2e-5 * (1 + Math.abs(t)) ** 2);
        expect(Math.abs(slope[i] - (f(t + 1e-5) - f(t - 1e-5)) / 2e-5)).toBeLessThan(
          1e-4 * (1 + Math.abs(t)),
        );
      });
    });
  });
});

test("has no parameters, names its function, and refuses another", () => {
  const layer = new FixedActivation(new Scope().child("act1"), "silu");
  expect(layer.parameters()).toEqual([]);
  expect(layer.outline([3, 4])).toMatchObject({
    layer: "FixedActivation, silu",
    output: [3, 4],
    multiplyAdds: 0,
  });
  expect(() => new FixedActivation(new Scope(), "upstream-gelu" as ActivationName)).toThrow(
    "must be one of identity",
  );
});
