import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { useEngine } from "../../src/engine.js";
import { constant, rows } from "../../src/layers/initializer.js";
import { Parameter, type ParameterKind } from "../../src/layers/parameter.js";
import { Random } from "../../src/random.js";
import { addonStatus } from "../../src/torch/backend.js";
import { AdamW } from "../../src/training/adamw.js";
import { clipByNorm } from "../../src/training/clip.js";

const settings = { weightDecay: 0.1, coefficientWeightDecay: 0.02, beta1: 0.9, beta2: 0.99, epsilon: 1e-8 };
const start = [1, -2, 0.5];
const gradients = [
  [0.1, -0.4, 2],
  [-0.3, 0, 1e-4],
  [5, -5, 0.01],
];
const learningRates = [0.01, 0.02, 0.005];

/** The published algorithm, in float64. */
function reference(weightDecay: number): number[] {
  return start.map((value, i) => {
    let [theta, mean, variance] = [value, 0, 0];
    gradients.forEach((gradient, t) => {
      theta -= learningRates[t] * weightDecay * theta;
      mean = settings.beta1 * mean + (1 - settings.beta1) * gradient[i];
      variance = settings.beta2 * variance + (1 - settings.beta2) * gradient[i] ** 2;
      const unbiased = Math.sqrt(variance / (1 - settings.beta2 ** (t + 1)));
      theta -= (learningRates[t] * mean) / (1 - settings.beta1 ** (t + 1)) / (unbiased + settings.epsilon);
    });
    return theta;
  });
}

const engines = ["cpu", "wasm", ...(addonStatus().available ? ["torch" as const] : [])] as const;

describe.each(engines)("on the %s engine", (engine) => {
  let before: number;
  beforeEach(async () => {
    await useEngine({ engine });
    before = tf.memory().numTensors;
  });
  afterEach(() => {
    expect(tf.memory().numTensors).toBe(before);
  });

  test("AdamW follows the published algorithm, with the decay of each kind", () => {
    const kinds: ParameterKind[] = ["weight", "bias", "coefficient", "norm", "token", "embedding"];
    const decay: Partial<Record<ParameterKind, number>> = { weight: 0.1, coefficient: 0.02 };
    const parameters = kinds.map(
      (kind) =>
        new Parameter(kind, { kind, axes: ["value"], shape: [3], initializer: rows(start) }, new Random(1)),
    );
    const optimizer = new AdamW(parameters, settings);
    gradients.forEach((gradient, t) => {
      tf.tidy(() => {
        optimizer.step(
          kinds.map(() => tf.tensor1d(gradient)),
          learningRates[t],
        );
      });
    });
    for (const { kind, variable } of parameters) {
      const values = variable.dataSync();
      reference(decay[kind] ?? 0).forEach((value, i) => {
        expect(values[i], `${kind} ${i}`).toBeCloseTo(value, 5);
      });
    }
    optimizer.dispose();
    for (const parameter of parameters) parameter.dispose();
  });

  test("coefficients have a learning rate of their own, as a number and as a tensor", () => {
    for (const tensorRate of [false, true]) {
      const [weight, coefficient] = (["weight", "coefficient"] as const).map(
        (kind) =>
          new Parameter(kind, { kind, axes: ["value"], shape: [3], initializer: rows(start) }, new Random(1)),
      );
      const optimizer = new AdamW([weight, coefficient], {
        ...settings,
        weightDecay: 0,
        coefficientWeightDecay: 0,
        coefficientRate: 0.25,
      });
      tf.tidy(() => {
        const gradient = tf.tensor1d(gradients[0]);
        optimizer.step([gradient, gradient], tensorRate ? tf.scalar(0.01) : 0.01);
      });
      const moves = [weight, coefficient].map(({ variable }) => variable.dataSync()[0] - start[0]);
      expect(moves[1] / moves[0]).toBeCloseTo(0.25, 4);
      optimizer.dispose();
      tf.dispose([weight.variable, coefficient.variable]);
    }
  });

  test("an optimizer goes on where another one was, with the same bits", () => {
    const make = (): Parameter =>
      new Parameter(
        "w",
        { kind: "weight", axes: ["value"], shape: [3], initializer: rows(start) },
        new Random(1),
      );
    const [whole, first, second] = [make(), make(), make()];
    const take = (optimizer: AdamW, from: number, to: number): void => {
      for (let t = from; t < to; t++)
        tf.tidy(() => optimizer.step([tf.tensor1d(gradients[t])], learningRates[t]));
    };
    const optimizers = [whole, first, second].map((parameter) => new AdamW([parameter], settings));
    take(optimizers[0], 0, 3);
    take(optimizers[1], 0, 2);
    second.assign(first.variable);
    optimizers[2].restore(optimizers[1].state(), 2);
    take(optimizers[1], 2, 3); // must not change the other's means
    take(optimizers[2], 2, 3);
    expect([...second.variable.dataSync()]).toEqual([...whole.variable.dataSync()]);
    expect([...first.variable.dataSync()]).toEqual([...whole.variable.dataSync()]);
    tf.tidy(() => {
      const state = optimizers[0].state();
      expect(() => optimizers[2].restore({ "mean.w": state["mean.w"] }, 1)).toThrow("must hold variance.w");
      const wrong = { ...state, "mean.w": tf.zeros([2]) };
      expect(() => optimizers[2].restore(wrong, 1)).toThrow("mean.w: shape must be [3]; got [2]");
    });
    for (const optimizer of optimizers) optimizer.dispose();
    for (const parameter of [whole, first, second]) parameter.dispose();
  });

  test("AdamW leaves clones of a parameter as they were", () => {
    const parameter = new Parameter(
      "weight",
      { kind: "weight", axes: ["value"], shape: [2], initializer: constant(1) },
      new Random(1),
    );
    const optimizer = new AdamW([parameter], settings);
    const kept = tf.clone(parameter.variable);
    tf.tidy(() => {
      optimizer.step([tf.ones([2])], 0.1);
    });
    expect([...kept.dataSync()]).toEqual([1, 1]);
    expect(parameter.variable.dataSync()[0]).toBeLessThan(0.95);
    kept.dispose();
    optimizer.dispose();
    parameter.dispose();
  });

  test("clipByNorm scales all gradients by one factor, and only when they are too long", () => {
    tf.tidy(() => {
      const long = clipByNorm([tf.tensor1d([3, 0]), tf.scalar(4)], 1);
      expect(long[0].dataSync()[0]).toBeCloseTo(0.6, 5);
      expect(long[1].dataSync()[0]).toBeCloseTo(0.8, 5);
      const short = clipByNorm([tf.tensor1d([0.3, 0]), tf.scalar(0.4)], 1);
      expect(short[1].dataSync()[0]).toBe(Math.fround(0.4));
      expect(clipByNorm([tf.zeros([2])], 1)[0].dataSync()[0]).toBe(0);
    });
  });
});
