import type * as tf from "@tensorflow/tfjs-core";
import { rationalTerms } from "../bases/rationalForm.js";
import { mustBe, mustDivide, mustHaveShape, unknownOption } from "../errors.js";
import { mustBeFloat32 } from "./mustBeFloat32.js";
import { defineOperator } from "./operator.js";
import { composedGroupRational, composedGroupRationalGradient } from "./rationalComposed.js";

const subject = "groupRational";

/** The highest degree of numerator and denominator that the operators compute. */
export const mostRationalDegree = 8;

/** The forms `groupRational` computes; D is B with noise on the numerator, see {@link numeratorNoise}. */
export type GroupRationalForm = "A" | "B" | "C" | "N";

/** The forms, in order. */
export const groupRationalForms: readonly GroupRationalForm[] = ["A", "B", "C", "N"];

/** What {@link groupRational} computes, and where the channels are. */
export interface GroupRationalSettings {
  /** How the denominator is made. Default `"A"`, that of KAT's released models. */
  readonly form?: GroupRationalForm;
  /** The axis of the channels: the last, or axis 1 as in `[batch, channels, height, width]`. Default `"last"`. */
  readonly channels?: "last" | "first";
  /** Allows groups that do not divide the channels: their widths then differ by one. Default false. */
  readonly uneven?: boolean;
}

/**
 * A learnable rational function per group of neighbouring channels:
 *
 *     y = P(x) / Q(x)    P(x) = a₀ + a₁x + … + aₘxᵐ
 *
 * | form | Q(x)                                | derivative by bⱼ, with s(0) = +1 |
 * | ---- | ----------------------------------- | -------------------------------- |
 * | `A`  | 1 + \|b₁\|\|x\| + … + \|bₙ\|\|x\|ⁿ  | −s(bⱼ)·y·\|x\|ʲ / Q              |
 * | `B`  | 1 + \|b₁x + … + bₙxⁿ\|              | −s(b₁x + … + bₙxⁿ)·y·xʲ / Q      |
 * | `C`  | 0.1 + \|b₀ + b₁x + … + bₙxⁿ\|       | −s(b₀ + … + bₙxⁿ)·y·xʲ / Q       |
 * | `N`  | 1 + b₁x + … + bₙxⁿ                  | −y·xʲ / Q                        |
 *
 * Degrees m and n are those of the tables, up to 8; KAT has 5 and 4. Form N has a pole where Q = 0: y is infinite there.
 *
 * Channel c of dim takes row ⌊c·groups / dim⌋ of each table: one row is shared by all channels, dim rows are one for each.
 * KAT shares one numerator among all channels and gives each of eight groups a denominator: `[1, 6]` and `[8, 4]` (the
 * paper's text has it the other way round; its parameter counts and checkpoints are as here).
 *
 * Derivatives of |·| are +1 at zero, as in KAT's released kernels, so that denominators which start at exactly zero learn.
 * Reference in float64: `src/bases/rational.ts`.
 *
 * @param x `[…, dim]`, rank ≥ 1, or with `channels: "first"` `[batch, dim, …]`, rank ≥ 2; float32
 * @param numerator `[numeratorGroups, m + 1]`, a₀ first; 1 ≤ numeratorGroups ≤ dim
 * @param denominator `[denominatorGroups, n]`, b₁ first, n ≥ 1; in form C `[denominatorGroups, n + 1]`, b₀ first
 * @returns the shape of x
 * @throws KatlabError `shape`; `indivisible` where groups do not divide dim, unless `uneven`; `unknown` for another form;
 * `invalid` when a tensor is not float32
 * Source: KAT, arXiv 2409.10594, section 4.3, in the form of its released models; forms after Padé activation units,
 * arXiv 1907.06732, and their library.
 * Cost: 21 operations a value of form A 5/4; with the fused kernel one read and one write of x, backward two reads and
 * one write. Uneven groups cost the fused kernels a table row for each channel. A tensor that is not contiguous is copied
 * first.
 */
export function groupRational<R extends tf.Rank>(
  x: tf.Tensor<R>,
  numerator: tf.Tensor2D,
  denominator: tf.Tensor2D,
  settings: GroupRationalSettings = {},
): tf.Tensor<R> {
  const { form = "A", channels = "last", uneven = false } = settings;
  check(x, numerator, denominator, { form, channels, uneven });
  const axis = channels === "first" ? 1 : x.rank - 1;
  return run({ x, numerator, denominator }, { form, axis, uneven }) as tf.Tensor<R>;
}

const run = defineOperator<
  { readonly x: tf.Tensor; readonly numerator: tf.Tensor; readonly denominator: tf.Tensor },
  "x" | "numerator" | "denominator",
  { readonly form: GroupRationalForm; readonly axis: number; readonly uneven: boolean }
>({
  kernel: "GroupRational",
  compose: composedGroupRational,
  saved: ["x", "numerator", "denominator"],
  gradient: (dy, inputs, attrs) => {
    const [dx, dNumerator, dDenominator] = composedGroupRationalGradient(dy, inputs, attrs);
    return { x: dx, numerator: dNumerator, denominator: dDenominator };
  },
  differentiable: ["x", "numerator", "denominator"],
});

function check(
  x: tf.Tensor,
  numerator: tf.Tensor,
  denominator: tf.Tensor,
  { form, channels, uneven }: Required<GroupRationalSettings>,
): void {
  if (!groupRationalForms.includes(form)) throw unknownOption(`${subject}: form`, form, groupRationalForms);
  const known = ["last", "first"];
  if (!known.includes(channels)) throw unknownOption(`${subject}: channels`, channels, known);
  const first = channels === "first";
  if (x.rank < (first ? 2 : 1)) {
    throw mustHaveShape(`${subject}: x`, first ? ["batch", "dim", "…"] : ["…", "dim"], x.shape);
  }
  const dim = x.shape[first ? 1 : x.rank - 1];
  const most = rationalTerms(form, [mostRationalDegree, mostRationalDegree]);
  const tables: [string, tf.Tensor, number][] = [
    ["numerator", numerator, most[0]],
    ["denominator", denominator, most[1]],
  ];
  for (const [name, { shape }, terms] of tables) {
    const [groups, own] = shape;
    if (shape.length !== 2 || groups === 0 || own === 0 || own > terms) {
      throw mustHaveShape(`${subject}: ${name}`, ["groups ≥ 1", `1 … ${terms}`], shape);
    }
    if (dim % groups === 0) continue;
    if (!uneven) {
      throw mustDivide(subject, { name: "dim", value: dim }, { name: `${name}Groups`, value: groups });
    }
    if (groups <= dim) continue;
    throw mustBe({
      subject: `${subject}: ${name}`,
      must: `must have at most dim (${dim}) groups`,
      got: String(groups),
      remedy: "Use fewer groups.",
    });
  }
  mustBeFloat32(subject, { x, numerator, denominator });
}
