/** A matrix column by column, or the columns of a basis at the points of a grid. */
export type Columns = readonly (readonly number[] | Float64Array)[];

/**
 * A tall matrix A as Q·R by Householder reflections, for least squares. Columns are scaled to length 1 first; one that
 * depends on those before it gets the solution 0.
 */
export class OrthogonalFactor {
  readonly #reflectors: Float64Array[] = [];
  readonly #squares: number[] = [];
  readonly #upper: Float64Array[];
  readonly #scales: number[];

  /** @param columns A, column by column; as long as or longer than there are columns */
  constructor(columns: Columns) {
    this.#scales = columns.map((column) => Math.sqrt(dot(column, column, 0)) || 1);
    this.#upper = columns.map((column, k) => Float64Array.from(column, (value) => value / this.#scales[k]));
    this.#upper.forEach((column, k) => {
      const reflector = column.slice(k);
      const length = Math.sqrt(dot(reflector, reflector, 0));
      const diagonal = reflector[0] > 0 ? -length : length;
      reflector[0] -= diagonal;
      this.#reflectors.push(reflector);
      this.#squares.push(dot(reflector, reflector, 0));
      for (let j = k + 1; j < this.#upper.length; j++) this.#reflect(this.#upper[j], k);
      column[k] = length > dependent ? diagonal : 0;
    });
  }

  /** The x that minimises ‖A·x − target‖. */
  solve(target: readonly number[] | Float64Array): Float64Array {
    const right = Float64Array.from(target);
    this.#reflectors.forEach((_, k) => this.#reflect(right, k));
    const solution = new Float64Array(this.#upper.length);
    for (let k = solution.length - 1; k >= 0; k--) {
      let rest = right[k];
      for (let j = k + 1; j < solution.length; j++) rest -= this.#upper[j][k] * solution[j];
      solution[k] = this.#upper[k][k] === 0 ? 0 : rest / this.#upper[k][k];
    }
    return solution.map((value, k) => value / this.#scales[k]);
  }

  /** What A cannot reach of `target`: the part orthogonal to its columns. */
  remainder(target: readonly number[] | Float64Array): Float64Array {
    const rest = Float64Array.from(target);
    this.#reflectors.forEach((_, k) => this.#reflect(rest, k));
    this.#upper.forEach((column, k) => {
      if (column[k] !== 0) rest[k] = 0;
    });
    for (let k = this.#reflectors.length - 1; k >= 0; k--) this.#reflect(rest, k);
    return rest;
  }

  /** vector −= 2·(reflector·vector)/‖reflector‖² · reflector, from component k on */
  #reflect(vector: Float64Array, k: number): void {
    if (this.#squares[k] === 0) return;
    const reflector = this.#reflectors[k];
    const factor = (2 * dot(reflector, vector, k)) / this.#squares[k];
    for (let i = 0; i < reflector.length; i++) vector[k + i] -= factor * reflector[i];
  }
}

/** What is left of a column of length 1 when it depends on the others. */
const dependent = 1e-15;

/** Of `a` with `b` from component `offset` on. */
function dot(
  a: readonly number[] | Float64Array,
  b: readonly number[] | Float64Array,
  offset: number,
): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[offset + i];
  return sum;
}
