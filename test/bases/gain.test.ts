import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { activations, erf } from "../../src/bases/activations.js";
import { activationGain, gaussianMean } from "../../src/bases/gain.js";
import { gaussLegendre, integrate } from "../../src/bases/quadrature.js";

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
