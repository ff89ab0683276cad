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
  /** Steps of these losses, after which the variable has this value. */
  const take = (losses: number[], value: number): ReturnType<DivergenceGuard["judge"]> => {
    tf.tidy(() => variable.assign(tf.scalar(value)));
    return guard.judge(losses.map((loss) => ({ step: ++step, loss })));
  };
  const restored = (): number => variable.dataSync()[0];

  test("a loss that is not finite ends it with the last weights that gave a finite one", () => {
    guard = new DivergenceGuard([variable], 10, null);
    expect(take([2, 2], 1)).toBeUndefined();
    expect(take([1], 2)).toBeUndefined(); // which shows that 1 was good
    expect(take([NaN, 3], 3)).toEqual({ step: 4, reason: "loss NaN" });
    expect(restored()).toBe(1);
  });

  test("weights that were never used are not good: at first the first ones are", () => {
    guard = new DivergenceGuard([variable], 10, null);
    expect(take([2], 1)).toBeUndefined();
    expect(take([Infinity], 2)).toMatchObject({ step: 2, reason: "loss Infinity" });
    expect(restored()).toBe(0);
  });

  test("a loss far above that of knowing nothing ends it, a few bad batches do not", () => {
    guard = new DivergenceGuard([variable], 10, 3);
    expect(take(Array<number>(60).fill(1), 1)).toBeUndefined();
    expect(take([50], 2)).toBeUndefined(); // which shows that 1 was good
    const divergence = take(Array<number>(60).fill(100), 3);
    expect(divergence?.step).toBeGreaterThan(61);
    expect(divergence?.reason).toMatch(/^running mean of the loss \d+\.\d\d, above 6\.91$/);
    expect(restored()).toBe(1);
  });

  test("a bad start is none, and a resumed run remembers its losses", () => {
    guard = new DivergenceGuard([variable], 10, 3);
    expect(take(Array<number>(49).fill(9), 1)).toBeUndefined();
    guard.resume(Array<number>(50).fill(1));
    expect(take([9], 2)).toBeUndefined();
    expect(take([NaN], 3)).toBeDefined();
    expect(restored()).toBe(1);
  });
});
