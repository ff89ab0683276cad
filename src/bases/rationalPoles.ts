import { mustBe } from "../errors.js";
import { polynomialDerivative, polynomialZeros } from "./polynomial.js";
import { type RationalCoefficients, rationalDenominator } from "./rational.js";
import { denominatorShape } from "./rationalForm.js";

/** Where the denominator of a rational function comes closest to zero, and how close. */
export interface DenominatorMinimum {
  /** The point; the lowest of several. */
  readonly x: number;
  /** |Q(x)|, the least on the interval; 0 at a pole. */
  readonly value: number;
}

/**
 * Where the denominator is zero in an interval, ascending: F has a pole there, unless the numerator is zero too.
 * Only form N can have any. A zero that is only touched counts.
 *
 * @param interval both ends included, finite
 * @throws KatlabError `invalid` for an interval that is none; else as `rational`
 */
export function rationalPoles(
  coefficients: RationalCoefficients,
  interval: readonly [number, number],
): number[] {
  mustBeInterval("rationalPoles", interval);
  return coefficients.form === "N" ? polynomialZeros([1, ...coefficients.denominator], interval) : [];
}

/**
 * Where the derivative of a rational function may jump in an interval, ascending: 0 in form A if b₁ ≠ 0, the zeros of
 * the sum between the bars in forms B, C and D. Form N has none.
 *
 * @param interval both ends included, finite
 * @throws KatlabError `invalid` for an interval that is none; else as `rational`
 */
export function rationalKinks(
  { denominator, form = "A" }: RationalCoefficients,
  interval: readonly [number, number],
): number[] {
  mustBeInterval("rationalKinks", interval);
  const { bars, firstPower } = denominatorShape(form);
  if (bars === "none") return [];
  if (bars === "sum") return polynomialZeros(firstPower === 1 ? [0, ...denominator] : denominator, interval);
  const [low, high] = interval;
  return denominator.length > 0 && denominator[0] !== 0 && low <= 0 && high >= 0 ? [0] : [];
}

/**
 * The least |Q| on an interval: how far a rational function is from a pole. At least 1 in forms A, B and D, at least 0.1
 * in C; in N anything down to 0.
 *
 * @param interval both ends included, finite
 * @throws KatlabError `invalid` for an interval that is none; else as `rational`
 */
export function denominatorMinimum(
  coefficients: RationalCoefficients,
  interval: readonly [number, number],
): DenominatorMinimum {
  mustBeInterval("denominatorMinimum", interval);
  const { denominator, form = "A" } = coefficients;
  const [low, high] = interval;
  const poles = rationalPoles(coefficients, interval);
  if (poles.length > 0) return { x: poles[0], value: 0 };
  const { bars, firstPower } = denominatorShape(form);
  // In form A, Q grows with |x|; in the others |Q| turns only where the sum does, or where it changes sign.
  const turns =
    bars === "each term"
      ? low < 0 && high > 0
        ? [0]
        : []
      : [
          ...rationalKinks(coefficients, interval),
          ...polynomialZeros(
            polynomialDerivative(firstPower === 1 ? [0, ...denominator] : denominator),
            interval,
          ),
        ];
  const points = [low, ...turns.sort((a, b) => a - b), high];
  return points
    .map((x) => ({ x, value: Math.abs(rationalDenominator(x, coefficients)) }))
    .reduce((least, point) => (point.value < least.value ? point : least));
}

/** The ends of an interval, in order and finite. */
export function mustBeInterval(subject: string, [low, high]: readonly [number, number]): void {
  if (Number.isFinite(low) && Number.isFinite(high) && low < high) return;
  throw mustBe({
    subject,
    must: "the interval must have finite ends, the lower one first",
    got: `[${low}, ${high}]`,
    remedy: "Give for example [-3, 3].",
  });
}
