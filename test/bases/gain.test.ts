import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { activations, erf } from "../../src/bases/activations.js";
import { activationGain, gaussianMean, rationalGain } from "../../src/bases/gain.js";
import { gaussLegendre, integrate } from "../../src/bases/quadrature.js";
import { rational } from "../../src/bases/rational.js";
import { rationalForms } from "../../src/bases/rationalForm.js";

describe("gaussLegendre", () => {
  test.each([1, 2, 5, 16])("order %i is exact to degree 2n − 1", (order) => {
    const { points, weights } = gaussLegendre(order);
    for (let degree = 0; degree < 2 * order; degree++) {
      const integral = points.reduce((sum, x, i) => sum + weights[i] * x ** degree, 0);
      expect(integral).toBeCloseTo(degree % 2 === 0 ? 2 / (degree + 1) : 0, 13);
    }
  });
});

test("integrate agrees with antiderivatives on any intervals", () => {
  fc.assert(
    fc.property(
      fc.double({ min: -3, max: 0, noNaN: true }),
      fc.double({ min: 0, max: 3, noNaN: true }),
      (a, b) => {
        expect(integrate(Math.exp, [a, 0, b])).toBeCloseTo(Math.exp(b) - Math.exp(a), 11);
      },
    ),
  );
});

describe("integrate refines", () => {
  test("at kinks and jumps, closely at no edge and exactly at one", () => {
    fc.assert(
      fc.property(fc.integer({ min: -999, max: 999 }), (n) => {
        const at = n / 1000;
        const ramp = (x: number): number => Math.abs(x - at);
        const jump = (x: number): number => (x < at ? 0 : 1);
        // Without refinement the errors are up to 1e-2 and 1e-1.
        expect(Math.abs(integrate(ramp, [-1, 1]) - (1 + at * at))).toBeLessThan(1e-4);
        expect(Math.abs(integrate(jump, [-1, 1]) - (1 - at))).toBeLessThan(1e-2);
        expect(integrate(ramp, [-1, at, 1])).toBeCloseTo(1 + at * at, 13);
        expect(integrate(jump, [-1, at, 1])).toBeCloseTo(1 - at, 13);
      }),
    );
  });

  test("at narrow peaks", () => {
    const width = 1e-4;
    const peak = integrate((x) => width / (width * width + x * x), [-1, 0.3, 1]);
    expect(peak).toBeCloseTo(2 * Math.atan(1 / width), 11);
  });

  test("not where the function is infinite or NaN, and ends", () => {
    expect(integrate(() => NaN, [0, 1])).toBeNaN();
    expect(integrate(() => Infinity, [0, 1])).toBe(Infinity);
    expect(integrate(() => 0, [0, 1])).toBe(0);
  });
});

test("gaussianMean gives the moments of the normal distribution", () => {
  const moments = [1, 0, 1, 0, 3, 0, 15, 0, 105];
  moments.forEach((moment, n) => expect(gaussianMean((x) => x ** n)).toBeCloseTo(moment, 10));
});

describe("activationGain", () => {
  // Relu and identity in closed form; the others as in table 3 of the KAT paper, which has two to three digits.
  test.each([
    ["identity", 1, 12],
    ["relu", 2, 12],
    ["gelu", 2.3517, 4],
    ["silu", 2.8108, 4],
    ["tanh", 2.5362, 4],
    ["sigmoid", 3.4086, 4],
  ] as const)("%s: %f", (name, gain, digits) => {
    expect(activationGain(activations[name])).toBeCloseTo(gain, digits);
  });
});

describe("activationGain in closed form", () => {
  test("gelu: E[gelu²] = 1/3 + 1/(2π√3)", () => {
    expect(1 / activationGain(activations.gelu)).toBeCloseTo(1 / 3 + 1 / (2 * Math.PI * Math.sqrt(3)), 13);
  });

  test("a threshold at t: P(x > t); sin(5x): (1 − e⁻⁵⁰)/2; leaky relu: (1 + slope²)/2", () => {
    expect(1 / activationGain((x) => (x > 0.3 ? 1 : 0), [0.3])).toBeCloseTo(
      (1 - erf(0.3 / Math.SQRT2)) / 2,
      12,
    );
    expect(1 / activationGain((x) => Math.sin(5 * x))).toBeCloseTo((1 - Math.exp(-50)) / 2, 12);
    expect(activationGain(activations["leakyRelu0.1"])).toBeCloseTo(2 / 1.01, 12);
  });

  test("what has no output has an infinite gain", () => {
    expect(activationGain(() => 0)).toBe(Infinity);
  });
});

describe("rationalGain", () => {
  test("of polynomials by the moments of the normal distribution", () => {
    const [a, b, c] = [0.5, -2, 0.25];
    const second = a * a + b * b + 3 * c * c + 2 * a * c;
    for (const form of rationalForms) {
      const gain = rationalGain({ form, numerator: [a, b, c], denominator: [form === "C" ? 0.9 : 0] });
      expect(gain).toBeCloseTo(1 / second, 12);
    }
  });

  test.each(rationalForms)("form %s: that of the function, kinks or not", (form) => {
    const coefficient = fc.integer({ min: -1024, max: 1024 }).map((n) => n / 1024);
    const some = fc.array(coefficient, { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(some, some, (numerator, all) => {
        fc.pre(numerator.some((a) => a !== 0));
        const denominator = form === "N" ? all.map((b, j) => (j % 2 === 0 ? 0 : Math.abs(b))) : all;
        const c = { form, numerator, denominator };
        const gain = rationalGain(c);
        expect(gain / activationGain((x) => rational(x, c))).toBeCloseTo(1, 5);
        // Scaling the function by 3 divides the gain by 9.
        const tripled = { ...c, numerator: numerator.map((a) => 3 * a) };
        expect((9 * rationalGain(tripled)) / gain).toBeCloseTo(1, 11);
      }),
      { numRuns: 25 },
    );
  });

  test("refuses poles that normal inputs meet", () => {
    expect(() => rationalGain({ form: "N", numerator: [1], denominator: [-0.5] })).toThrow("got one at 2");
    expect(rationalGain({ form: "N", numerator: [1], denominator: [0, -1 / 400] })).toBeGreaterThan(0.9);
  });
});

test("erf is odd, bounded, and the integral of its density", () => {
  expect(erf(1)).toBeCloseTo(0.842700792949715, 14);
  expect(erf(7)).toBe(1);
  fc.assert(
    fc.property(fc.double({ min: -6.5, max: 6.5, noNaN: true }), (x) => {
      const edges = Array.from({ length: 9 }, (_, i) => (x * i) / 8);
      const integral = integrate((t) => (2 / Math.sqrt(Math.PI)) * Math.exp(-t * t), edges);
      expect(erf(x)).toBeCloseTo(integral, 13);
      expect(erf(-x)).toBe(-erf(x));
    }),
  );
});
