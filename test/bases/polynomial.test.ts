import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  polynomial,
  polynomialDerivative,
  polynomialTaylor,
  polynomialZeros,
} from "../../src/bases/polynomial.js";

/** Π (x − root), lowest power first. */
function withZeros(zeros: readonly number[]): number[] {
  return zeros.reduce(
    (product, zero) => [...product, 0].map((_, i) => (product[i - 1] ?? 0) - zero * (product[i] ?? 0)),
    [1],
  );
}

const coefficients = fc.array(fc.integer({ min: -64, max: 64 }), { minLength: 1, maxLength: 9 });

test("value and derivatives are those of the powers", () => {
  fc.assert(
    fc.property(coefficients, fc.integer({ min: -4, max: 4 }), (c, x) => {
      const first = polynomialDerivative(c);
      const values = [c, first, polynomialDerivative(first)].map((d) =>
        d.reduce((sum, value, i) => sum + value * x ** i, 0),
      );
      expect(polynomialTaylor(c, x).map((value) => value + 0)).toEqual(values.map((value) => value + 0));
      expect(polynomial(c, x) + 0).toBe(values[0] + 0);
    }),
  );
});

describe("polynomialZeros", () => {
  test("finds separate zeros inside the interval, no others", () => {
    const zeros = fc.uniqueArray(fc.integer({ min: -12, max: 12 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(zeros, (all) => {
        const found = polynomialZeros(withZeros(all.map((zero) => zero / 4)), [-2, 1.5]);
        const inside = all.filter((zero) => zero >= -8 && zero <= 6).sort((a, b) => a - b);
        expect(found).toHaveLength(inside.length);
        inside.forEach((zero, i) => expect(found[i]).toBeCloseTo(zero / 4, 7));
      }),
    );
  });

  test("counts a zero that is only touched, once", () => {
    expect(polynomialZeros(withZeros([0.5, 0.5]), [-1, 1])).toEqual([0.5]);
    fc.assert(
      fc.property(fc.integer({ min: -20, max: 20 }), (n) => {
        const touched = n / 21;
        const [zero, ...others] = polynomialZeros(withZeros([touched, touched, 3]), [-1, 1]);
        expect(zero).toBeCloseTo(touched, 7);
        expect(others).toEqual([]);
      }),
    );
  });

  test("does not see zeros where there are none", () => {
    expect(polynomialZeros([1, 0, 1], [-10, 10])).toEqual([]);
    expect(polynomialZeros([1e-9, 0, 1], [-10, 10])).toEqual([]);
    expect(polynomialZeros([3], [-1, 1])).toEqual([]);
    expect(polynomialZeros([0, 0], [-1, 1])).toEqual([]);
    expect(polynomialZeros([], [-1, 1])).toEqual([]);
  });

  test("finds the ends of the interval, and ignores leading zeros", () => {
    expect(polynomialZeros([0, 1, 0, 0], [0, 1])).toEqual([0]);
    expect(polynomialZeros([-1, 0, 1, 0], [-1, 1])).toEqual([-1, 1]);
  });
});
