import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  rational,
  type RationalCoefficients,
  rationalDerivatives,
  rationalGradient,
  signFromRight,
} from "../../src/bases/rational.js";

// Integers over a power of two: fc.double would draw mostly numbers next to zero.
const coefficient = fc.integer({ min: -2048, max: 2048 }).map((n) => n / 1024);
/** Further from zero than a difference's step: |b| has its kink there. */
const awayFromZero = fc.integer({ min: 32, max: 2048 }).chain((n) => fc.constantFrom(n / 1024, -n / 1024));
const coefficients: fc.Arbitrary<RationalCoefficients> = fc.record({
  numerator: fc.array(coefficient, { minLength: 1, maxLength: 7 }),
  denominator: fc.array(coefficient, { maxLength: 6 }),
});
const kat: fc.Arbitrary<RationalCoefficients> = fc.record({
  numerator: fc.array(coefficient, { minLength: 6, maxLength: 6 }),
  denominator: fc.array(awayFromZero, { minLength: 4, maxLength: 4 }),
});
const point = awayFromZero.map((x) => 2 * x);

/** Central difference of order h⁴. */
function slope(f: (t: number) => number, at: number, h: number): number {
  return (8 * (f(at + h) - f(at - h)) - (f(at + 2 * h) - f(at - 2 * h))) / (12 * h);
}

/** Rounding leaves about 1e-16·|f|/h, truncation about h⁴. */
function expectNear(actual: number, expected: number): void {
  expect(Math.abs(actual - expected)).toBeLessThan(1e-7 * (1 + Math.abs(expected)));
}

describe("rational", () => {
  test("is P over 1 + Σ |b||x|ʲ", () => {
    fc.assert(
      fc.property(coefficients, coefficient, (c, x) => {
        const p = c.numerator.reduce((sum, a, i) => sum + a * x ** i, 0);
        const q = c.denominator.reduce((sum, b, j) => sum + Math.abs(b) * Math.abs(x) ** (j + 1), 1);
        const size = c.numerator.reduce((sum, a, i) => sum + Math.abs(a * x ** i), 0);
        expect(Math.abs(rational(x, c) - p / q)).toBeLessThanOrEqual(1e-14 * (size + 1));
      }),
    );
  });

  test("ignores the signs of the denominator", () => {
    fc.assert(
      fc.property(kat, point, (c, x) => {
        const flipped = { ...c, denominator: c.denominator.map((b) => -b) };
        expect(rational(x, flipped)).toBe(rational(x, c));
      }),
    );
  });

  test("is the polynomial where the denominator is zero or missing", () => {
    expect(rational(3, { numerator: [1, 2, 3], denominator: [] })).toBe(34);
    expect(rational(-3, { numerator: [0, 1, 0, 0, 0, 0], denominator: [0, 0, 0, 0] })).toBe(-3);
  });

  test("passes NaN on", () => {
    expect(rational(NaN, { numerator: [0, 1], denominator: [1] })).toBeNaN();
    expect(rational(1, { numerator: [0, NaN], denominator: [1] })).toBeNaN();
  });
});

describe("rationalDerivatives", () => {
  test("agree with differences of any degrees", () => {
    fc.assert(
      fc.property(coefficients, point, (c, x) => {
        const { value, first, second } = rationalDerivatives(x, c);
        expectNear(value, rational(x, c));
        expectNear(
          first,
          slope((t) => rational(t, c), x, 1e-4),
        );
        expectNear(
          second,
          slope((t) => rationalDerivatives(t, c).first, x, 1e-4),
        );
      }),
    );
  });

  test("at the kink are those from the right", () => {
    const c = { numerator: [1, 0.5], denominator: [2, 0.25] };
    const right = rationalDerivatives(1e-9, c);
    for (const zero of [0, -0]) {
      const { value, first, second } = rationalDerivatives(zero, c);
      expect(value).toBe(1);
      expect(first).toBe(0.5 - 2);
      expect(first).toBeCloseTo(right.first, 7);
      expect(second).toBeCloseTo(right.second, 6);
    }
    expect(rationalDerivatives(-1e-9, c).first).toBeCloseTo(0.5 + 2, 7);
  });
});

describe("rationalGradient", () => {
  test("agrees with differences in x and in every coefficient", () => {
    fc.assert(
      fc.property(kat, point, coefficient, (c, x, upstream) => {
        const gradient = rationalGradient(x, c, upstream);
        expectNear(
          gradient.x,
          slope((t) => upstream * rational(t, c), x, 1e-4),
        );
        c.numerator.forEach((a, i) => {
          const at = (t: number): number =>
            upstream * rational(x, { ...c, numerator: c.numerator.with(i, t) });
          expectNear(gradient.numerator[i], slope(at, a, 1e-4));
        });
        c.denominator.forEach((b, j) => {
          const at = (t: number): number =>
            upstream * rational(x, { ...c, denominator: c.denominator.with(j, t) });
          expectNear(gradient.denominator[j], slope(at, b, 1e-4));
        });
      }),
    );
  });

  test("moves denominators that are exactly zero, as for positive ones", () => {
    const numerator = [0, 1, 0, 0, 0, 0];
    for (const zero of [0, -0]) {
      const gradient = rationalGradient(2, { numerator, denominator: [zero, zero, zero, zero] });
      expect(gradient.denominator).toEqual([-4, -8, -16, -32]);
    }
    const negative = rationalGradient(2, { numerator, denominator: [0, 0, 0, -1e-300] });
    expect(negative.denominator[3]).toBe(32);
  });

  test("scales with the upstream derivative, 1 by default", () => {
    const c = { numerator: [1, 2, 3, 4, 5, 6], denominator: [1, -2, 3, -4] };
    const one = rationalGradient(0.5, c);
    const three = rationalGradient(0.5, c, 3);
    expect(three.x).toBeCloseTo(3 * one.x, 12);
    expect(three.numerator[5]).toBeCloseTo(3 * one.numerator[5], 12);
    expect(three.denominator[3]).toBeCloseTo(3 * one.denominator[3], 12);
  });
});

test("signFromRight is +1 at zero", () => {
  expect([-2, -0, 0, 2].map(signFromRight)).toEqual([-1, 1, 1, 1]);
});
