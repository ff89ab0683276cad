import { describe, expect, test } from "vitest";
import { constant, normal, rows, uniform } from "../../src/layers/initializer.js";
import { Random } from "../../src/random.js";

const count = 20_000;
const moments = (values: Float32Array): [mean: number, variance: number] => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return [mean, values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length];
};

describe("initializers", () => {
  test("constant and rows", () => {
    expect([...constant(3)([2, 2], new Random(1))]).toEqual([3, 3, 3, 3]);
    expect([...rows([1, 2])([3, 2], new Random(1))]).toEqual([1, 2, 1, 2, 1, 2]);
  });

  // Four standard errors: of a mean σ/√n, of a normal's variance σ²·√(2/n), of a uniform's σ²·√(0.8/n).
  test("normal has its standard deviation", () => {
    const [mean, variance] = moments(normal(0.02)([count], new Random(1)));
    expect(Math.abs(mean)).toBeLessThan((4 * 0.02) / Math.sqrt(count));
    expect(Math.abs(variance / 0.02 ** 2 - 1)).toBeLessThan(4 * Math.sqrt(2 / count));
  });

  test("uniform fills [−bound, bound)", () => {
    const values = uniform(0.5)([count], new Random(1));
    const [mean, variance] = moments(values);
    expect(Math.abs(mean)).toBeLessThan((4 * 0.5) / Math.sqrt(3 * count));
    expect(Math.abs(variance / (0.5 ** 2 / 3) - 1)).toBeLessThan(4 * Math.sqrt(0.8 / count));
    expect(values.every((value) => value >= -0.5 && value <= 0.5)).toBe(true);
  });
});
