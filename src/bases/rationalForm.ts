import { mustBe, unknownOption } from "../errors.js";

/**
 * How the denominator Q of a rational function is made from its coefficients.
 *
 * | form | Q(x)                                | least Q | coefficients |
 * | ---- | ----------------------------------- | ------- | ------------ |
 * | `A`  | 1 + \|b₁\|\|x\| + … + \|bₙ\|\|x\|ⁿ  | 1       | b₁ … bₙ      |
 * | `B`  | 1 + \|b₁x + … + bₙxⁿ\|              | 1       | b₁ … bₙ      |
 * | `C`  | 0.1 + \|b₀ + b₁x + … + bₙxⁿ\|       | 0.1     | b₀ … bₙ      |
 * | `D`  | as B; noise on the numerator while training, see `numeratorNoise` | 1 | b₁ … bₙ |
 * | `N`  | 1 + b₁x + … + bₙxⁿ                  | none: F has a pole where Q = 0 | b₁ … bₙ |
 *
 * A is what KAT's released operators and checkpoints compute, B what equation 12 of the paper says (arXiv 2409.10594).
 * The letters are those of Padé activation units (Molina et al., arXiv 1907.06732) and their library.
 */
export type RationalForm = "A" | "B" | "C" | "D" | "N";

/** The forms, in order. */
export const rationalForms: readonly RationalForm[] = ["A", "B", "C", "D", "N"];

/** Degrees `[m, n]` of numerator and denominator, whole numbers ≥ 0. */
export type RationalDegrees = readonly [numerator: number, denominator: number];

/** What Q is in a form: `floor + |B(x)|`, `floor + B(x)`, or `floor + B(|x|)` with |bⱼ|. */
export interface DenominatorShape {
  /** The constant in front. */
  readonly floor: number;
  /** The power of x that the first coefficient belongs to. */
  readonly firstPower: 0 | 1;
  /** Where the bars are: around each term, around the whole sum, or nowhere. */
  readonly bars: "each term" | "sum" | "none";
}

const shapes: Readonly<Record<RationalForm, DenominatorShape>> = {
  A: { floor: 1, firstPower: 1, bars: "each term" },
  B: { floor: 1, firstPower: 1, bars: "sum" },
  C: { floor: 0.1, firstPower: 0, bars: "sum" },
  D: { floor: 1, firstPower: 1, bars: "sum" },
  N: { floor: 1, firstPower: 1, bars: "none" },
};

/** @throws KatlabError `unknown` for a form that is not there */
export function denominatorShape(form: RationalForm): DenominatorShape {
  if (!Object.hasOwn(shapes, form)) throw unknownOption("rational form", form, rationalForms);
  return shapes[form];
}

/**
 * How many coefficients a form has: `[m + 1, n]`, and `[m + 1, n + 1]` for form C.
 *
 * @throws KatlabError `unknown` for a form that is not there, `invalid` for degrees that are not whole numbers ≥ 0
 */
export function rationalTerms(
  form: RationalForm,
  degrees: RationalDegrees,
): [numerator: number, denominator: number] {
  if (!degrees.every((degree) => Number.isSafeInteger(degree) && degree >= 0)) {
    throw mustBe({
      subject: "rational function",
      must: "degrees must be two whole numbers ≥ 0",
      got: `[${degrees.join(", ")}]`,
      remedy: "KAT takes [5, 4].",
    });
  }
  const [numerator, denominator] = degrees;
  return [numerator + 1, denominator + 1 - denominatorShape(form).firstPower];
}
