import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type RationalCoefficients,
  rationalDenominator,
  rationalDerivatives,
} from "../../src/bases/rational.js";
import { type RationalForm, rationalForms } from "../../src/bases/rationalForm.js";
import { denominatorMinimum, rationalKinks, rationalPoles } from "../../src/bases/rationalPoles.js";
import { KatlabError } from "../../src/errors.js";

const interval: [number, number] = [-3, 2];
const xs = Array.from({ length: 401 }, (_, i) => -3 + i / 80);
const coefficient = fc.integer({ min: -2048, max: 2048 }).map((n) => n / 1024);
const denominators = (form: RationalForm): fc.Arbitrary<RationalCoefficients> =>
  fc.array(coefficient, { minLength: form === "C" ? 1 : 0, maxLength: 8 }).map((denominator) => ({
    form,
    numerator: [1],
    denominator,
  }));

describe("rationalPoles", () => {
  test("forms A, B, C and D have none", () => {
    for (const form of rationalForms.filter((each) => each !== "N")) {
      expect(rationalPoles({ form, numerator: [1], denominator: [-1, -1, -1] }, interval)).toEqual([]);
    }
    expect(rationalPoles({ numerator: [1], denominator: [-1] }, interval)).toEqual([]);
  });

  test("form N has those of 1 + Σ bⱼxʲ, touched ones too", () => {
    const poles = (denominator: number[]): number[] =>
      rationalPoles({ form: "N", numerator: [1], denominator }, interval);
    expect(poles([0, -1])).toEqual([-1, 1]);
    expect(poles([0, -0.25])).toEqual([-2, 2]);
    expect(poles([1, 0.25])).toEqual([-2]);
    expect(poles([0, 1])).toEqual([]);
    expect(poles([])).toEqual([]);
  });

  test("form N: wherever the denominator changes sign there is one", () => {
    fc.assert(
      fc.property(denominators("N"), (c) => {
        const poles = rationalPoles(c, interval);
        xs.slice(1).forEach((x, i) => {
          if (rationalDenominator(x, c) * rationalDenominator(xs[i], c) < 0) {
            expect(poles.some((pole) => pole >= xs[i] && pole <= x)).toBe(true);
          }
        });
        for (const pole of poles) expect(Math.abs(rationalDenominator(pole, c))).toBeLessThan(1e-9);
      }),
    );
  });
});

describe("rationalKinks", () => {
  test("form A: at zero, if b₁ ≠ 0 and zero is inside", () => {
    const kinks = (denominator: number[], ends = interval): number[] =>
      rationalKinks({ numerator: [1], denominator }, ends);
    expect(kinks([0.5])).toEqual([0]);
    expect(kinks([0, 0.5])).toEqual([]);
    expect(kinks([])).toEqual([]);
    expect(kinks([0.5], [1, 2])).toEqual([]);
  });

  test("forms B, C and D: zeros of the sum; form N: none", () => {
    expect(rationalKinks({ form: "B", numerator: [1], denominator: [-1, 1] }, interval)).toEqual([0, 1]);
    expect(rationalKinks({ form: "D", numerator: [1], denominator: [-1, 1] }, interval)).toEqual([0, 1]);
    expect(rationalKinks({ form: "C", numerator: [1], denominator: [-1, 0, 1] }, interval)).toEqual([-1, 1]);
    expect(rationalKinks({ form: "N", numerator: [1], denominator: [0, -1] }, interval)).toEqual([]);
  });

  test("everywhere else the derivative has no jump", () => {
    for (const form of ["A", "B", "C"] as const) {
      fc.assert(
        fc.property(denominators(form), (c) => {
          const kinks = rationalKinks(c, interval);
          xs.slice(1).forEach((x, i) => {
            if (kinks.some((kink) => kink >= xs[i] - 1e-9 && kink <= x + 1e-9)) return;
            const [left, right] = [rationalDerivatives(xs[i], c), rationalDerivatives(x, c)];
            // A jump would be ∣2·A′∣/Q², while the derivative moves by F″·h.
            const bound =
              1e-6 + 2 * (x - xs[i]) * (1 + Math.max(Math.abs(left.second), Math.abs(right.second)));
            expect(Math.abs(right.first - left.first)).toBeLessThan(bound);
          });
        }),
      );
    }
  });
});

describe("denominatorMinimum", () => {
  test.each(rationalForms)("form %s: no point of a fine grid is lower", (form) => {
    fc.assert(
      fc.property(denominators(form), (c) => {
        const { x, value } = denominatorMinimum(c, interval);
        expect(x).toBeGreaterThanOrEqual(interval[0]);
        expect(x).toBeLessThanOrEqual(interval[1]);
        expect(Math.abs(rationalDenominator(x, c))).toBeCloseTo(value, 9);
        const onGrid = Math.min(...xs.map((each) => Math.abs(rationalDenominator(each, c))));
        expect(value).toBeLessThanOrEqual(onGrid + 1e-9);
      }),
    );
  });

  test("closed forms", () => {
    expect(denominatorMinimum({ numerator: [1], denominator: [1] }, [-2, 3])).toEqual({ x: 0, value: 1 });
    expect(denominatorMinimum({ numerator: [1], denominator: [1] }, [1, 3])).toEqual({ x: 1, value: 2 });
    expect(denominatorMinimum({ numerator: [1], denominator: [1] }, [-3, -1])).toEqual({ x: -1, value: 2 });
    expect(denominatorMinimum({ form: "N", numerator: [1], denominator: [-1, 0.5] }, [-2, 3])).toEqual({
      x: 1,
      value: 0.5,
    });
    expect(denominatorMinimum({ form: "N", numerator: [1], denominator: [1] }, [-2, 3])).toEqual({
      x: -1,
      value: 0,
    });
    expect(denominatorMinimum({ form: "C", numerator: [1], denominator: [-1, 1] }, [-2, 3]).value).toBe(0.1);
    expect(denominatorMinimum({ form: "C", numerator: [1], denominator: [2] }, [-2, 3]).value).toBe(2.1);
  });
});

test("an interval must be one", () => {
  const c = { numerator: [1], denominator: [1] };
  for (const look of [rationalPoles, rationalKinks, denominatorMinimum]) {
    for (const ends of [
      [1, 1],
      [2, 1],
      [-Infinity, 1],
      [0, NaN],
    ] as [number, number][]) {
      expect(() => look(c, ends)).toThrow(KatlabError);
    }
  }
});
