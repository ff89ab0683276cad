import { expect } from "vitest";
import { rational, rationalGradient, type RationalCoefficients } from "../../src/bases/rational.js";
import type { Random } from "../../src/random.js";

/** Inputs of `groupRational` and the upstream gradient, as plain numbers that float32 holds exactly. */
export interface GroupRationalCase {
  shape: number[];
  x: number[];
  dy: number[];
  numerator: number[][];
  denominator: number[][];
}

/** y, dx, dNumerator, dDenominator, each row-major. */
export type Results = [number[], number[], number[], number[]];

export function drawCase(
  shape: number[],
  numeratorGroups: number,
  denominatorGroups: number,
  random: Random,
): GroupRationalCase {
  const normal = (): number => Math.fround(random.normal());
  const size = shape.reduce((product, d) => product * d, 1);
  const table = (groups: number, terms: number): number[][] =>
    Array.from({ length: groups }, () => Array.from({ length: terms }, normal));
  return {
    shape,
    x: Array.from({ length: size }, normal),
    dy: Array.from({ length: size }, normal),
    numerator: table(numeratorGroups, 6),
    denominator: table(denominatorGroups, 4),
  };
}

/** By `src/bases`, in float64. */
export function exactResults(drawn: GroupRationalCase): Results {
  return perValue(drawn, (x, dy, coefficients) => {
    const { x: dx, numerator, denominator } = rationalGradient(x, coefficients, dy);
    return [rational(x, coefficients), dx, numerator, denominator];
  });
}

/** What a loop over float32 numbers gives: every operation rounded, sums in the order of the values. */
export function plainResults(drawn: GroupRationalCase): Results {
  const r = Math.fround;
  const horner = (coefficients: readonly number[], x: number): number =>
    coefficients.reduceRight((sum, c) => r(r(sum * x) + c));
  return perValue(
    drawn,
    (x, dy, { numerator, denominator }) => {
      const size = Math.abs(x);
      const b = denominator.map(Math.abs);
      const p = horner(numerator, x);
      const q = horner([1, ...b], size);
      const value = r(p / q);
      const u = r(dy / q);
      const v = r(-u * value);
      const slopeP = horner(
        numerator.slice(1).map((a, i) => r(a * (i + 1))),
        x,
      );
      const slopeQ =
        (x < 0 ? -1 : 1) *
        horner(
          b.map((term, j) => r(term * (j + 1))),
          size,
        );
      const dNumerator = [u];
      for (let i = 1; i < 6; i++) dNumerator.push(r(dNumerator[i - 1] * x));
      const powers = [r(v * size)];
      for (let j = 1; j < 4; j++) powers.push(r(powers[j - 1] * size));
      const dDenominator = powers.map((power, j) => (denominator[j] < 0 ? -power : power));
      return [value, r(u * r(slopeP - r(value * slopeQ))), dNumerator, dDenominator];
    },
    r,
  );
}

type PerValue = (
  x: number,
  dy: number,
  coefficients: RationalCoefficients,
) => [y: number, dx: number, dNumerator: number[], dDenominator: number[]];

function perValue(drawn: GroupRationalCase, f: PerValue, round = (sum: number): number => sum): Results {
  const { shape, x, dy, numerator, denominator } = drawn;
  const dim = shape[shape.length - 1];
  const dNumerator = numerator.map((row) => row.map(() => 0));
  const dDenominator = denominator.map((row) => row.map(() => 0));
  const y: number[] = [];
  const dx: number[] = [];
  x.forEach((value, i) => {
    const upper = Math.floor(((i % dim) * numerator.length) / dim);
    const lower = Math.floor(((i % dim) * denominator.length) / dim);
    const coefficients = { numerator: numerator[upper], denominator: denominator[lower] };
    const [result, slope, byNumerator, byDenominator] = f(value, dy[i], coefficients);
    y.push(result);
    dx.push(slope);
    byNumerator.forEach((term, k) => (dNumerator[upper][k] = round(dNumerator[upper][k] + term)));
    byDenominator.forEach((term, k) => (dDenominator[lower][k] = round(dDenominator[lower][k] + term)));
  });
  return [y, dx, dNumerator.flat(), dDenominator.flat()];
}

/**
 * The largest error against float64 is at most twice the plain path's, plus one ulp of the largest value. Errors are
 * counted in ulps of the largest value and averaged over the draws: a sum of few terms is exact or not by luck.
 */
export function expectAsAccurate(
  draws: readonly { results: Results; plain: Results; exact: Results }[],
): void {
  for (const output of [0, 1, 2, 3]) {
    const mean = (of: "results" | "plain"): number =>
      draws.reduce((sum, draw) => sum + ulps(draw[of][output], draw.exact[output]), 0) / draws.length;
    expect(mean("results")).toBeLessThanOrEqual(2 * mean("plain") + 1);
  }
}

function ulps(values: readonly number[], exact: readonly number[]): number {
  expect(values).toHaveLength(exact.length);
  const largest = Math.max(...exact.map(Math.abs));
  const error = Math.max(...values.map((value, i) => Math.abs(value - exact[i])));
  return error / (largest * 2 ** -23);
}
