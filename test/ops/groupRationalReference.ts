import { expect } from "vitest";
import { rational, rationalGradient, type RationalCoefficients } from "../../src/bases/rational.js";
import { denominatorShape, rationalTerms } from "../../src/bases/rationalForm.js";
import { sizeOf } from "../../src/shape.js";
import type { GroupRationalSettings } from "../../src/ops/groupRational.js";
import type { Random } from "../../src/random.js";

/** Inputs of `groupRational` and the upstream gradient, as plain numbers that float32 holds exactly. */
export interface GroupRationalCase {
  shape: number[];
  x: number[];
  dy: number[];
  numerator: number[][];
  denominator: number[][];
  settings?: GroupRationalSettings;
}

/** y, dx, dNumerator, dDenominator, each row-major. */
export type Results = [number[], number[], number[], number[]];

/**
 * A case by normal numbers, where the denominator is well conditioned: at a zero of its sum (a kink of forms B and C, close
 * to a pole of N) the sign that rounding leaves would be compared.
 */
export function drawCase(
  shape: number[],
  numeratorGroups: number,
  denominatorGroups: number,
  random: Random,
  { degrees = [5, 4], ...settings }: GroupRationalSettings & { degrees?: [number, number] } = {},
): GroupRationalCase {
  const normal = (): number => Math.fround(random.normal());
  const { form = "A" } = settings;
  const terms = rationalTerms(form, degrees);
  const table = (groups: number, count: number): number[][] =>
    Array.from({ length: groups }, () => Array.from({ length: count }, normal));
  const numerator = table(numeratorGroups, terms[0]);
  const denominator = table(denominatorGroups, terms[1]);
  const drawn = { shape, numerator, denominator, settings };
  const x = Array.from({ length: sizeOf(shape) }, (_, i) => {
    const b = denominator[rowOf(i, denominatorGroups, drawn)];
    for (let attempt = 0; attempt < 1000; attempt++) {
      const value = normal();
      if (isWellConditioned(value, b, form)) return value;
    }
    throw new Error("drawCase: no well conditioned point");
  });
  return { ...drawn, x, dy: x.map(normal) };
}

function isWellConditioned(x: number, b: readonly number[], form: "A" | "B" | "C" | "N"): boolean {
  if (form === "A") return true;
  const { firstPower, floor } = denominatorShape(form);
  const terms = b.map((coefficient, j) => coefficient * x ** (j + firstPower));
  if (form === "N") terms.push(floor);
  const sum = terms.reduce((total, term) => total + term, 0);
  const size = terms.reduce((total, term) => total + Math.abs(term), 0);
  return Math.abs(sum) > 0.1 * size;
}

/** The row of a table of so many groups that value i, in row-major order, takes. */
function rowOf(
  i: number,
  groups: number,
  { shape, settings }: Pick<GroupRationalCase, "shape" | "settings">,
): number {
  const axis = settings?.channels === "first" ? 1 : shape.length - 1;
  const channel = Math.floor(i / sizeOf(shape.slice(axis + 1))) % shape[axis];
  return Math.floor((channel * groups) / shape[axis]);
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
    coefficients.reduceRight((sum, c) => r(r(sum * x) + c), 0);
  const slope = (coefficients: readonly number[], x: number): number =>
    horner(
      coefficients.slice(1).map((c, i) => r(c * (i + 1))),
      x,
    );
  const powers = (first: number, x: number, count: number): number[] => {
    const terms = [first];
    for (let i = 1; i < count; i++) terms.push(r(terms[i - 1] * x));
    return terms;
  };
  return perValue(
    drawn,
    (x, dy, { numerator, denominator, form = "A" }) => {
      const { floor, firstPower, bars } = denominatorShape(form);
      const eachTerm = bars === "each term";
      const t = eachTerm ? Math.abs(x) : x;
      const b = [
        ...Array<number>(firstPower).fill(0),
        ...(eachTerm ? denominator.map(Math.abs) : denominator),
      ];
      const sum = horner(b, t);
      const q = r(floor + (bars === "sum" ? Math.abs(sum) : sum));
      const value = r(horner(numerator, x) / q);
      const u = r(dy / q);
      const side = (bars === "sum" && sum < 0) || (eachTerm && x < 0) ? -1 : 1;
      const v = r(-u * value) * (bars === "sum" ? side : 1);
      const dDenominator = powers(firstPower === 1 ? r(v * t) : v, t, denominator.length);
      return [
        value,
        r(u * r(slope(numerator, x) - r(value * side * slope(b, t)))),
        powers(u, x, numerator.length),
        dDenominator.map((term, j) => (eachTerm && denominator[j] < 0 ? -term : term)),
      ];
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
  const { x, dy, numerator, denominator, settings } = drawn;
  const dNumerator = numerator.map((row) => row.map(() => 0));
  const dDenominator = denominator.map((row) => row.map(() => 0));
  const y: number[] = [];
  const dx: number[] = [];
  x.forEach((value, i) => {
    const upper = rowOf(i, numerator.length, drawn);
    const lower = rowOf(i, denominator.length, drawn);
    const coefficients = {
      numerator: numerator[upper],
      denominator: denominator[lower],
      form: settings?.form ?? "A",
    };
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
