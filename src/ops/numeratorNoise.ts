import * as tf from "@tensorflow/tfjs-core";
import { type RandomSource, takeUniform } from "./uniformNumbers.js";

/**
 * The noise of form D: every coefficient times a factor of its own, uniform in [0.9, 1.1).
 *
 *     aᵢ → aᵢ·(1 + 0.1·(2uᵢ − 1))        uᵢ uniform in [0, 1)
 *
 * Under bfloat16 the product has bfloat16's 8 bits, an error of a thirtieth of the noise. In float64, on numbers:
 * `src/bases/numeratorNoise.ts`.
 *
 * @param numerator `[groups, m + 1]`, float32
 * @param random gives one number per coefficient, row by row
 * @returns of the same shape
 */
export function numeratorNoise(numerator: tf.Tensor, random: RandomSource): tf.Tensor {
  return tf.tidy(() => {
    const drawn = tf.reshape(takeUniform(random, numerator.size), numerator.shape);
    return tf.mul(numerator, tf.add(tf.mul(drawn, 0.2), 0.9));
  });
}
