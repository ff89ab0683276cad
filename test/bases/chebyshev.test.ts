import fc from "fast-check";
import { expect, test } from "vitest";
import { chebyshevToPowers, chebyshevValues } from "../../src/bases/chebyshev.js";
import { polynomial } from "../../src/bases/polynomial.js";

test("chebyshevValues are cos(k·arccos t)", () => {
  fc.assert(
    fc.property(fc.double({ min: -1, max: 1, noNaN: true }), fc.integer({ min: 0, max: 9 }), (t, count) => {
      const values = chebyshevValues(t, count);
      expect(values).toHaveLength(count);
      values.forEach((value, k) => expect(value).toBeCloseTo(Math.cos(k * Math.acos(t)), 12));
    }),
  );
});

test("chebyshevToPowers is the same polynomial", () => {
  const coefficients = fc.array(fc.integer({ min: -8, max: 8 }), { minLength: 1, maxLength: 9 });
  const part = fc.integer({ min: -8, max: 8 }).map((n) => n / 8);
  fc.assert(
    fc.property(coefficients, part, part, fc.constantFrom(0.5, 1, 4), (c, t, middle, half) => {
      const sum = chebyshevValues(t, c.length).reduce((total, value, k) => total + c[k] * value, 0);
      const powers = chebyshevToPowers(c, middle, half);
      expect(powers).toHaveLength(c.length);
      const size = polynomial(powers.map(Math.abs), Math.abs(middle + half * t));
      expect(Math.abs(polynomial(powers, middle + half * t) - sum)).toBeLessThanOrEqual(1e-13 * (1 + size));
    }),
  );
});
