import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { completeRecipe } from "../../src/training/completeRecipe.js";
import { warmupCosine } from "../../src/training/schedule.js";

const defaults = await completeRecipe();

describe("warmupCosine", () => {
  const recipe = {
    ...defaults,
    epochs: 4,
    warmupEpochs: 1,
    learningRate: 0.8,
    finalLearningRate: 0.2,
  };

  test("rises linearly, is highest after the warm-up, and halves the way at half the cosine", () => {
    expect(warmupCosine(0, 10, recipe)).toBeCloseTo(0.08, 12);
    expect(warmupCosine(9, 10, recipe)).toBeCloseTo(0.8, 12);
    expect(warmupCosine(10, 10, recipe)).toBeCloseTo(0.8, 12);
    expect(warmupCosine(25, 10, recipe)).toBeCloseTo(0.5, 12);
    expect(warmupCosine(40, 10, recipe)).toBeCloseTo(0.2, 12);
  });

  test("stays between 0 and the highest rate, falls after the warm-up and never ends in NaN", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 50 }),
        fc.double({ min: 0, max: 25, noNaN: true }),
        (epochs, stepsPerEpoch, warmupEpochs) => {
          const settings = { ...defaults, epochs, warmupEpochs, learningRate: 1 };
          const rates = Array.from({ length: epochs * stepsPerEpoch }, (_, step) =>
            warmupCosine(step, stepsPerEpoch, settings),
          );
          const top = rates.indexOf(Math.max(...rates));
          for (const rate of rates) expect(rate).toBeGreaterThanOrEqual(0);
          for (const rate of rates) expect(rate).toBeLessThanOrEqual(1);
          rates.slice(top + 1).forEach((rate, i) => {
            expect(rate).toBeLessThanOrEqual(rates[top + i]);
          });
        },
      ),
    );
  });
});
