import { expect, test } from "vitest";
import { levenbergMarquardt, type LeastSquaresProblem } from "../../src/bases/levenbergMarquardt.js";

/** Rosenbrock's valley as residuals 10·(y − x²) and 1 − x; the least is 0 at (1, 1). */
function valley(lowerBound: number, allowed: (x: number) => boolean = () => true): LeastSquaresProblem {
  return {
    lowerBound,
    at([x, y]) {
      if (!allowed(x)) return undefined;
      const residuals = Float64Array.of(10 * (y - x * x), 1 - x);
      return {
        residuals,
        squaredError: residuals[0] ** 2 + residuals[1] ** 2,
        jacobian: () => [Float64Array.of(-20 * x, -1), Float64Array.of(10, 0)],
      };
    },
  };
}

test("goes down a curved valley to its end", () => {
  const end = levenbergMarquardt(valley(-Infinity), Float64Array.of(-1.2, 1), 200);
  expect(end?.squaredError).toBeLessThan(1e-20);
  expect(end?.parameters[0]).toBeCloseTo(1, 9);
});

test("stays above the bound, and comes off it", () => {
  const low = levenbergMarquardt(valley(1.5), Float64Array.of(3, 3), 200);
  expect(low?.parameters[0]).toBe(1.5);
  expect(low?.parameters[1]).toBeCloseTo(2.25, 9);
  const off = levenbergMarquardt(valley(0), Float64Array.of(0, 0), 200);
  expect(off?.parameters[1]).toBeCloseTo(1, 9);
});

test("avoids what is not allowed", () => {
  const end = levenbergMarquardt(
    valley(-Infinity, (x) => x < 0.5),
    Float64Array.of(-1, 1),
    200,
  );
  expect(end?.parameters[0]).toBeLessThan(0.5);
  expect(end?.squaredError).toBeLessThan(1);
  expect(
    levenbergMarquardt(
      valley(0, () => false),
      Float64Array.of(0, 0),
      200,
    ),
  ).toBeUndefined();
});

test("never ends higher than it started", () => {
  for (const steps of [0, 1, 2, 3, 5, 8]) {
    const end = levenbergMarquardt(valley(-Infinity), Float64Array.of(-1.2, 1), steps);
    expect(end?.squaredError).toBeLessThanOrEqual(24.2 + 1e-9);
  }
});
