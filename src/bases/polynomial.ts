/** Value and the first two derivatives of a polynomial at one point. */
export type PolynomialTaylor = [value: number, first: number, second: number];

/** A polynomial and its first two derivatives at `x`, in one Horner pass; coefficients from the lowest power. */
export function polynomialTaylor(coefficients: readonly number[], x: number): PolynomialTaylor {
  let [value, first, halfSecond] = [0, 0, 0];
  for (let i = coefficients.length - 1; i >= 0; i--) {
    halfSecond = halfSecond * x + first;
    first = first * x + value;
    value = value * x + coefficients[i];
  }
  return [value, first, 2 * halfSecond];
}

/** c₀ + c₁x + … by Horner's scheme. */
export function polynomial(coefficients: readonly number[], x: number): number {
  return coefficients.reduceRight((sum, coefficient) => sum * x + coefficient, 0);
}

/** Coefficients of the derivative. */
export function polynomialDerivative(coefficients: readonly number[]): number[] {
  return coefficients.slice(1).map((coefficient, i) => (i + 1) * coefficient);
}

/**
 * The real zeros of a polynomial in an interval, ascending, each once; none for the zero polynomial.
 *
 * Between neighbouring zeros of its derivative a polynomial is monotone, so that bisection finds the one zero that may
 * lie there. A zero that is only touched counts where the value is nothing but rounding.
 */
export function polynomialZeros(
  coefficients: readonly number[],
  [low, high]: readonly [number, number],
): number[] {
  const degree = coefficients.findLastIndex((coefficient) => coefficient !== 0);
  if (degree < 1) return [];
  const kept = coefficients.slice(0, degree + 1);
  const turns = polynomialZeros(polynomialDerivative(kept), [low, high]);
  const marks = [low, ...turns, high].map((x) => [x, significantValue(kept, x)] as const);
  const zeros: number[] = [];
  marks.forEach(([x, value], k) => {
    if (value === 0 && zeros.at(-1) !== x) zeros.push(x);
    const next = marks.at(k + 1);
    if (next && Math.sign(value) * Math.sign(next[1]) < 0) zeros.push(crossing(kept, x, next[0]));
  });
  return zeros;
}

/** The value, or zero where it is no larger than the rounding of its terms. */
function significantValue(coefficients: readonly number[], x: number): number {
  const value = polynomial(coefficients, x);
  const size = polynomial(coefficients.map(Math.abs), Math.abs(x));
  return Math.abs(value) <= 2 * coefficients.length * Number.EPSILON * size ? 0 : value;
}

/** Where the sign changes between `from` and `to`, to the last bit. */
function crossing(coefficients: readonly number[], from: number, to: number): number {
  const side = Math.sign(polynomial(coefficients, from));
  let [a, b] = [from, to];
  for (;;) {
    const middle = a + (b - a) / 2;
    const sign = Math.sign(polynomial(coefficients, middle));
    if (middle === a || middle === b || sign === 0) return middle;
    if (sign === side) a = middle;
    else b = middle;
  }
}
