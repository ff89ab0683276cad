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
/** How far two halves may be from their whole, as a part of ∫ |f|. */
const tolerance = 1e-14;
/** Halvings of one interval: at a jump, the last is as short as the distance between numbers. */
const deepest = 52;

/**
 * ∫ f(x) dx over consecutive intervals by 16 Gauss–Legendre points, halving an interval until its halves agree with it.
 *
 * About 14 digits where `f` is smooth between the edges: put one at every kink and jump. Others are looked for by the
 * halving, but what lies beyond the last point of a half, within half a percent of its end, can stay unseen. Where `f` is
 * not finite, the result is not.
 *
 * @param edges at least two, ascending
 */
export function integrate(f: (x: number) => number, edges: readonly number[]): number {
  const wholes = edges.slice(1).map((end, i) => panel(f, edges[i], end));
  const enough = tolerance * wholes.reduce((sum, { size }) => sum + size, 0);
  return wholes.reduce((sum, whole) => sum + refine(f, whole, enough, deepest), 0);
}

/** The rule on one interval. */
interface Panel {
  readonly from: number;
  readonly to: number;
  /** ∫ f */
  readonly integral: number;
  /** ∫ |f| */
  readonly size: number;
}

function panel(f: (x: number) => number, from: number, to: number): Panel {
  const half = (to - from) / 2;
  const middle = (to + from) / 2;
  let [integral, size] = [0, 0];
  rule.points.forEach((point, k) => {
    const part = half * rule.weights[k] * f(middle + half * point);
    integral += part;
    size += Math.abs(part);
  });
  return { from, to, integral, size };
}

function refine(f: (x: number) => number, whole: Panel, enough: number, depth: number): number {
  const middle = (whole.from + whole.to) / 2;
  const left = panel(f, whole.from, middle);
  const right = panel(f, middle, whole.to);
  const halves = left.integral + right.integral;
  // Also where the difference is NaN: halving does not make a function finite.
  if (!(Math.abs(halves - whole.integral) > enough) || depth === 0) return halves;
  return refine(f, left, enough, depth - 1) + refine(f, right, enough, depth - 1);
}
