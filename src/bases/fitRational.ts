import { type KatlabError, mustBe, unknownOption } from "../errors.js";
import { rationalGain } from "./gain.js";
import { type Descent, levenbergMarquardt } from "./levenbergMarquardt.js";
import { rational, type RationalCoefficients } from "./rational.js";
import { denominatorShape, type RationalDegrees, type RationalForm, rationalTerms } from "./rationalForm.js";
import { mustBeInterval, rationalPoles } from "./rationalPoles.js";
import { RationalProjection, type RationalTarget } from "./rationalProjection.js";

/** What a fit makes small: the mean squared error, or the largest error. */
export type FitCriterion = "least-squares" | "minimax";

/** What `fitRational` fits, and where. */
export interface FitRationalOptions {
  /** How the denominator is made. Default `"A"`, KAT's; `"D"` is fitted as `"B"`. */
  form?: RationalForm;
  /** Degrees [m, n] of numerator and denominator. Default [5, 4]. */
  degrees?: RationalDegrees;
  /** Ends of the interval on which the function is matched. Default [−3, 3], as KAT's own fits. */
  interval?: readonly [number, number];
  /** Equispaced points on the interval, both ends included. Default 1201. */
  points?: number;
  /**
   * What the squared error at x counts, ≥ 0: for example a density of inputs. Default 1 everywhere. With `"minimax"` the
   * points count where it is above 0.
   */
  weight?: (x: number) => number;
  /** What is made small. Default `"least-squares"`. */
  criterion?: FitCriterion;
  /** Where a function of form N must have no pole; holds the interval. Default the interval; others never have any. */
  poleFree?: readonly [number, number];
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
  /** How the denominator is made. */
  readonly form: RationalForm;
  /** The interval on which `maxError` and `meanSquaredError` hold. */
  readonly interval: readonly [number, number];
  /** `rationalGain`: Var[x] / E[F(x)²] for x ~ N(0, 1). 0 where a pole within ±12 makes E[F²] infinite. */
  readonly gain: number;
}

/** Steps of Levenberg–Marquardt from every start, and from the best of them to the end. */
const trySteps = 25;
const tryPoints = 120;
const finishSteps = 250;
const finalists = 3;
/** Ends that differ by less are one. */
const sameEnd = 1e-6;

/**
 * Fits a rational function of any form and degrees to `f` by least squares, or with `criterion: "minimax"` so that the
 * largest error is as small as can be.
 *
 * The numerator is eliminated as a linear problem in a Chebyshev basis; the denominator is found by Levenberg–Marquardt
 * from a linearised fit and from denominators of several scales, and the best end wins. In form A bⱼ ≥ 0 (only |bⱼ| counts,
 * so nothing is lost and the sign is settled). In form N denominators with a zero on `poleFree` are not allowed. Minimax:
 * the squared errors are reweighted until the peaks are level (Lawson, 1961). Deterministic. Tried up to degrees 8 and 8.
 *
 * @param f the function to match; finite on the interval
 * @throws KatlabError `invalid` for settings out of range, for fewer points than coefficients, where `f` is not finite, or
 *   on an interval so small or large that coefficients overflow; `unknown` for another form or criterion
 */
export function fitRational(f: (x: number) => number, options: FitRationalOptions = {}): RationalFit {
  const { target, size } = checkedTarget(f, options);
  const { problem, descent } = bestDescent(target);
  const { form, interval } = target;
  const { numerator, denominator } =
    options.criterion === "minimax"
      ? levelled(problem.target, descent)
      : problem.coefficients(descent.parameters);
  const coefficients = { form, numerator: numerator.map((a) => size * a), denominator };
  if (![...coefficients.numerator, ...denominator].every(Number.isFinite)) throw noFit(target);
  return {
    ...coefficients,
    interval,
    ...fitError(f, coefficients, interval, target.xs.length),
    gain: rationalPoles(coefficients, [-12, 12]).length > 0 ? 0 : rationalGain(coefficients),
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

/** A problem and where its descents ended best. */
interface Solution {
  readonly problem: RationalProjection;
  readonly descent: Descent;
}

/**
 * The best end of descents. Form C can write a function whose sum keeps its sign in many ways, F = λP/λQ; so b₀ = 0.9,
 * which makes Q(0) = 1, unless kinks are worth something.
 */
function bestDescent(target: RationalTarget): Solution {
  if (target.form !== "C") return descended(target);
  const smooth = descended({ ...target, constant: 1 - denominatorShape("C").floor });
  const free = descended(target);
  return free.descent.squaredError < worthKinks * smooth.descent.squaredError ? free : smooth;
}

const worthKinks = 0.95;

function descended(target: RationalTarget): Solution {
  const problem = new RationalProjection(target);
  const sketch = new RationalProjection(thinned(target));
  const tried = starts(sketch, target)
    .map((start) => levenbergMarquardt(sketch, start, trySteps))
    .filter((descent) => descent !== undefined)
    .sort(byError)
    .filter(({ squaredError }, k, all) => k === 0 || squaredError > (1 + sameEnd) * all[k - 1].squaredError);
  const finished = tried
    .slice(0, finalists)
    .map(({ parameters }) => levenbergMarquardt(problem, parameters, finishSteps))
    .filter((descent) => descent !== undefined)
    .sort(byError);
  const descent = finished.at(0);
  if (!descent) throw noFit(target);
  return { problem, descent };
}

function noFit({ interval }: RationalTarget): KatlabError {
  return mustBe({
    subject: "fitRational",
    must: "coefficients by powers of x must be numbers that float64 holds",
    got: `others on [${interval.join(", ")}]`,
    remedy: "Fit on an interval of ordinary size and stretch the function.",
  });
}

/** The target on fewer points, for the tries. */
function thinned(target: RationalTarget): RationalTarget {
  const stride = Math.max(1, Math.floor(target.xs.length / tryPoints));
  const kept = (values: readonly number[]): number[] => values.filter((_, row) => row % stride === 0);
  return { ...target, xs: kept(target.xs), ys: kept(target.ys), weights: kept(target.weights) };
}

function byError(a: Descent, b: Descent): number {
  return a.squaredError - b.squaredError;
}

/** A linearised fit, no denominator, and sums of even, of odd and of all powers that matter somewhere on the interval. */
function starts(problem: RationalProjection, { interval, form, degrees }: RationalTarget): Float64Array[] {
  const widest = Math.max(...interval.map(Math.abs));
  const { bars } = denominatorShape(form);
  const scaled = [0.1, 0.3, 1, 3, 10, 30].flatMap((scale) =>
    [[2], [1], [1, 2]].map((firsts) =>
      problem.parametersNear((x) => {
        const t = (bars === "each term" ? Math.abs(x) : x) / widest;
        let sum = 0;
        for (const first of firsts) for (let j = first; j <= degrees[1]; j += 2) sum += scale * t ** j;
        return sum;
      }),
    ),
  );
  return [problem.linearisedParameters(), problem.parametersNear(() => 0), ...scaled];
}

const levellings = 80;
const levellingSteps = 12;

/** Lawson's algorithm: points count by their error in every earlier round; the round with the least largest error. */
function levelled(target: RationalTarget, from: Descent): RationalCoefficients {
  let { parameters } = from;
  let weights = target.weights;
  const rounds: { coefficients: RationalCoefficients; maxError: number }[] = [];
  for (let round = 0; round < levellings; round++) {
    const problem = new RationalProjection({ ...target, weights });
    parameters = levenbergMarquardt(problem, parameters, levellingSteps)?.parameters ?? parameters;
    const coefficients = problem.coefficients(parameters);
    const errors = target.xs.map((x, row) =>
      target.weights[row] > 0 ? Math.abs(rational(x, coefficients) - target.ys[row]) : 0,
    );
    const maxError = Math.max(...errors);
    rounds.push({ coefficients, maxError });
    if (maxError === 0) break;
    const heavier = weights.map((weight, row) => weight * (errors[row] / maxError));
    const mean = heavier.reduce((sum, weight) => sum + weight, 0) / heavier.length;
    weights = heavier.map((weight) => weight / mean);
  }
  return rounds.reduce((a, b) => (b.maxError < a.maxError ? b : a)).coefficients;
}

const criteria: readonly FitCriterion[] = ["least-squares", "minimax"];

/** What to fit, and the power of two that `ys` were divided by so that no square overflows. */
interface ScaledTarget {
  readonly target: RationalTarget;
  readonly size: number;
}

function checkedTarget(f: (x: number) => number, options: FitRationalOptions): ScaledTarget {
  const subject = "fitRational";
  const { form = "A", degrees = [5, 4], interval = [-3, 3], points = 1201, criterion, weight } = options;
  const { poleFree = interval } = options;
  if (criterion && !criteria.includes(criterion)) throw unknownOption("fit criterion", criterion, criteria);
  mustBeInterval(subject, interval);
  mustBeInterval(subject, poleFree);
  if (poleFree[0] > interval[0] || poleFree[1] < interval[1]) {
    throw mustBe({
      subject,
      must: `poleFree must hold the interval [${interval.join(", ")}]`,
      got: `[${poleFree.join(", ")}]`,
      remedy: "Leave it out for the interval itself.",
    });
  }
  const terms = rationalTerms(form, degrees).reduce((sum, count) => sum + count, 0);
  if (!Number.isInteger(points) || points < terms || points < 2) {
    throw mustBe({
      subject,
      must: `points must be at least the number of coefficients (${terms}), and 2`,
      got: String(points),
      remedy: "Give more points or smaller degrees.",
    });
  }
  const xs = grid(interval, points);
  const ys = finite(`${subject}: f`, xs, f, -Infinity);
  const weights = weight ? finite(`${subject}: weight`, xs, weight, 0) : xs.map(() => 1);
  const heavy = weights.filter((value) => value > 0).length;
  if (heavy < terms) {
    throw mustBe({
      subject,
      must: `weight must be above 0 at as many points as there are coefficients (${terms})`,
      got: `${heavy} such points`,
      remedy: "Give more points, or a wider weight.",
    });
  }
  const [size, heaviest] = [binarySize(ys), binarySize(weights)];
  return {
    target: {
      xs,
      ys: ys.map((value) => value / size),
      weights: weights.map((value) => value / heaviest),
      interval,
      form,
      degrees,
      poleFree,
    },
    size,
  };
}

/** The largest power of two that is not above the largest value; 1 where all are zero. */
function binarySize(values: readonly number[]): number {
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return largest === 0 ? 1 : 2 ** Math.max(-1022, Math.floor(Math.log2(largest)));
}

function finite(subject: string, xs: readonly number[], f: (x: number) => number, least: number): number[] {
  return xs.map((x) => {
    const value = f(x);
    if (Number.isFinite(value) && value >= least) return value;
    throw mustBe({
      subject,
      must: least === 0 ? "must be finite and ≥ 0 on the interval" : "must be finite on the interval",
      got: `${value} at ${x}`,
      remedy: "Choose an interval where it is.",
    });
  });
}
