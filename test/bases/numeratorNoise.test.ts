import { expect, test } from "vitest";
import { numeratorNoise } from "../../src/bases/numeratorNoise.js";
import { Random } from "../../src/random.js";

test("numeratorNoise is uniform around 1 and follows the seed", () => {
  const factors = numeratorNoise(20_000, new Random(1));
  expect(Math.min(...factors)).toBeGreaterThanOrEqual(0.9);
  expect(Math.max(...factors)).toBeLessThanOrEqual(1.1);
  const mean = factors.reduce((sum, factor) => sum + factor, 0) / factors.length;
  const variance = factors.reduce((sum, factor) => sum + (factor - mean) ** 2, 0) / factors.length;
  // Six standard errors of each.
  expect(Math.abs(mean - 1)).toBeLessThan(6 * Math.sqrt(0.01 / 3 / factors.length));
  expect(Math.abs(variance - 0.01 / 3)).toBeLessThan((6 * 0.003) / Math.sqrt(factors.length));
  expect(numeratorNoise(3, new Random(1))).toEqual(factors.slice(0, 3));
  expect(numeratorNoise(6, new Random(2), 0)).toEqual([1, 1, 1, 1, 1, 1]);
});
