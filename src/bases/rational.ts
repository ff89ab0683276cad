/**
 * Coefficients of one rational function of form A, the form that KAT's published checkpoints use:
 *
 *     F(x) = P(x) / Q(x)
 *     P(x) = a₀ + a₁x + … + aₘxᵐ
 *     Q(x) = 1 + |b₁||x| + … + |bₙ||x|ⁿ
 *
 * Q ≥ 1, so F has no poles, whatever the coefficients. KAT uses m = 5, n = 4.
 * (Equation 12 of the paper, arXiv 2409.10594, is another form, `1 + |Σ bⱼxʲ|`; nothing published was trained with it.)
 */
export interface RationalCoefficients {
  /** a₀ … aₘ, lowest power first. */
  readonly numerator: readonly number[];
  /** b₁ … bₙ, lowest power first; only |bⱼ| matters to the value. */
  readonly denominator: readonly number[];
}

/** F and its first two derivatives in x at one point. */
export interface RationalDerivatives {
  /** F(x). */
  readonly value: number;
  /** F′(x); at x = 0 the derivative from the right. */
  readonly first: number;
  /** F″(x); at x = 0 the derivative from the right. */
  readonly second: number;
}

/** Derivatives of `upstream · F(x)`, by x and by each coefficient. */
export interface RationalGradient {
  /** By x: upstream · F′(x). */
  readonly x: number;
  /** By a₀ … aₘ. */
  readonly numerator: number[];
  /** By b₁ … bₙ. */
  readonly denominator: number[];
}

/**
 * The sign in every derivative of |·| here and in the operators: **+1 at zero** (and at −0), else the usual sign.
 *
 * With slope 0 at zero, as autograd has it, a denominator that starts at exactly zero (the identity preset) would never
 * move; with +1 it learns.
 */
export function signFromRight(t: number): 1 | -1 {
  return t < 0 ? -1 : 1;
}

/**
 * Value of a rational function of form A, in float64: the reference of the operators.
 *
 * @returns F(x)
 */
export function rational(x: number, { numerator, denominator }: RationalCoefficients): number {
  return horner(numerator, x) / hornerOfDenominator(denominator, Math.abs(x));
}

/**
 * Value and derivatives in x:
 *
 *     F′ = (P′ − F·Q′) / Q        F″ = (P″ − 2F′·Q′ − F·Q″) / Q
 *
 * F has a kink at x = 0 where b₁ ≠ 0; there these are the derivatives from the right.
 */
export function rationalDerivatives(x: number, coefficients: RationalCoefficients): RationalDerivatives {
  const [p, p1, p2] = taylor(coefficients.numerator, x);
  const absolute = coefficients.denominator.map(Math.abs);
  const [q, q1, q2] = taylor([1, ...absolute], Math.abs(x));
  const slope = signFromRight(x) * q1;
  const value = p / q;
  const first = (p1 - value * slope) / q;
  return { value, first, second: (p2 - 2 * first * slope - value * q2) / q };
}

/**
 * Derivatives of `upstream · F(x)` by x and by the coefficients, s(·) = `signFromRight`:
 *
 *     ∂F/∂aᵢ = xⁱ / Q        ∂F/∂bⱼ = −s(bⱼ)·F·|x|ʲ / Q
 *
 * @param upstream derivative of the loss by F(x); default 1
 */
export function rationalGradient(
  x: number,
  coefficients: RationalCoefficients,
  upstream = 1,
): RationalGradient {
  const { numerator, denominator } = coefficients;
  const { value, first } = rationalDerivatives(x, coefficients);
  const perNumerator = upstream / hornerOfDenominator(denominator, Math.abs(x));
  const perDenominator = -perNumerator * value;
  return {
    x: upstream * first,
    numerator: numerator.map((_, i) => perNumerator * x ** i),
    denominator: denominator.map((b, j) => signFromRight(b) * perDenominator * Math.abs(x) ** (j + 1)),
  };
}

function horner(coefficients: readonly number[], x: number): number {
  return coefficients.reduceRight((sum, coefficient) => sum * x + coefficient, 0);
}

function hornerOfDenominator(denominator: readonly number[], size: number): number {
  return denominator.reduceRight((sum, b) => (sum + Math.abs(b)) * size, 0) + 1;
}

/** A polynomial and its first two derivatives, in one Horner pass. */
function taylor(coefficients: readonly number[], x: number): [number, number, number] {
  let [value, first, halfSecond] = [0, 0, 0];
  for (let i = coefficients.length - 1; i >= 0; i--) {
    halfSecond = halfSecond * x + first;
    first = first * x + value;
    value = value * x + coefficients[i];
  }
  return [value, first, 2 * halfSecond];
}
