/** Points and weights of an integration rule on [−1, 1]. */
export interface QuadratureRule {
  /** Where the function is evaluated, ascending. */
  readonly points: readonly number[];
  /** What each value counts; together 2. */
  readonly weights: readonly number[];
}

/**
 * Gauss–Legendre rule: exact for polynomials up to degree 2·`order` − 1.
 *
 * @param order number of points, ≥ 1
 */
export function gaussLegendre(order: number): QuadratureRule {
  const points: number[] = [];
  const weights: number[] = [];
  for (let i = 0; i < order; i++) {
    // Newton's method from Tricomi's estimate of the i-th root; it converges quadratically.
    let x = -Math.cos((Math.PI * (i + 0.75)) / (order + 0.5));
    let slope = 0;
    for (let step = 0; step < 8; step++) {
      const [value, derivative] = legendre(order, x);
      slope = derivative;
      x -= value / derivative;
    }
    points.push(x);
    weights.push(2 / ((1 - x * x) * slope * slope));
  }
  return { points, weights };
}

/** Legendre polynomial and its derivative by the three-term recurrence. */
function legendre(order: number, x: number): [number, number] {
  let [before, value] = [1, x];
  for (let n = 2; n <= order; n++)
    [before, value] = [value, ((2 * n - 1) * x * value - (n - 1) * before) / n];
  return [value, (order * (x * value - before)) / (x * x - 1)];
}

const rule = gaussLegendre(16);

/**
 * ∫ f(x) dx over consecutive intervals, 16 Gauss–Legendre points in each. Put an edge where `f` has a kink.
 *
 * @param edges at least two, ascending
 */
export function integrate(f: (x: number) => number, edges: readonly number[]): number {
  let total = 0;
  for (let i = 1; i < edges.length; i++) {
    const half = (edges[i] - edges[i - 1]) / 2;
    const middle = (edges[i] + edges[i - 1]) / 2;
    let sum = 0;
    rule.points.forEach((point, k) => (sum += rule.weights[k] * f(middle + half * point)));
    total += half * sum;
  }
  return total;
}
