import { chebyshevToPowers, chebyshevValues } from "./chebyshev.js";
import type { LeastSquaresProblem, Linearised } from "./levenbergMarquardt.js";
import { type Columns, OrthogonalFactor } from "./orthogonalFactor.js";
import type { RationalCoefficients } from "./rational.js";
import {
  denominatorShape,
  type DenominatorShape,
  type RationalDegrees,
  type RationalForm,
} from "./rationalForm.js";
import { rationalPoles } from "./rationalPoles.js";

/** A function on a grid, and the kind of rational function to match it with. */
export interface RationalTarget {
  /** The points, on `interval`. */
  readonly xs: readonly number[];
  /** The function there. */
  readonly ys: readonly number[];
  /** What each squared error counts, ≥ 0. */
  readonly weights: readonly number[];
  /** Ends of the points. */
  readonly interval: readonly [number, number];
  /** How the denominator is made. */
  readonly form: RationalForm;
  /** Degrees of numerator and denominator. */
  readonly degrees: RationalDegrees;
  /** Where a function of form N must have no pole; holds `interval`. */
  readonly poleFree: readonly [number, number];
  /** Form C: b₀ where it is held. */
  readonly constant?: number;
}

/**
 * Fitting a rational function as a least-squares problem in its denominator alone: for each denominator the best
 * numerator is a linear problem, solved on the way ("variable projection", Golub and Pereyra, 1973; derivatives in
 * Kaufman's form, 1975).
 *
 * Parameters are those of a well-conditioned basis: Chebyshev polynomials on the interval for P and for the sum in Q (there
 * times x where b₀ is missing), powers of |x| over its largest value in form A, whose coefficients must not be negative.
 */
export class RationalProjection implements LeastSquaresProblem {
  readonly lowerBound: number;
  /** What is fitted. */
  readonly target: RationalTarget;
  readonly #shape: DenominatorShape;
  readonly #roots: Float64Array;
  readonly #weighted: Float64Array;
  readonly #numeratorBasis: Columns;
  readonly #denominatorBasis: Columns;
  readonly #widest: number;
  readonly #constant: number;

  constructor(target: RationalTarget) {
    const { xs, ys, weights, interval, form, degrees } = target;
    this.target = target;
    const shape = denominatorShape(form);
    this.#constant = target.constant ?? 0;
    this.#shape = target.constant === undefined ? shape : { ...shape, firstPower: 1 };
    this.lowerBound = this.#shape.bars === "each term" ? 0 : -Infinity;
    this.#roots = Float64Array.from(weights, Math.sqrt);
    this.#weighted = this.#roots.map((root, row) => root * ys[row]);
    this.#widest = Math.max(...interval.map(Math.abs));
    const [middle, half] = centre(interval);
    const [numeratorDegree, denominatorDegree] = degrees;
    const count = Math.max(numeratorDegree, denominatorDegree) + 1;
    const chebyshev = transposed(xs.map((x) => chebyshevValues((x - middle) / half, count)));
    const { bars, firstPower } = this.#shape;
    this.#numeratorBasis = chebyshev.slice(0, numeratorDegree + 1);
    this.#denominatorBasis =
      bars === "each term"
        ? Array.from({ length: denominatorDegree }, (_, j) =>
            Float64Array.from(xs, (x) => (Math.abs(x) / this.#widest) ** (j + 1)),
          )
        : chebyshev
            .slice(0, denominatorDegree + 1 - firstPower)
            .map((column) =>
              firstPower === 0 ? column : column.map((value, row) => (value * xs[row]) / this.#widest),
            );
  }

  /** Parameters whose sum inside Q comes closest to `sum`. */
  parametersNear(sum: (x: number) => number): Float64Array {
    const rest = this.target.xs.map((x) => sum(x) - this.#constant);
    const parameters = new OrthogonalFactor(this.#denominatorBasis).solve(rest);
    return parameters.map((value) => Math.max(this.lowerBound, value));
  }

  /**
   * Parameters that make P − f·Q small, weighted by the Q found before: a linear problem each time (Sanathanan and
   * Koerner, 1963). The sum in Q counts as positive.
   */
  linearisedParameters(iterations = 8): Float64Array {
    const constant = this.#shape.floor + this.#constant;
    let parameters = new Float64Array(this.#denominatorBasis.length);
    let q = new Float64Array(this.#roots.length).fill(1);
    for (let iteration = 0; iteration < iterations; iteration++) {
      const factor = new OrthogonalFactor([
        ...this.#numeratorBasis.map((column) => this.#over(column, q)),
        ...this.#denominatorBasis.map((column) =>
          this.#over(
            column.map((value, row) => -value * this.target.ys[row]),
            q,
          ),
        ),
      ]);
      const solution = factor.solve(this.#weighted.map((value, row) => (constant * value) / q[row]));
      parameters = solution
        .slice(this.#numeratorBasis.length)
        .map((value) => Math.max(this.lowerBound, value));
      q = this.#sum(parameters).map((sum) => Math.max(Math.abs(this.#shape.floor + sum), 1e-3));
    }
    return parameters;
  }

  at(parameters: Float64Array): Linearised | undefined {
    if (this.#hasPole(parameters)) return undefined;
    const { sides, factor } = this.#solved(parameters);
    const residuals = factor.remainder(this.#weighted);
    return {
      residuals,
      squaredError: residuals.reduce((sum, residual) => sum + residual * residual, 0),
      jacobian: () => {
        const slopes = sides.map((side, row) => side * (this.#weighted[row] - residuals[row]));
        return this.#denominatorBasis.map((column) =>
          factor.remainder(column.map((value, row) => value * slopes[row])),
        );
      },
    };
  }

  /** F at `parameters`, by powers of x. */
  coefficients(parameters: Float64Array): RationalCoefficients {
    const { factor } = this.#solved(parameters);
    // The sign of a sum between bars is free: mostly positive.
    const sum = this.#sum(parameters).reduce((total, value) => total + value, 0);
    const sign = this.#shape.bars === "sum" && sum < 0 ? -1 : 1;
    return {
      form: this.target.form,
      numerator: chebyshevToPowers(factor.solve(this.#weighted), ...centre(this.target.interval)),
      denominator: this.#denominator(parameters).map((b) => sign * b),
    };
  }

  #hasPole(parameters: Float64Array): boolean {
    if (this.target.form !== "N") return false;
    const denominator = this.#denominator(parameters);
    return (
      !denominator.every(Number.isFinite) ||
      rationalPoles({ form: "N", numerator: [1], denominator }, this.target.poleFree).length > 0
    );
  }

  #denominator(parameters: Float64Array): number[] {
    if (this.#shape.bars === "each term") {
      return Array.from(parameters, (value, j) => value / this.#widest ** (j + 1));
    }
    const powers =
      parameters.length === 0 ? [] : chebyshevToPowers(parameters, ...centre(this.target.interval));
    if (this.#shape.firstPower === 0) return powers;
    const higher = powers.map((value) => value / this.#widest);
    return this.target.constant === undefined ? higher : [this.#constant, ...higher];
  }

  /** ∂Q/∂sum over Q at every point, and the columns of P over Q. */
  #solved(parameters: Float64Array): { sides: Float64Array; factor: OrthogonalFactor } {
    const { floor, bars } = this.#shape;
    const sum = this.#sum(parameters);
    const sides = sum.map((value) => (bars === "sum" && value < 0 ? -1 : 1));
    const q = sum.map((value, row) => floor + sides[row] * value);
    const factor = new OrthogonalFactor(this.#numeratorBasis.map((column) => this.#over(column, q)));
    return { sides: sides.map((side, row) => side / q[row]), factor };
  }

  #sum(parameters: Float64Array): Float64Array {
    const sum = new Float64Array(this.#roots.length).fill(this.#constant);
    this.#denominatorBasis.forEach((column, j) => {
      for (let row = 0; row < sum.length; row++) sum[row] += parameters[j] * column[row];
    });
    return sum;
  }

  #over(column: readonly number[] | Float64Array, q: Float64Array): Float64Array {
    return this.#roots.map((root, row) => (root * column[row]) / q[row]);
  }
}

function centre([low, high]: readonly [number, number]): [middle: number, half: number] {
  return [(low + high) / 2, (high - low) / 2];
}

function transposed(rows: readonly (readonly number[])[]): Float64Array[] {
  return rows[0].map((_, column) => Float64Array.from(rows, (row) => row[column]));
}
