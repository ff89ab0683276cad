import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { useEngine } from "../../src/engine.js";
import { addonStatus } from "../../src/torch/backend.js";
import { DivergenceGuard } from "../../src/training/divergenceGuard.js";

const engines = ["cpu", ...(addonStatus().available ? ["torch" as const] : [])] as const;

describe.each(engines)("on the %s engine", (engine) => {
  let before: number;
  let variable: tf.Variable;
  let guard: DivergenceGuard;
  let step = 0;
  beforeEach(async () => {
    await useEngine({ engine });
    before = tf.memory().numTensors;
    variable = tf.tidy(() => tf.variable(tf.scalar(0)));
    step = 0;
  });
  afterEach(() => {
    guard.dispose();
    variable.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
  /** Steps of these losses, after each of which the variable has this value; the losses come together at the end. */
  const take = (losses: number[], value: number): ReturnType<DivergenceGuard["judge"]> => {
    const steps = losses.map((loss) => {
      tf.tidy(() => variable.assign(tf.scalar(value)));
      guard.stepTaken(++step);
      return { step, loss };
    });
    return guard.judge(steps);
  };
  const many = (loss: number, count: number): number[] => Array<number>(count).fill(loss);
  const restored = (): number => variable.dataSync()[0];

  test("a loss that is not finite ends it with the last kept weights that gave a finite one", () => {
    guard = new DivergenceGuard([variable], 10, null);
    expect(take(many(2, 50), 1)).toBeUndefined();
    expect(take(many(2, 50), 2)).toBeUndefined(); // the first of them shows that 1 was good
    expect(take([NaN, 3], 3)).toEqual({ step: 101, reason: "loss NaN" });
    expect(restored()).toBe(1);
  });

  test("weights whose loss has not come are not good: at first the first ones are", () => {
    guard = new DivergenceGuard([variable], 10, null);
    expect(take(many(2, 50), 1)).toBeUndefined();
    expect(take([Infinity], 2)).toMatchObject({ step: 51, reason: "loss Infinity" });
    expect(restored()).toBe(0);
  });

  test("which weights those are does not depend on when losses come", () => {
    guard = new DivergenceGuard([variable], 10, null);
    for (const value of [1, 2, 3, 4]) {
      for (let i = 0; i < 50; i++) {
        tf.tidy(() => variable.assign(tf.scalar(value)));
        guard.stepTaken(++step);
      }
    }
    const losses = [...many(2, 160), NaN, ...many(2, 39)];
    expect(guard.judge(losses.map((loss, i) => ({ step: i + 1, loss })))?.step).toBe(161);
    expect(restored()).toBe(3);
  });

  test("a loss far above that of knowing nothing ends it, a few bad batches do not", () => {
    guard = new DivergenceGuard([variable], 10, 3);
    expect(take(many(1, 60), 1)).toBeUndefined();
    expect(take([50, 50], 2)).toBeUndefined();
    const divergence = take(many(100, 60), 3);
    expect(divergence?.step).toBe(64);
    expect(divergence?.reason).toMatch(/^running mean of the loss \d+\.\d\d, above 6\.91$/);
    expect(restored()).toBe(1);
  });

  test("weights on the way up are not good", () => {
    guard = new DivergenceGuard([variable], 10, 3);
    expect(take(many(1, 100), 1)).toBeUndefined();
    expect(take(many(6, 150), 2)).toBeUndefined();
    expect(take(many(100, 60), 3)).toBeDefined();
    expect(restored()).toBe(1);
  });

  test("a bad start is none, and a resumed run remembers its losses", () => {
    guard = new DivergenceGuard([variable], 10, 3);
    expect(take(many(9, 49), 1)).toBeUndefined();
    guard.resume(many(1, 50));
    expect(take([9], 2)).toBeUndefined();
    expect(take([NaN], 3)).toBeDefined();
    expect(restored()).toBe(1);
  });
});
