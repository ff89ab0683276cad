import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { activations, type ActivationName } from "../../src/bases/activations.js";
import { type FitCriterion, fitError, fitRational } from "../../src/bases/fitRational.js";
import { rational, type RationalCoefficients } from "../../src/bases/rational.js";
import { type RationalForm, rationalForms, rationalTerms } from "../../src/bases/rationalForm.js";
import { rationalPoles } from "../../src/bases/rationalPoles.js";
import { KatlabError } from "../../src/errors.js";

/** Errors of F − f on a grid, with their signs. */
function errorsOf(
  f: (x: number) => number,
  fit: RationalCoefficients,
  ends: readonly [number, number],
): number[] {
  return Array.from({ length: 1201 }, (_, i) => ends[0] + ((ends[1] - ends[0]) * i) / 1200).map(
    (x) => rational(x, fit) - f(x),
  );
}

/** Heights of the error curve's hills and valleys, one for each stretch of equal sign. */
function peaks(errors: readonly number[]): number[] {
  const found: number[] = [];
  errors.forEach((error, i) => {
    const size = Math.abs(error);
    if (i > 0 && Math.sign(error) === Math.sign(errors[i - 1]))
      found[found.length - 1] = Math.max(found[found.length - 1], size);
    else found.push(size);
  });
  return found;
}

describe("fitRational", () => {
  const truths: [string, RationalCoefficients][] = [
    ["form A", { form: "A", numerator: [0.2, 1, -0.3], denominator: [0.5, 0.25] }],
    ["form B, a sum that keeps its sign", { form: "B", numerator: [0.2, 1, -0.3], denominator: [0, 0.25] }],
    ["form B, a sum that changes sign", { form: "B", numerator: [0.2, 1, -0.3], denominator: [0.8, 0.1] }],
    ["form C, kinks", { form: "C", numerator: [0.2, 1, -0.3], denominator: [-0.5, 0.1, 0.3] }],
    ["form D", { form: "D", numerator: [0.2, 1], denominator: [0, 0.4] }],
    ["form N", { form: "N", numerator: [0.2, 1, -0.3], denominator: [-0.2, 0.1] }],
  ];
  test.each(truths)("finds a function of its own form again: %s", (_, truth) => {
    const degrees = [truth.numerator.length - 1, 2] as const;
    const fit = fitRational((x) => rational(x, truth), { form: truth.form, degrees, points: 301 });
    expect(fit.form).toBe(truth.form);
    expect(fit.maxError).toBeLessThan(1e-8);
    fit.numerator.forEach((a, i) => expect(a).toBeCloseTo(truth.numerator[i], 6));
    fit.denominator.forEach((b, j) => expect(b).toBeCloseTo(truth.denominator[j], 6));
  });

  test.each(rationalForms)("form %s: a polynomial needs no denominator", (form) => {
    const fit = fitRational((x) => 3 - x * x, { form, degrees: [2, 0] });
    expect(fit.denominator).toHaveLength(form === "C" ? 1 : 0);
    expect(fit.maxError).toBeLessThan(1e-12);
    const constant = fitRational(() => 2, { form, degrees: [0, 0] });
    expect(constant.maxError).toBeLessThan(1e-12);
  });

  test.each(rationalForms)("form %s: more degrees are no worse", (form) => {
    const errors = (
      [
        [2, 2],
        [3, 2],
        [5, 4],
        [8, 8],
      ] as const
    ).map((degrees) => {
      const fit = fitRational(activations.mish, { form, degrees, points: 301 });
      expect([fit.numerator.length, fit.denominator.length]).toEqual(rationalTerms(form, degrees));
      return fit.meanSquaredError;
    });
    errors.slice(1).forEach((error, k) => expect(error).toBeLessThan(errors[k]));
    expect(errors[3]).toBeLessThan(1e-13);
  });

  test("form A keeps its coefficients non-negative", () => {
    for (const f of [
      (x: number): number => Math.sin(5 * x),
      activations.gelu,
      (x: number): number => 1 / (2 - x / 2),
    ]) {
      const fit = fitRational(f, { points: 201 });
      expect(Math.min(...fit.denominator)).toBeGreaterThanOrEqual(0);
    }
  });

  test("form N has no poles where it must not", () => {
    const gelu = fitRational(activations.gelu, { form: "N", points: 301 });
    expect(rationalPoles(gelu, [-3, 3])).toEqual([]);
    expect(rationalPoles(gelu, [-10, 10])).not.toEqual([]);
    expect(gelu.gain).toBe(0);
    const free = fitRational(activations.gelu, { form: "N", points: 301, poleFree: [-1000, 1000] });
    expect(rationalPoles(free, [-1000, 1000])).toEqual([]);
    expect(free.maxError).toBeLessThan(5e-3);
    expect(free.gain).toBeCloseTo(2.352, 2);
  });

  test("intervals away from zero, and wide ones", () => {
    expect(fitRational(Math.log, { interval: [2, 20], form: "N" }).maxError).toBeLessThan(1e-6);
    expect(fitRational(Math.exp, { interval: [-8, -2] }).maxError).toBeLessThan(1e-3);
    expect(
      fitRational((x) => 1 / (1 + x * x), { interval: [-100, 100], degrees: [0, 2] }).maxError,
    ).toBeLessThan(1e-8);
  });

  test("stretching the function stretches the fit", () => {
    fc.assert(
      fc.property(fc.constantFrom(0.125, 0.5, 4, 64), fc.constantFrom(...rationalForms), (s, form) => {
        const options = { form, degrees: [3, 2] as const, points: 201 };
        const fit = fitRational(activations.silu, options);
        const stretched = fitRational((x) => activations.silu(s * x), {
          ...options,
          interval: [-3 / s, 3 / s],
        });
        expect(stretched.maxError / fit.maxError).toBeCloseTo(1, 3);
        for (const x of [-2.5, -1, 0.3, 2]) {
          expect(Math.abs(rational(x / s, stretched) - rational(x, fit))).toBeLessThan(
            1e-3 * fit.maxError + 1e-9,
          );
        }
      }),
      { numRuns: 6 },
    );
  });

  test("the size of the function does not matter", () => {
    const options = { degrees: [3, 2] as const, points: 101 };
    const fit = fitRational(activations.silu, options);
    for (const size of [2 ** -1000, 2 ** 900]) {
      const scaled = fitRational((x) => size * activations.silu(x), options);
      expect(scaled.denominator).toEqual(fit.denominator);
      expect(scaled.numerator).toEqual(fit.numerator.map((a) => size * a));
    }
    expect(fitRational(() => 0, options).maxError).toBe(0);
  });

  test("even and odd functions get even and odd fits", () => {
    const tanh = fitRational(Math.tanh, { form: "N", points: 301 });
    [0, 2, 4].forEach((i) => expect(Math.abs(tanh.numerator[i])).toBeLessThan(1e-9));
    [0, 2].forEach((j) => expect(Math.abs(tanh.denominator[j])).toBeLessThan(1e-9));
  });

  test("weights say where it matters", () => {
    const options = { points: 301, degrees: [3, 2] as const };
    const even = fitRational(activations.gelu, options);
    const normal = fitRational(activations.gelu, { ...options, weight: (x) => Math.exp((-x * x) / 2) });
    const near = (fit: RationalCoefficients): number =>
      fitError(activations.gelu, fit, [-1, 1]).meanSquaredError;
    expect(near(normal)).toBeLessThan(near(even));
    expect(normal.maxError).toBeGreaterThan(even.maxError);
    // Twice the weight everywhere is the same problem.
    expect(fitRational(activations.gelu, { ...options, weight: () => 2 }).meanSquaredError).toBeCloseTo(
      even.meanSquaredError,
      12,
    );
  });

  test.each(rationalForms)("form %s: as many points as coefficients are enough", (form) => {
    const points = form === "C" ? 6 : 5;
    const fit = fitRational(activations.silu, { form, degrees: [2, 2], points });
    expect(Number.isFinite(fit.maxError)).toBe(true);
    expect(fit.meanSquaredError).toBeLessThan(0.1);
  });

  test("is deterministic", () => {
    const options = { form: "C", degrees: [4, 3], points: 201 } as const;
    expect(fitRational(activations.mish, options)).toEqual(fitRational(activations.mish, options));
  });
});

describe('criterion "minimax"', () => {
  // Best uniform rational approximation of eˣ on [−1, 1]; asymptotically 2^(−m−n)·m!·n!/((m+n)!·(m+n+1)!).
  test.each([
    [1, 2.0969e-2],
    [2, 8.69e-5],
    [3, 1.5507e-7],
  ])("eˣ with degrees %i and equal: the known least error", (degree, least) => {
    const fit = fitRational(Math.exp, {
      form: "N",
      criterion: "minimax",
      degrees: [degree, degree],
      interval: [-1, 1],
      points: 301,
    });
    expect(fit.maxError / least).toBeGreaterThan(0.999);
    expect(fit.maxError / least).toBeLessThan(1.01);
  });

  test("makes the peaks of the error level, at one more than there are coefficients", () => {
    const fit = fitRational(Math.exp, {
      form: "N",
      criterion: "minimax",
      degrees: [3, 2],
      interval: [-1, 1],
    });
    const heights = peaks(errorsOf(Math.exp, fit, [-1, 1]));
    expect(heights).toHaveLength(3 + 2 + 2);
    expect(Math.min(...heights) / Math.max(...heights)).toBeGreaterThan(0.9);
  });

  test.each(["A", "B", "C"] as const)("form %s: a smaller largest error than least squares", (form) => {
    const options = { form, points: 301, degrees: [3, 2] as const };
    const squares = fitRational(activations.mish, options);
    const level = fitRational(activations.mish, { ...options, criterion: "minimax" });
    expect(level.maxError).toBeLessThan(0.9 * squares.maxError);
    expect(level.meanSquaredError).toBeGreaterThan(squares.meanSquaredError);
  });
});

describe("as good as the best known fits of degrees 5 and 4 on ±3", () => {
  // Largest error and mean squared error that fits reached elsewhere (upstream's of form A, our earlier ones).
  const known: [RationalForm, ActivationName, number, number][] = [
    ["A", "silu", 1.2e-6, 8.1e-14],
    ["A", "gelu", 4.1e-3, 6.8e-7],
    ["A", "relu", 3e-2, 2.6e-5],
    ["A", "leakyRelu0.1", 2.81e-2, 2.22e-5],
    ["A", "tanh", 4.1e-5, 1.5e-10],
    ["A", "sigmoid", 1.9e-5, 2.1e-11],
    ["A", "mish", 1.9e-4, 2.2e-9],
    ["B", "gelu", 3e-3, 8.1e-7],
    ["B", "geglu", 1.3e-3, 3.4e-7],
    ["B", "swiglu", 1.7e-3, 3.3e-7],
    ["B", "erfcSoftplusSquared", 2.8e-4, 2.8e-9],
  ];
  test.each(known)("form %s, %s", (form, name, maxError, meanSquaredError) => {
    const fit = fitRational(activations[name], { form });
    expect(fit.maxError).toBeLessThanOrEqual(maxError);
    expect(fit.meanSquaredError).toBeLessThanOrEqual(meanSquaredError);
  });
});

describe("refuses", () => {
  const refused: [string, Parameters<typeof fitRational>[1] & object, string][] = [
    ["fewer points than coefficients", { points: 9 }, "at least the number of coefficients (10)"],
    ["a fraction of a point", { points: 100.5 }, "points must be"],
    ["negative degrees", { degrees: [3, -1] }, "whole numbers ≥ 0"],
    ["broken degrees", { degrees: [2.5, 1] }, "whole numbers ≥ 0"],
    ["an empty interval", { interval: [1, 1] }, "finite ends, the lower one first"],
    ["an infinite interval", { interval: [-Infinity, 1] }, "finite ends"],
    ["a pole-free part only", { poleFree: [-1, 1] }, "poleFree must hold the interval"],
    ["negative weights", { weight: (x) => x }, "weight: must be finite and ≥ 0"],
    [
      "weight on too few points",
      { weight: (x) => (x > 2.99 ? 1 : 0) },
      "as many points as there are coefficients",
    ],
    ["another form", { form: "E" as RationalForm }, "must be one of A, B, C, D, N"],
    ["another criterion", { criterion: "max" as FitCriterion }, "must be one of least-squares, minimax"],
  ];
  test.each(refused)("%s", (_, options, message) => {
    expect(() => fitRational(Math.sin, options)).toThrow(message);
    expect(() => fitRational(Math.sin, options)).toThrow(KatlabError);
  });

  test.each(rationalForms)("form %s: an interval whose powers overflow", (form) => {
    const tiny = { form, interval: [-1e-200, 1e-200] as const, points: 21 };
    expect(() => fitRational((x) => Math.sin(1e200 * x), tiny)).toThrow("others on [-1e-200, 1e-200]");
  });

  test("a function that is not finite", () => {
    expect(() => fitRational(Math.log)).toThrow("f: must be finite on the interval; got NaN at -3");
    expect(() => fitRational((x) => 1 / x)).toThrow("got Infinity at 0");
  });
});
