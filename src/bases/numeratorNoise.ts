import type { Random } from "../random.js";

/**
 * What form D multiplies the numerator's coefficients by while training: a factor for each, uniform in
 * [1 − `deviation`, 1 + `deviation`]. All values of one forward pass share the factors; in evaluation there is no noise.
 *
 *     aᵢ → aᵢ·(1 + deviation·uᵢ)        uᵢ ~ U(−1, 1)
 *
 * @param terms m + 1, the number of factors
 * @param deviation in [0, 1]. Default 0.1
 * Source: the rational activations library of Molina et al. (arXiv 1907.06732).
 */
export function numeratorNoise(terms: number, random: Random, deviation = 0.1): number[] {
  return Array.from({ length: terms }, () => 1 + deviation * (2 * random.uniform() - 1));
}
