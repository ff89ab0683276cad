import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  rational,
  type RationalCoefficients,
  rationalDenominator,
  rationalDerivatives,
  rationalGradient,
  signFromRight,
} from "../../src/bases/rational.js";
import { type RationalForm, rationalForms, rationalTerms } from "../../src/bases/rationalForm.js";
import { KatlabError } from "../../src/errors.js";

// Integers over a power of two: fc.double would draw mostly numbers next to zero.
const coefficient = fc.integer({ min: -2048, max: 2048 }).map((n) => n / 1024);
/** Further from zero than a difference's step: |b| has its kink there. */
const awayFromZero = fc.integer({ min: 32, max: 2048 }).chain((n) => fc.constantFrom(n / 1024, -n / 1024));
const point = awayFromZero.map((x) => 2 * x);

/** Any degrees up to 8 and 8. */
function anyDegrees(
  form: RationalForm,
  denominators: fc.Arbitrary<number> = coefficient,
): fc.Arbitrary<RationalCoefficients> {
  return fc
    .tuple(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 0, max: 8 }))
    .map((degrees) => rationalTerms(form, degrees))
    .chain(([m, n]) =>
      fc.record({
        form: fc.constant(form),
        numerator: fc.array(coefficient, { minLength: m, maxLength: m }),
        denominator: fc.array(denominators, { minLength: n, maxLength: n }),
      }),
    );
}

/** Σ c·xⁱ from power `first` on, term by term. */
function sumOfPowers(coefficients: readonly number[], x: number, first = 0): number {
  return coefficients.reduce((sum, c, i) => sum + c * x ** (i + first), 0);
}

/** What the bars hold, which must not change sign within a difference's reach. */
function insideBars({ form, denominator }: RationalCoefficients, x: number): number {
  return sumOfPowers(denominator, x, form === "C" ? 0 : 1);
}

/** Where a difference sees a smooth function: away from kinks and, in form N, poles. */
function isSmoothNear(coefficients: RationalCoefficients, x: number): boolean {
  const reach = [-4e-4, -2e-4, 0, 2e-4, 4e-4].map((h) => x + h);
  const { form } = coefficients;
  if (form === "N") return reach.every((t) => Math.abs(rationalDenominator(t, coefficients)) > 0.25);
  if (form === "A") return true;
  return (
    reach.every((t) => insideBars(coefficients, t) > 0.2) ||
    reach.every((t) => insideBars(coefficients, t) < -0.2)
  );
}

/** Central difference of order h⁴. */
function slope(f: (t: number) => number, at: number, h: number): number {
  return (8 * (f(at + h) - f(at - h)) - (f(at + 2 * h) - f(at - 2 * h))) / (12 * h);
}

/** Rounding leaves about 1e-16·size/h, truncation about h⁴ times the fifth derivative. */
function expectNear(actual: number, expected: number, size = 1): void {
  expect(Math.abs(actual - expected)).toBeLessThan(1e-7 * (size + Math.abs(expected)));
}

/** A step that is small beside the distance in which powers up to 16 change. */
const step = 1e-4;

describe("rational", () => {
  const denominators: Record<RationalForm, (b: readonly number[], x: number) => number> = {
    A: (b, x) => 1 + sumOfPowers(b.map(Math.abs), Math.abs(x), 1),
    B: (b, x) => 1 + Math.abs(sumOfPowers(b, x, 1)),
    C: (b, x) => 0.1 + Math.abs(sumOfPowers(b, x)),
    D: (b, x) => 1 + Math.abs(sumOfPowers(b, x, 1)),
    N: (b, x) => 1 + sumOfPowers(b, x, 1),
  };

  test.each(rationalForms)("form %s is its formula", (form) => {
    fc.assert(
      fc.property(anyDegrees(form), coefficient, (c, x) => {
        const size = sumOfPowers(c.denominator.map(Math.abs), Math.abs(x), form === "C" ? 0 : 1);
        const q = denominators[form](c.denominator, x);
        expect(Math.abs(rationalDenominator(x, c) - q)).toBeLessThanOrEqual(1e-14 * (1 + size));
        fc.pre(q !== 0);
        const p = sumOfPowers(c.numerator, x);
        const pSize = sumOfPowers(c.numerator.map(Math.abs), Math.abs(x));
        expect(Math.abs(rational(x, c) * rationalDenominator(x, c) - p)).toBeLessThanOrEqual(
          2e-14 * (1 + pSize),
        );
      }),
    );
  });

  test("the form is A where none is given", () => {
    fc.assert(
      fc.property(anyDegrees("A"), coefficient, ({ numerator, denominator, form }, x) => {
        expect(rational(x, { numerator, denominator })).toBe(rational(x, { numerator, denominator, form }));
      }),
    );
  });

  test("denominators are bounded below: 1 in A, B and D, 0.1 in C", () => {
    for (const [form, least] of [
      ["A", 1],
      ["B", 1],
      ["C", 0.1],
      ["D", 1],
    ] as const) {
      fc.assert(
        fc.property(anyDegrees(form), point, (c, x) => {
          expect(rationalDenominator(x, c)).toBeGreaterThanOrEqual(least);
        }),
      );
    }
  });

  test("passes NaN on", () => {
    for (const form of rationalForms) {
      expect(rational(NaN, { form, numerator: [0, 1], denominator: [1] })).toBeNaN();
      expect(rational(1, { form, numerator: [0, NaN], denominator: [1] })).toBeNaN();
      expect(rational(1, { form, numerator: [0, 1], denominator: [NaN] })).toBeNaN();
    }
  });

  test("is the polynomial where the denominator is zero or missing", () => {
    for (const form of ["A", "B", "D", "N"] as const) {
      expect(rational(3, { form, numerator: [1, 2, 3], denominator: [] })).toBe(34);
      expect(rational(-3, { form, numerator: [0, 1], denominator: [0, 0, 0, 0] })).toBe(-3);
    }
    expect(rational(-3, { form: "C", numerator: [0, 1], denominator: [0.9, 0, 0] })).toBe(-3);
    expect(rational(2, { form: "C", numerator: [1], denominator: [0] })).toBe(10);
  });

  test("huge inputs: the ratio of the highest terms until these overflow, then NaN", () => {
    const c = { numerator: [0, 0, 0, 0, 0, 3], denominator: [0, 0, 0, 2] };
    expect(rational(1e50, c) / 1.5e50).toBeCloseTo(1, 14);
    expect(rational(1e70, c)).toBe(Infinity);
    expect(rational(1e100, c)).toBeNaN();
    expect(rational(Infinity, c)).toBeNaN();
  });

  test("form N at a pole is infinite, or NaN where the numerator is zero too", () => {
    const denominator = [-0.5];
    expect(Math.abs(rational(2, { form: "N", numerator: [1], denominator }))).toBe(Infinity);
    expect(rational(2, { form: "N", numerator: [-2, 1], denominator })).toBeNaN();
  });

  test("refuses a missing constant and another form", () => {
    expect(() => rational(1, { numerator: [], denominator: [] })).toThrow("must have a₀; got 0");
    expect(() => rational(1, { form: "C", numerator: [1], denominator: [] })).toThrow("must have a₀ and b₀");
    expect(() => rational(1, { form: "a" as RationalForm, numerator: [1], denominator: [] })).toThrow(
      KatlabError,
    );
  });
});

describe("relations between the forms", () => {
  /** Equal up to the order of the roundings. */
  function expectSame(x: number, ...functions: RationalCoefficients[]): void {
    const size = rational(Math.abs(x), { ...functions[0], numerator: functions[0].numerator.map(Math.abs) });
    const [first, ...others] = functions.map((c) => rational(x, c));
    for (const other of others)
      expect(Math.abs(other - first)).toBeLessThanOrEqual(1e-13 * (1 + Math.abs(size)));
  }

  test("A ignores the signs of its coefficients, B and D the sign of their sum", () => {
    for (const form of ["A", "B", "D"] as const) {
      fc.assert(
        fc.property(anyDegrees(form), point, (c, x) => {
          const flipped = { ...c, denominator: c.denominator.map((b) => -b) };
          expect(rational(x, flipped)).toBe(rational(x, c));
        }),
      );
    }
  });

  test("D is B", () => {
    fc.assert(
      fc.property(anyDegrees("B"), point, (c, x) => {
        expect(rational(x, { ...c, form: "D" })).toBe(rational(x, c));
        expect(rationalGradient(x, { ...c, form: "D" })).toEqual(rationalGradient(x, c));
      }),
    );
  });

  test("with one term in the denominator A is B: |b||x| = |bx|", () => {
    fc.assert(
      fc.property(
        fc.array(coefficient, { minLength: 1, maxLength: 9 }),
        coefficient,
        point,
        (numerator, b, x) => {
          const c = { numerator, denominator: [b] };
          expect(rational(x, c)).toBe(rational(x, { ...c, form: "B" }));
          expectNear(rationalDerivatives(x, c).first, rationalDerivatives(x, { ...c, form: "B" }).first);
        },
      ),
    );
  });

  test("where no sign changes, A, B and N are one function, and C with b₀ = 0.9", () => {
    const nonNegative = fc.integer({ min: 0, max: 2048 }).map((n) => n / 1024);
    fc.assert(
      fc.property(anyDegrees("A", nonNegative), point.map(Math.abs), ({ numerator, denominator }, x) => {
        expectSame(
          x,
          { numerator, denominator },
          { form: "B", numerator, denominator },
          { form: "N", numerator, denominator },
          { form: "C", numerator, denominator: [0.9, ...denominator] },
        );
      }),
    );
    // Even powers alone keep their sign on both sides.
    fc.assert(
      fc.property(anyDegrees("A", nonNegative), point, ({ numerator, denominator: all }, x) => {
        const denominator = all.map((b, j) => (j % 2 === 0 ? 0 : b));
        expectSame(
          x,
          { numerator, denominator },
          { form: "B", numerator, denominator },
          { form: "N", numerator, denominator },
        );
      }),
    );
  });

  test("B is N with a positive sum, and N reflected with a negative one", () => {
    fc.assert(
      fc.property(anyDegrees("B"), point, (c, x) => {
        const side = signFromRight(insideBars(c, x));
        expectSame(x, c, { ...c, form: "N", denominator: c.denominator.map((b) => side * b) });
      }),
    );
  });

  test.each(rationalForms)("form %s: reflected and stretched coefficients give F(−x) and F(sx)", (form) => {
    const first = form === "C" ? 0 : 1;
    fc.assert(
      fc.property(anyDegrees(form), point, fc.constantFrom(-1, 2, -0.5), (c, x, s) => {
        fc.pre(Math.abs(rationalDenominator(s * x, c)) > 0.05);
        const stretched = {
          form,
          numerator: c.numerator.map((a, i) => a * s ** i),
          denominator: c.denominator.map((b, j) => b * s ** (j + first)),
        };
        // Powers of two: every rounding is the same.
        expect(rational(x, stretched)).toBe(rational(s * x, c));
        const [inner, outer] = [rationalDerivatives(s * x, c), rationalDerivatives(x, stretched)];
        expect(outer.first - s * inner.first + 0).toBe(0);
        expect(outer.second - s * s * inner.second + 0).toBe(0);
      }),
    );
  });

  test.each(rationalForms)(
    "form %s: an odd numerator over an even denominator is odd, even over even is even",
    (form) => {
      const first = form === "C" ? 0 : 1;
      fc.assert(
        fc.property(anyDegrees(form), point, (c, x) => {
          const denominator = c.denominator.map((b, j) => ((j + first) % 2 === 0 ? b : 0));
          const half = (parity: number): RationalCoefficients => ({
            form,
            numerator: c.numerator.map((a, i) => (i % 2 === parity ? a : 0)),
            denominator,
          });
          expect(rational(-x, half(1)) + rational(x, half(1)) + 0).toBe(0);
          expect(rational(-x, half(0)) - rational(x, half(0)) + 0).toBe(0);
        }),
      );
    },
  );
});

describe.each(rationalForms)("form %s", (form) => {
  test("derivatives by x agree with differences, at any degrees", () => {
    fc.assert(
      fc.property(
        anyDegrees(form),
        point.map((x) => x / 4),
        (c, x) => {
          fc.pre(isSmoothNear(c, x));
          const { value, first, second } = rationalDerivatives(x, c);
          const size = 1 + sumOfPowers(c.numerator.map(Math.abs), Math.abs(x) + 1);
          expect(value).toBe(rational(x, c));
          expectNear(
            first,
            slope((t) => rational(t, c), x, step),
            size,
          );
          expectNear(
            second,
            slope((t) => rationalDerivatives(t, c).first, x, step),
            size,
          );
        },
      ),
    );
  });

  test("gradients by the coefficients agree with differences", () => {
    fc.assert(
      fc.property(
        anyDegrees(form, awayFromZero),
        point.map((x) => x / 4),
        coefficient,
        (c, x, upstream) => {
          fc.pre(isSmoothNear(c, x));
          const gradient = rationalGradient(x, c, upstream);
          expect(gradient.x).toBe(upstream * rationalDerivatives(x, c).first);
          const size = 1 + sumOfPowers(c.numerator.map(Math.abs), 2);
          c.numerator.forEach((a, i) => {
            const at = (t: number): number =>
              upstream * rational(x, { ...c, numerator: c.numerator.with(i, t) });
            expectNear(gradient.numerator[i], slope(at, a, step), size);
          });
          c.denominator.forEach((b, j) => {
            const at = (t: number): number =>
              upstream * rational(x, { ...c, denominator: c.denominator.with(j, t) });
            expectNear(gradient.denominator[j], slope(at, b, step), size);
          });
        },
      ),
    );
  });

  test("gradients scale with the upstream derivative, 1 by default", () => {
    const c = { form, numerator: [1, 2, 3, 4, 5, 6], denominator: [1, -2, 3, -4] };
    const one = rationalGradient(0.5, c);
    const four = rationalGradient(0.5, c, 4);
    expect(four.x).toBe(4 * one.x);
    expect(four.numerator).toEqual(one.numerator.map((value) => 4 * value));
    expect(four.denominator).toEqual(one.denominator.map((value) => 4 * value));
  });
});

describe("sign(0) = +1", () => {
  test("signFromRight", () => {
    expect([-2, -0, 0, 2].map(signFromRight)).toEqual([-1, 1, 1, 1]);
  });

  test("form A: at the kink the derivatives are those from the right", () => {
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

  test("forms B and C: at the kink the sum counts as positive", () => {
    for (const [form, denominator] of [
      ["B", [-2]],
      ["C", [0, -2]],
    ] as const) {
      const floor = form === "B" ? 1 : 0.1;
      const { first } = rationalDerivatives(0, { form, numerator: [1], denominator });
      expect(first).toBeCloseTo(2 / floor ** 2, 12);
      const gradient = rationalGradient(0.5, { form, numerator: [1], denominator: denominator.map(() => 0) });
      expect(gradient.denominator.at(-1)).toBeCloseTo(-0.5 / floor ** 2, 12);
    }
  });

  test("denominators that are exactly zero move, as positive ones do", () => {
    const numerator = [0, 1, 0, 0, 0, 0];
    for (const form of rationalForms.filter((each) => each !== "C")) {
      for (const zero of [0, -0]) {
        const gradient = rationalGradient(2, { form, numerator, denominator: [zero, zero, zero, zero] });
        expect(gradient.denominator).toEqual([-4, -8, -16, -32]);
      }
    }
    const negative = rationalGradient(2, { numerator, denominator: [0, 0, 0, -1e-300] });
    expect(negative.denominator[3]).toBe(32);
  });
});
