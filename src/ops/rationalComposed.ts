import * as tf from "@tensorflow/tfjs-core";
import { denominatorShape, type RationalForm } from "../bases/rationalForm.js";
import { sizeOf } from "../shape.js";

/** Checked inputs. */
interface Inputs {
  readonly x: tf.Tensor;
  readonly numerator: tf.Tensor;
  readonly denominator: tf.Tensor;
}

/** What the operator computes; `axis` has the channels. */
interface Attributes {
  readonly form: RationalForm;
  readonly axis: number;
}

/** P and Q at every value, with what their derivatives are made of. */
interface Polynomials {
  readonly p: tf.Tensor;
  readonly q: tf.Tensor;
  /** Coefficients of P by power, and those of Q's sum, |b| in form A; each a number per channel. */
  readonly a: readonly tf.Tensor[];
  readonly b: readonly tf.Tensor[];
  /** What the powers in Q are of: |x| in form A, else x. */
  readonly t: tf.Tensor;
  /** The sign that Q's derivative has beside that of its sum: s(x) in form A, s(sum) where bars are around the sum. */
  readonly side: tf.Tensor | undefined;
}

/** The definition of `groupRational`, in operators every engine has. */
export function composedGroupRational(inputs: Inputs, { form, axis }: Attributes): tf.Tensor {
  const { x } = inputs;
  if (x.size === 0) return tf.clone(x);
  const { p, q } = polynomials(inputs, { form, axis });
  return tf.reshape(tf.broadcastTo(tf.div(p, q), blocksOf(x, axis)), x.shape);
}

/**
 * Gradients in closed form. With u = dy/Q and v = −u·F:
 *
 *     dx = u·(P′ − F·Q′)    daᵢ = Σ u·xⁱ    dbⱼ = Σ s·v·tʲ    sums over the channels of a group
 *
 * where t is |x| in form A, else x, and s the sign with which bⱼ counts in Q.
 *
 * @returns dx, dNumerator, dDenominator
 */
export function composedGroupRationalGradient(
  upstream: tf.Tensor,
  inputs: Inputs,
  { form, axis }: Attributes,
): tf.Tensor[] {
  const { numerator, denominator } = inputs;
  if (inputs.x.size === 0) return [inputs.x, numerator, denominator].map((t) => tf.zerosLike(t));
  const blocks = blocksOf(inputs.x, axis);
  const [x, dy] = [tf.reshape(inputs.x, blocks), tf.reshape(upstream, blocks)];
  const { bars, firstPower } = denominatorShape(form);
  const { p, q, a, b, t, side } = polynomials(inputs, { form, axis });
  const u = tf.div(dy, q);
  const value = tf.div(p, q);
  const v = tf.neg(tf.mul(u, value));
  const slopeP = derivative(a.slice(1), x);
  const slopeSum = derivative(firstPower === 1 ? b : b.slice(1), t);
  const slopeQ = side === undefined ? slopeSum : tf.mul(side, slopeSum);
  const dx = tf.mul(u, tf.sub(slopeP, tf.mul(value, slopeQ)));

  const inside = bars === "sum" && side !== undefined ? tf.mul(v, side) : v;
  const first = firstPower === 1 ? tf.mul(inside, t) : inside;
  const dDenominator = tableSums(first, t, denominator);
  return [
    tf.reshape(dx, inputs.x.shape),
    tableSums(u, x, numerator),
    bars === "each term" ? tf.mul(signFromRight(denominator), dDenominator) : dDenominator,
  ];
}

/** x with one axis before its channels and one after them: `[outer, dim, inner]`. */
function blocksOf(
  { shape }: { readonly shape: readonly number[] },
  axis: number,
): [outer: number, dim: number, inner: number] {
  return [sizeOf(shape.slice(0, axis)), shape[axis], sizeOf(shape.slice(axis + 1))];
}

function polynomials(inputs: Inputs, { form, axis }: Attributes): Polynomials {
  const blocks = blocksOf(inputs.x, axis);
  const x = tf.reshape(inputs.x, blocks);
  const { floor, bars, firstPower } = denominatorShape(form);
  const { numerator, denominator } = inputs;
  const a = perChannel(numerator, blocks[1]);
  const p = horner(a, x);
  if (bars === "each term") {
    const side = signFromRight(x);
    const t = tf.mul(x, side);
    const b = perChannel(tf.mul(denominator, signFromRight(denominator)), blocks[1]);
    return { p, q: horner([tf.scalar(floor), ...b], t), a, b, t, side };
  }
  const b = perChannel(denominator, blocks[1]);
  if (bars === "none") return { p, q: horner([tf.scalar(floor), ...b], x), a, b, t: x, side: undefined };
  const inner = horner(b, x);
  const sum = firstPower === 1 ? tf.mul(inner, x) : inner;
  const side = signFromRight(sum);
  // tfjs hands numbers over as float32; this keeps 0.1 exact on an engine of float64.
  const constant = tf.div(1, 1 / floor);
  return { p, q: tf.add(tf.mul(sum, side), constant), a, b, t: x, side };
}

/** Columns of a table [groups, terms] as tensors [dim, 1], each group's number repeated over its channels. */
function perChannel(table: tf.Tensor, dim: number): tf.Tensor[] {
  const [groups, terms] = table.shape;
  if (dim % groups === 0) {
    const columns = tf.reshape(tf.transpose(table), [terms, groups, 1]);
    return tf.unstack(tf.reshape(tf.tile(columns, [1, 1, dim / groups]), [terms, dim, 1]));
  }
  const widths = groupWidths(dim, groups);
  const rows = tf.split(table, groups).map((row, g) => tf.tile(row, [widths[g], 1]));
  return tf.unstack(tf.reshape(tf.transpose(tf.concat(rows)), [terms, dim, 1]));
}

/** How many channels each group has: channel c belongs to group ⌊c·groups / dim⌋. */
function groupWidths(dim: number, groups: number): number[] {
  const first = (g: number): number => Math.ceil((g * dim) / groups);
  return Array.from({ length: groups }, (_, g) => first(g + 1) - first(g));
}

function horner(coefficients: readonly tf.Tensor[], x: tf.Tensor): tf.Tensor {
  return coefficients.reduceRight((sum, coefficient) => tf.add(tf.mul(sum, x), coefficient));
}

/** The derivative of c₁x + c₂x² + …. */
function derivative(coefficients: readonly tf.Tensor[], x: tf.Tensor): tf.Tensor {
  if (coefficients.length === 0) return tf.scalar(0);
  return horner(
    coefficients.map((coefficient, i) => tf.mul(coefficient, i + 1)),
    x,
  );
}

/** Like `table`: sums of first, first·x, first·x², … over the channels of each group and over all other axes. */
function tableSums(first: tf.Tensor, x: tf.Tensor, table: tf.Tensor): tf.Tensor {
  const [groups, terms] = table.shape;
  const products = [first];
  for (let i = 1; i < terms; i++) products.push(tf.mul(products[i - 1], x));
  return tf.stack(
    products.map((product) => sumByGroup(product, groups)),
    1,
  );
}

/** s(t): +1 at zero, else the sign. By step, whose registered gradient is zero; comparisons have none. */
function signFromRight<T extends tf.Tensor>(t: T): T {
  return tf.sub(1, tf.mul(2, tf.step(tf.neg(t))));
}

/** [outer, dim, inner] → [groups] */
function sumByGroup(x: tf.Tensor, groups: number): tf.Tensor {
  const [outer, dim, inner] = x.shape;
  if (dim % groups === 0) return tf.sum(tf.reshape(x, [outer, groups, (dim / groups) * inner]), [0, 2]);
  const byChannel = tf.sum(x, [0, 2]);
  return tf.stack(tf.split(byChannel, groupWidths(dim, groups)).map((channels) => tf.sum(channels)));
}
