import { mustBe } from "../errors.js";
import { polynomial, polynomialTaylor } from "./polynomial.js";
import { denominatorShape, type RationalForm } from "./rationalForm.js";

/**
 * Coefficients of one rational function of any degrees:
 *
 *     F(x) = P(x) / Q(x)        P(x) = a₀ + a₁x + … + aₘxᵐ
 *
 * Q depends on the form, see {@link RationalForm}. Left out, it is A, the form of KAT's published checkpoints, which has
 * no poles whatever the coefficients:
 *
 *     Q(x) = 1 + |b₁||x| + … + |bₙ||x|ⁿ
 *
 * KAT uses m = 5, n = 4.
 */
export interface RationalCoefficients {
  /** a₀ … aₘ, lowest power first; at least a₀. */
  readonly numerator: readonly number[];
  /** b₁ … bₙ, lowest power first; in form C b₀ … bₙ. In form A only |bⱼ| matters to the value. */
  readonly denominator: readonly number[];
  /** How Q is made. Default `"A"`. */
  readonly form?: RationalForm;
}

/** F and its first two derivatives in x at one point. */
export interface RationalDerivatives {
  /** F(x). */
  readonly value: number;
  /** F′(x); at a kink with sign(0) = +1 for what the bars hold: in form A the derivative from the right. */
  readonly first: number;
  /** F″(x); at a kink likewise. */
  readonly second: number;
}

/** Derivatives of `upstream · F(x)`, by x and by each coefficient. */
export interface RationalGradient {
  /** By x: upstream · F′(x). */
  readonly x: number;
  /** By a₀ … aₘ. */
  readonly numerator: number[];
  /** By b₁ … bₙ; in form C by b₀ … bₙ. */
  readonly denominator: number[];
}

/** Q and its first two derivatives in x at one point. */
interface Denominator {
  readonly value: number;
  readonly first: number;
  readonly second: number;
  /** The sign with which the sum in the bars counts; +1 where each term has its own. */
  readonly side: 1 | -1;
}

/**
 * The sign in every derivative of |·| here and in the operators: **+1 at zero** (and at −0), else the usual sign.
 *
 * With slope 0 at zero, as autograd has it, a denominator that starts at exactly zero (the identity preset) would never
 * move; with +1 it learns. For |x| this is the derivative from the right.
 */
export function signFromRight(t: number): 1 | -1 {
  return t < 0 ? -1 : 1;
}

/**
 * Value of a rational function, in float64: the reference of the operators.
 *
 * NaN passes through. P and Q are computed as they stand: where they overflow (xᵐ at 1e308, for degree 5 at |x| = 4e61)
 * the result is infinite or NaN, in the float32 operators likewise (xᵐ at 3e38, |x| = 5e7). At a pole of form N the value
 * is infinite, or NaN where P is zero too; `rationalPoles` finds these points.
 *
 * @returns F(x)
 * @throws KatlabError `unknown` for another form, `invalid` without a₀ or, in form C, b₀
 */
export function rational(x: number, coefficients: RationalCoefficients): number {
  return polynomial(coefficients.numerator, x) / rationalDenominator(x, coefficients);
}

/**
 * Q(x), the denominator of a rational function.
 *
 * @throws KatlabError as `rational`
 */
export function rationalDenominator(x: number, coefficients: RationalCoefficients): number {
  return denominatorAt(x, coefficients).value;
}

/**
 * Value and derivatives in x:
 *
 *     F′ = (P′ − F·Q′) / Q        F″ = (P″ − 2F′·Q′ − F·Q″) / Q
 *
 * F has a kink where the inside of a |·| changes sign: at x = 0 in form A if b₁ ≠ 0, at zeros of the sum in B, C and D.
 *
 * @throws KatlabError as `rational`
 */
export function rationalDerivatives(x: number, coefficients: RationalCoefficients): RationalDerivatives {
  const [p, p1, p2] = polynomialTaylor(coefficients.numerator, x);
  const q = denominatorAt(x, coefficients);
  const value = p / q.value;
  const first = (p1 - value * q.first) / q.value;
  return { value, first, second: (p2 - 2 * first * q.first - value * q.second) / q.value };
}

/**
 * Derivatives of `upstream · F(x)` by x and by the coefficients; s is the sign, with s(0) = +1:
 *
 *     ∂F/∂aᵢ = xⁱ / Q
 *     ∂F/∂bⱼ = −s(bⱼ)·F·|x|ʲ / Q (A)    −s(Σ bₖxᵏ)·F·xʲ / Q (B, C, D)    −F·xʲ / Q (N)
 *
 * Form D: of the function without noise; with it, pass the noisy numerator and multiply ∂F/∂aᵢ by its factor.
 *
 * @param upstream derivative of the loss by F(x); default 1
 * @throws KatlabError as `rational`
 */
export function rationalGradient(
  x: number,
  coefficients: RationalCoefficients,
  upstream = 1,
): RationalGradient {
  const { numerator, denominator, form = "A" } = coefficients;
  const { bars, firstPower } = denominatorShape(form);
  const { value, first } = rationalDerivatives(x, coefficients);
  const q = denominatorAt(x, coefficients);
  const perNumerator = upstream / q.value;
  const perDenominator = -perNumerator * value * q.side;
  return {
    x: upstream * first,
    numerator: numerator.map((_, i) => perNumerator * x ** i),
    denominator:
      bars === "each term"
        ? denominator.map((b, j) => signFromRight(b) * perDenominator * Math.abs(x) ** (j + 1))
        : denominator.map((_, j) => perDenominator * x ** (j + firstPower)),
  };
}

function denominatorAt(x: number, coefficients: RationalCoefficients): Denominator {
  const { numerator, denominator, form = "A" } = coefficients;
  const { floor, firstPower, bars } = denominatorShape(form);
  if (numerator.length === 0 || denominator.length < 1 - firstPower) {
    throw mustBe({
      subject: `rational function of form ${form}`,
      must: firstPower === 1 ? "must have a₀" : "must have a₀ and b₀",
      got: `${numerator.length} and ${denominator.length} coefficients`,
      remedy: "Give the constant coefficients, 0 where there is none.",
    });
  }
  const sum = firstPower === 1 ? [0, ...denominator] : denominator;
  if (bars === "each term") {
    const [value, first, second] = polynomialTaylor(sum.map(Math.abs), Math.abs(x));
    return { value: floor + value, first: signFromRight(x) * first, second, side: 1 };
  }
  const [value, first, second] = polynomialTaylor(sum, x);
  const side = bars === "sum" ? signFromRight(value) : 1;
  return { value: floor + side * value, first: side * first, second: side * second, side };
}
