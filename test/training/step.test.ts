import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { useEngine } from "../../src/engine.js";
import { createModel } from "../../src/models/registry.js";
import { Random } from "../../src/random.js";
import { addonStatus } from "../../src/torch/backend.js";
import { AdamW } from "../../src/training/adamw.js";
import { trainingStep } from "../../src/training/step.js";

const engines = ["wasm", ...(addonStatus().available ? ["torch" as const] : [])] as const;
// A large ε: Adam divides by |g|, which makes of the rounding of a gradient near 0 a whole step.
const settings = { weightDecay: 0.05, coefficientWeightDecay: 0, beta1: 0.9, beta2: 0.999, epsilon: 0.1 };

describe.each(engines)("on the %s engine", (engine) => {
  let before: number;
  beforeEach(async () => {
    await useEngine({ engine });
    before = tf.memory().numTensors;
  });
  afterEach(() => {
    expect(tf.memory().numTensors).toBe(before);
  });

  /** Losses and final weights of three steps. */
  function run(accumulate: number, soft: boolean): { losses: number[]; weights: Float32Array[] } {
    const model = createModel("kat_test_patch7_28", { classes: 4, imageSize: 14, seed: 1 });
    const optimizer = new AdamW(model.parameters(), settings);
    const random = new Random(7);
    const pixels = Float32Array.from({ length: 12 * 14 * 14 }, () => random.normal());
    const images = tf.tensor4d(pixels, [12, 14, 14, 1]);
    const labels = soft
      ? tf.tensor2d(Array.from({ length: 12 }, (_, i) => [0, 1, 2, 3].map((c) => (c === i % 4 ? 0.7 : 0.1))))
      : tf.tensor1d([0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3], "int32");
    const step = { model, optimizer, images, labels, learningRate: 0.05, labelSmoothing: 0.1, random };
    const losses = Array.from({ length: 3 }, () => {
      const loss = trainingStep({ ...step, clipNorm: 1, accumulate });
      const [value] = loss.dataSync();
      loss.dispose();
      return value;
    });
    const weights = model.parameters().map(({ variable }) => variable.dataSync<"float32">().slice());
    tf.dispose([images, labels]);
    optimizer.dispose();
    model.dispose();
    return { losses, weights };
  }

  test.each([true, false])("a batch in parts gives the step of the whole, to rounding (soft: %s)", (soft) => {
    const whole = run(1, soft);
    for (const accumulate of [3, 12]) {
      const parts = run(accumulate, soft);
      parts.losses.forEach((loss, i) => expect(Math.abs(loss / whole.losses[i] - 1)).toBeLessThan(2e-6));
      const largest = Math.max(
        ...parts.weights.map((values, p) =>
          Math.max(...values.map((value, i) => Math.abs(value - whole.weights[p][i]))),
        ),
      );
      expect(largest).toBeLessThan(1e-5);
    }
    expect(whole.losses[2]).toBeLessThan(whole.losses[0]);
  });

  test("a batch that cannot be parted is refused", () => {
    expect(() => run(5, false)).toThrow("batch (12) must be a multiple of accumulate (5)");
    tf.disposeVariables();
    before = tf.memory().numTensors;
  });
});
