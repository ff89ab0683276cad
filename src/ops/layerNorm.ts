import * as tf from "@tensorflow/tfjs-core";
import { mustBe, mustHaveShape } from "../errors.js";
import { assertShape } from "../shape.js";
import { mustBeFloat32 } from "./mustBeFloat32.js";
import { defineOperator } from "./operator.js";

/**
 * Layer normalisation of the last axis, with a scale and an offset per channel:
 *
 *     y = (x − μ) / √(σ² + ε) · scale + offset
 *
 * μ and σ² are the mean and the (biased) variance of each row.
 *
 * @param x `[…, dim]` float32, rank ≥ 1
 * @param scale γ, `[dim]`
 * @param offset β, `[dim]`
 * @param epsilon ε > 0; default 1e-6, as ViT has it (PyTorch's own default is 1e-5)
 * @returns `[…, dim]`
 * @throws KatlabError `shape`, or `invalid` for another dtype than float32 or ε ≤ 0
 * Source: Ba, Kiros and Hinton, "Layer Normalization", 2016.
 */
export function layerNorm(x: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor, epsilon = 1e-6): tf.Tensor {
  const subject = "layerNorm";
  if (x.rank === 0) throw mustHaveShape(`${subject}: x`, ["…", "dim"], x.shape);
  const dim = x.shape[x.rank - 1];
  assertShape(`${subject}: scale`, scale.shape, [dim]);
  assertShape(`${subject}: offset`, offset.shape, [dim]);
  mustBeFloat32(subject, { x, scale, offset });
  if (!(epsilon > 0)) {
    throw mustBe({
      subject,
      must: "epsilon must be above 0",
      got: String(epsilon),
      remedy: "A constant row has no variance to divide by; 1e-6 is usual.",
    });
  }
  return run({ x, scale, offset }, { epsilon });
}

const run = defineOperator<
  { x: tf.Tensor; scale: tf.Tensor; offset: tf.Tensor },
  "x" | "scale",
  { epsilon: number }
>({
  kernel: "LayerNorm",
  compose: ({ x, scale, offset }, { epsilon }) =>
    x.size === 0 ? tf.clone(x) : tf.add(tf.mul(standardised(x, epsilon).rows, scale), offset),
  saved: ["x", "scale"],
  gradient: (dy, { x, scale }, { epsilon }) => {
    if (x.size === 0) {
      return { x: tf.zerosLike(x), scale: tf.zerosLike(scale), offset: tf.zerosLike(scale) };
    }
    const { rows, inverseDeviation } = standardised(x, epsilon);
    const direct = tf.mul(dy, scale);
    const mean = tf.mean(direct, -1, true);
    const slope = tf.mean(tf.mul(direct, rows), -1, true);
    const others = Array.from({ length: x.rank - 1 }, (_, axis) => axis);
    return {
      x: tf.mul(tf.sub(tf.sub(direct, mean), tf.mul(rows, slope)), inverseDeviation),
      scale: tf.sum(tf.mul(dy, rows), others),
      offset: tf.sum(dy, others),
    };
  },
  differentiable: ["x", "scale", "offset"],
});

/** Rows of mean 0 and variance 1, and the factors 1/√(σ² + ε) `[…, 1]` that made them so. */
function standardised(x: tf.Tensor, epsilon: number): { rows: tf.Tensor; inverseDeviation: tf.Tensor } {
  const centred = tf.sub(x, tf.mean(x, -1, true));
  const variance = tf.mean(tf.square(centred), -1, true);
  const inverseDeviation = tf.rsqrt(tf.add(variance, epsilon));
  return { rows: tf.mul(centred, inverseDeviation), inverseDeviation };
}
