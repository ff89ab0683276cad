import * as tf from "@tensorflow/tfjs-core";
import { mustDivide, mustHaveShape } from "../errors.js";
import { assertShape } from "../shape.js";
import { mustBeFloat32 } from "./mustBeFloat32.js";
import { defineOperator } from "./operator.js";

const subject = "groupRational";
const numeratorTerms = 6;
const denominatorTerms = 4;

/**
 * A learnable rational function per group of neighbouring channels:
 *
 *     y = P(x) / Q(x)    P(x) = a₀ + a₁x + … + a₅x⁵    Q(x) = 1 + |b₁||x| + … + |b₄||x|⁴
 *
 * Channel c takes row ⌊c / (dim / groups)⌋ of each table. KAT shares one numerator among all channels and gives each of
 * eight groups a denominator: `[1, 6]` and `[8, 4]` (the paper's text has it the other way round; its parameter counts
 * and checkpoints are as here).
 *
 * Derivatives of |x| and |b| are +1 at zero, so that denominators which start at exactly zero learn.
 * Reference in float64: `src/bases/rational.ts`.
 *
 * @param x `[…, dim]` float32, rank ≥ 1
 * @param numerator `[numeratorGroups, 6]`, a₀ first; `numeratorGroups` divides dim
 * @param denominator `[denominatorGroups, 4]`, b₁ first; `denominatorGroups` divides dim
 * @returns `[…, dim]`
 * @throws KatlabError `shape`, `indivisible`, or `invalid` when a tensor is not float32
 * Source: KAT, arXiv 2409.10594, section 4.3, in the form of its released models.
 * Cost: 21 operations a value; with the fused kernel one read and one write of x, backward two reads and one write.
 */
export function groupRational<R extends tf.Rank>(
  x: tf.Tensor<R>,
  numerator: tf.Tensor2D,
  denominator: tf.Tensor2D,
): tf.Tensor<R> {
  check(x, numerator, denominator);
  return run({ x, numerator, denominator }, {}) as tf.Tensor<R>;
}

/** Checked inputs. */
interface Inputs extends Record<string, tf.Tensor> {
  readonly x: tf.Tensor;
  readonly numerator: tf.Tensor;
  readonly denominator: tf.Tensor;
}

const run = defineOperator<Inputs, "x" | "numerator" | "denominator">({
  kernel: "GroupRational",
  compose: composed,
  saved: ["x", "numerator", "denominator"],
  gradient: (dy, inputs) => {
    const [dx, dNumerator, dDenominator] = composedGradient({ dy, ...inputs });
    return { x: dx, numerator: dNumerator, denominator: dDenominator };
  },
  differentiable: ["x", "numerator", "denominator"],
});

function check(x: tf.Tensor, numerator: tf.Tensor, denominator: tf.Tensor): void {
  if (x.rank === 0) throw mustHaveShape(`${subject}: x`, ["…", "dim"], x.shape);
  const dim = x.shape[x.rank - 1];
  const tables: [string, tf.Tensor, number][] = [
    ["numerator", numerator, numeratorTerms],
    ["denominator", denominator, denominatorTerms],
  ];
  for (const [name, table, terms] of tables) {
    const { groups } = assertShape(`${subject}: ${name}`, table.shape, ["groups", terms]);
    if (groups === 0) throw mustHaveShape(`${subject}: ${name}`, ["groups ≥ 1", terms], table.shape);
    if (dim % groups !== 0) {
      throw mustDivide(subject, { name: "dim", value: dim }, { name: `${name}Groups`, value: groups });
    }
  }
  mustBeFloat32(subject, { x, numerator, denominator });
}

/** The definition, in operators every engine has. */
function composed(inputs: Inputs): tf.Tensor {
  if (inputs.x.size === 0) return tf.clone(inputs.x);
  const { p, q } = polynomials(inputs);
  return tf.div(p, q);
}

/**
 * Gradients in closed form. With u = dy/Q and v = −u·F:
 *
 *     dx = u·(P′ − F·Q′)    daᵢ = Σ u·xⁱ    dbⱼ = s(bⱼ)·Σ v·|x|ʲ    sums over the channels of a group
 */
function composedGradient({
  dy,
  x,
  numerator,
  denominator,
}: Inputs & { readonly dy: tf.Tensor }): tf.Tensor[] {
  if (x.size === 0) return [tf.zerosLike(x), tf.zerosLike(numerator), tf.zerosLike(denominator)];
  const { p, q, a, b, size, side } = polynomials({ x, numerator, denominator });
  const u = tf.div(dy, q);
  const value = tf.div(p, q);
  const v = tf.neg(tf.mul(u, value));
  const slopeP = horner(scaledByPower(a.slice(1)), x);
  const slopeQ = tf.mul(side, horner(scaledByPower(b), size));
  const dx = tf.mul(u, tf.sub(slopeP, tf.mul(value, slopeQ)));

  const [numeratorGroups, denominatorGroups] = [numerator.shape[0], denominator.shape[0]];
  const numeratorSums = [u];
  for (let i = 1; i < numeratorTerms; i++) numeratorSums.push(tf.mul(numeratorSums[i - 1], x));
  const denominatorSums = [tf.mul(v, size)];
  for (let j = 1; j < denominatorTerms; j++) denominatorSums.push(tf.mul(denominatorSums[j - 1], size));
  const dNumerator = tf.stack(
    numeratorSums.map((term) => sumByGroup(term, numeratorGroups)),
    1,
  );
  const sums = tf.stack(
    denominatorSums.map((term) => sumByGroup(term, denominatorGroups)),
    1,
  );
  return [dx, dNumerator, tf.mul(signFromRight(denominator), sums)];
}

/** P and Q with what they are made of: coefficients `a`, `b` = |b| as tensors [dim], size = |x|, side = s(x). */
function polynomials({ x, numerator, denominator }: Inputs): {
  p: tf.Tensor;
  q: tf.Tensor;
  a: tf.Tensor[];
  b: tf.Tensor[];
  size: tf.Tensor;
  side: tf.Tensor;
} {
  const dim = x.shape[x.rank - 1];
  const side = signFromRight(x);
  const size = tf.mul(x, side);
  const a = perChannel(numerator, dim);
  const b = perChannel(tf.mul(denominator, signFromRight(denominator)), dim);
  return { p: horner(a, x), q: horner([tf.scalar(1), ...b], size), a, b, size, side };
}

/** Columns of a table [groups, terms] as tensors [dim], each group's number repeated over its channels. */
function perChannel(table: tf.Tensor, dim: number): tf.Tensor[] {
  const [groups, terms] = table.shape;
  const columns = tf.reshape(tf.transpose(table), [terms, groups, 1]);
  return tf.unstack(tf.reshape(tf.tile(columns, [1, 1, dim / groups]), [terms, dim]));
}

function horner(coefficients: readonly tf.Tensor[], x: tf.Tensor): tf.Tensor {
  return coefficients.reduceRight((sum, coefficient) => tf.add(tf.mul(sum, x), coefficient));
}

/** [c₁, c₂, c₃, …] → [c₁, 2c₂, 3c₃, …]: the derivative's coefficients. */
function scaledByPower(coefficients: readonly tf.Tensor[]): tf.Tensor[] {
  return coefficients.map((coefficient, i) => tf.mul(coefficient, i + 1));
}

/** s(t): +1 at zero, else the sign. By step, whose registered gradient is zero; comparisons have none. */
function signFromRight<T extends tf.Tensor>(t: T): T {
  return tf.sub(1, tf.mul(2, tf.step(tf.neg(t))));
}

/** […, dim] → [groups]: sums over the channels of each group and over all other axes. */
function sumByGroup(x: tf.Tensor, groups: number): tf.Tensor1D {
  const width = x.shape[x.rank - 1] / groups;
  return tf.sum(tf.reshape(x, [-1, groups, width]), [0, 2]);
}
