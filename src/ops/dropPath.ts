import * as tf from "@tensorflow/tfjs-core";
import { mustBe, mustHaveShape } from "../errors.js";
import { mustBeFloat32 } from "./mustBeFloat32.js";
import { type RandomSource, takeUniform } from "./uniformNumbers.js";

/**
 * Stochastic depth: drops whole samples of a residual branch, and scales the others so that the mean stays:
 *
 *     yᵢ = xᵢ · kᵢ / (1 − rate)        kᵢ = 1 with probability 1 − rate, else 0
 *
 * @param x `[batch, …]` float32, rank ≥ 1
 * @param rate probability of dropping a sample, in [0, 1]; at 1 all is dropped
 * @param random gives one number per sample; drawn on the host, so that a seed drops the same samples on every engine
 * @returns of the same shape
 * @throws KatlabError `shape` for a scalar, `invalid` for another dtype than float32 or a rate out of range
 * Source: Huang et al., "Deep Networks with Stochastic Depth", 2016, scaled as timm does.
 */
export function dropPath(x: tf.Tensor, rate: number, random: RandomSource): tf.Tensor {
  const subject = "dropPath";
  mustBeFloat32(subject, { x });
  if (x.rank === 0) throw mustHaveShape(`${subject}: x`, ["batch", "…"], x.shape);
  if (!(rate >= 0 && rate <= 1)) {
    throw mustBe({
      subject,
      must: "rate must be in [0, 1]",
      got: String(rate),
      remedy: "0.1 is usual, 0 is none.",
    });
  }
  if (rate === 0) return tf.clone(x);
  return tf.tidy(() => {
    const [batch] = x.shape;
    const kept = tf.cast(tf.greaterEqual(takeUniform(random, batch), rate), "float32");
    const factor = tf.mul(kept, rate === 1 ? 0 : 1 / (1 - rate));
    return tf.mul(x, tf.reshape(factor, [batch, ...x.shape.slice(1).fill(1)]));
  });
}
