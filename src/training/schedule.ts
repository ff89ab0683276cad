import type { Recipe } from "./recipe.js";

/**
 * Learning rate of a step: a linear rise, then half a cosine down.
 *
 *     t < w:  η₀ + (η − η₀)·(t + 1)/w        else:  η_final + (η − η_final)·(1 + cos(π·(t − w)/(T − w)))/2
 *
 * @param step t, steps taken before this one, from 0
 * @param stepsPerEpoch of the run; w = warmupEpochs and T = epochs in steps; η₀ = warmupLearningRate
 * Source: Loshchilov and Hutter, "SGDR", 2017, equation 5, without restarts.
 */
export function warmupCosine(step: number, stepsPerEpoch: number, recipe: Recipe): number {
  const { learningRate, warmupLearningRate, finalLearningRate } = recipe;
  const warmup = Math.round(recipe.warmupEpochs * stepsPerEpoch);
  const total = recipe.epochs * stepsPerEpoch;
  if (step < warmup) return warmupLearningRate + ((learningRate - warmupLearningRate) * (step + 1)) / warmup;
  const done = Math.min(1, (step - warmup) / Math.max(1, total - warmup));
  return finalLearningRate + ((learningRate - finalLearningRate) * (1 + Math.cos(Math.PI * done))) / 2;
}
