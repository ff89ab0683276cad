import { OrthogonalFactor } from "./orthogonalFactor.js";

/** A place in the parameters' space, and what is needed to go on from there. */
export interface Linearised {
  /** ‖residuals‖². */
  readonly squaredError: number;
  /** What is to be made small, one number a point. */
  readonly residuals: Float64Array;
  /** Derivatives of the residuals by each parameter. */
  jacobian(): Float64Array[];
}

/** A non-linear least-squares problem. */
export interface LeastSquaresProblem {
  /** The problem at `parameters`; `undefined` where these are not allowed. */
  at(parameters: Float64Array): Linearised | undefined;
  /** Parameters must not be below; −∞ for no bound. */
  readonly lowerBound: number;
}

/** Where a descent ended. */
export interface Descent {
  readonly parameters: Float64Array;
  readonly squaredError: number;
}

/** The relative gain below which a step counts as the last. */
const enough = 1e-13;
/** Weight of staying where one is. */
const firstDamping = 1e-3;
const mostDamping = 1e12;

/**
 * Levenberg–Marquardt: Gauss–Newton steps, damped as far as needed to go down. Parameters at their bound that want to
 * cross it are held for the step.
 *
 * @param steps at most so many tries
 * @returns `undefined` when the start is not allowed
 */
export function levenbergMarquardt(
  problem: LeastSquaresProblem,
  start: Float64Array,
  steps: number,
): Descent | undefined {
  let parameters = start;
  let here = problem.at(parameters);
  if (!here || !Number.isFinite(here.squaredError)) return undefined;
  let damping = firstDamping;
  let system: DampedSystem | undefined;
  for (let step = 0; step < steps && damping < mostDamping && here.squaredError > 0; step++) {
    system ??= dampedSystem(here, parameters, problem.lowerBound);
    const next = moved(parameters, system, damping, problem.lowerBound);
    const there = problem.at(next);
    if (there && there.squaredError < here.squaredError) {
      const gained = 1 - there.squaredError / here.squaredError;
      [parameters, here, system] = [next, there, undefined];
      damping /= 5;
      if (gained < enough) break;
    } else damping *= 4;
  }
  return { parameters, squaredError: here.squaredError };
}

/** JᵀJ by its columns and Jᵀr, over the parameters that may move. */
interface DampedSystem {
  readonly free: readonly number[];
  readonly columns: readonly Float64Array[];
  readonly lengths: readonly number[];
  readonly residuals: Float64Array;
}

function dampedSystem(here: Linearised, parameters: Float64Array, lowerBound: number): DampedSystem {
  const jacobian = here.jacobian();
  const free = [...parameters.keys()].filter((k) => {
    if (parameters[k] > lowerBound) return true;
    return jacobian[k].reduce((slope, value, row) => slope + value * here.residuals[row], 0) < 0;
  });
  const columns = free.map((k) => jacobian[k]);
  const lengths = columns.map((column) => Math.sqrt(column.reduce((sum, value) => sum + value * value, 0)));
  return { free, columns, lengths, residuals: here.residuals };
}

/** One step: the least ‖J·s + r‖² + damping·Σ(‖Jₖ‖·sₖ)². */
function moved(
  parameters: Float64Array,
  { free, columns, lengths, residuals }: DampedSystem,
  damping: number,
  lowerBound: number,
): Float64Array {
  const points = residuals.length;
  const extended = columns.map((column, k) => {
    const taller = new Float64Array(points + columns.length);
    taller.set(column);
    taller[points + k] = Math.sqrt(damping) * lengths[k];
    return taller;
  });
  const target = new Float64Array(points + columns.length);
  residuals.forEach((residual, row) => (target[row] = -residual));
  const step = new OrthogonalFactor(extended).solve(target);
  const next = parameters.slice();
  free.forEach((k, i) => (next[k] = Math.max(lowerBound, next[k] + step[i])));
  return next;
}
