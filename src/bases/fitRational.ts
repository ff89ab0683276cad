import { mustBe } from "../errors.js";
import { activationGain } from "./gain.js";
import { leastSquares } from "./leastSquares.js";
import { rational, type RationalCoefficients } from "./rational.js";

/** What `fitRational` fits, and where. */
export interface FitRationalOptions {
  /** Ends of the interval on which the function is matched. Default [−3, 3], as KAT's own fits. */
  interval?: readonly [number, number];
  /** Equispaced points on the interval, both ends included. Default 1201. */
  points?: number;
  /** Degrees [m, n] of numerator and denominator. Default [5, 4]. */
  degrees?: readonly [number, number];
}

/** How far a fit is from its function on its interval. */
export interface FitError {
  /** Largest |F − f| on the grid. */
  readonly maxError: number;
  /** Mean of (F − f)² on the grid. */
  readonly meanSquaredError: number;
}

/** Coefficients, and how good they are. */
export interface RationalFit extends RationalCoefficients, FitError {
  /** The interval on which `maxError` and `meanSquaredError` hold. */
  readonly interval: readonly [number, number];
  /** `activationGain` of the rational function itself: Var[x] / E[F(x)²] for x ~ N(0, 1). */
  readonly gain: number;
}

/**
 * Fits a rational function of form A to `f` by least squares.
 *
 * Levenberg–Marquardt with the bound bⱼ ≥ 0 (only |bⱼ| counts, so nothing is lost and the sign is settled), from several
 * denominators; the best end wins. Deterministic.
 *
 * @param f the function to match
 * @throws KatlabError `invalid` when there are fewer points than coefficients
 */
export function fitRational(f: (x: number) => number, options: FitRationalOptions = {}): RationalFit {
  const { interval = [-3, 3], points = 1201, degrees = [5, 4] } = options;
  const [numeratorDegree, denominatorDegree] = degrees;
  if (points < numeratorDegree + 1 + denominatorDegree) {
    throw mustBe({
      subject: "fitRational",
      must: `points must be at least the number of coefficients (${numeratorDegree + 1 + denominatorDegree})`,
      got: String(points),
      remedy: "Give more points or smaller degrees.",
    });
  }
  const xs = grid(interval, points);
  const ys = xs.map(f);
  const widest = Math.max(Math.abs(interval[0]), Math.abs(interval[1]));
  const fits = startingDenominators(denominatorDegree, widest).map((denominator) =>
    descend(xs, ys, solveNumerator(xs, ys, denominator, numeratorDegree)),
  );
  const best = fits.reduce((a, b) => (squaredError(xs, ys, b) < squaredError(xs, ys, a) ? b : a));
  return {
    ...best,
    interval,
    ...fitError(f, best, interval, points),
    gain: activationGain((x) => rational(x, best)),
  };
}

/** Distance of a rational function from `f` on an equispaced grid. */
export function fitError(
  f: (x: number) => number,
  coefficients: RationalCoefficients,
  interval: readonly [number, number],
  points = 1201,
): FitError {
  const errors = grid(interval, points).map((x) => rational(x, coefficients) - f(x));
  return {
    maxError: errors.reduce((largest, error) => Math.max(largest, Math.abs(error)), 0),
    meanSquaredError: errors.reduce((sum, error) => sum + error * error, 0) / points,
  };
}

function grid([low, high]: readonly [number, number], points: number): number[] {
  return Array.from({ length: points }, (_, i) => low + ((high - low) * i) / (points - 1));
}

/** Denominators whose terms all matter somewhere on the interval: even powers alone, and all powers, at six scales. */
function startingDenominators(degree: number, widest: number): number[][] {
  return [0.1, 0.3, 1, 3, 10, 30].flatMap((scale) =>
    [0, 1].map((odd) =>
      Array.from({ length: degree }, (_, j) => (j % 2 === 1 ? scale : odd * scale) / widest ** (j + 1)),
    ),
  );
}

/** With the denominator fixed, the best numerator is a linear problem. */
function solveNumerator(
  xs: readonly number[],
  ys: readonly number[],
  denominator: readonly number[],
  degree: number,
): RationalCoefficients {
  const weights = xs.map((x) => rational(x, { numerator: [1], denominator }));
  const columns = Array.from({ length: degree + 1 }, (_, i) => xs.map((x, k) => weights[k] * x ** i));
  return { numerator: leastSquares(columns, ys), denominator };
}

const maxSteps = 400;
const enough = 1e-13;

function descend(
  xs: readonly number[],
  ys: readonly number[],
  start: RationalCoefficients,
): RationalCoefficients {
  let current = start;
  let error = squaredError(xs, ys, current);
  let damping = 1e-3;
  for (let step = 0; step < maxSteps && damping < 1e10; step++) {
    const next = dampedStep(xs, ys, current, damping);
    const nextError = squaredError(xs, ys, next);
    if (nextError < error) {
      const gained = (error - nextError) / error;
      [current, error] = [next, nextError];
      damping /= 5;
      if (gained < enough) break;
    } else damping *= 4;
  }
  return current;
}

/** One Levenberg–Marquardt step over the coefficients that are not held at their bound. */
function dampedStep(
  xs: readonly number[],
  ys: readonly number[],
  { numerator, denominator }: RationalCoefficients,
  damping: number,
): RationalCoefficients {
  const residuals = xs.map((x, k) => rational(x, { numerator, denominator }) - ys[k]);
  const perNumerator = xs.map((x) => rational(x, { numerator: [1], denominator }));
  const columns = numerator.map((_, i) => xs.map((x, k) => perNumerator[k] * x ** i));
  const free = denominator.flatMap((b, j) => {
    const column = xs.map((x, k) => -perNumerator[k] * (residuals[k] + ys[k]) * Math.abs(x) ** (j + 1));
    const slope = column.reduce((sum, value, k) => sum + value * residuals[k], 0);
    if (b === 0 && slope >= 0) return [];
    columns.push(column);
    return [j];
  });
  const step = leastSquares(
    columns.map((column, k) => {
      const size = Math.sqrt(damping * column.reduce((sum, value) => sum + value * value, 0));
      return [...column, ...columns.map((_, row) => (row === k ? size : 0))];
    }),
    [...residuals.map((residual) => -residual), ...columns.map(() => 0)],
  );
  const moved = [...denominator];
  free.forEach((j, k) => (moved[j] = Math.max(0, moved[j] + step[numerator.length + k])));
  return { numerator: numerator.map((a, i) => a + step[i]), denominator: moved };
}

function squaredError(
  xs: readonly number[],
  ys: readonly number[],
  coefficients: RationalCoefficients,
): number {
  return xs.reduce((sum, x, k) => sum + (rational(x, coefficients) - ys[k]) ** 2, 0);
}
