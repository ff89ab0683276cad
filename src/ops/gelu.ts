import * as tf from "@tensorflow/tfjs-core";
import { mustBeFloat32 } from "./mustBeFloat32.js";
import { defineOperator } from "./operator.js";

/**
 * Gaussian error linear unit, in the exact form:
 *
 *     y = x·Φ(x) = x/2 · (1 + erf(x/√2))
 *
 * @param x float32, any shape
 * @returns of the same shape
 * @throws KatlabError `invalid` for another dtype than float32
 * Source: Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016.
 */
export function gelu(x: tf.Tensor): tf.Tensor {
  mustBeFloat32("gelu", { x });
  return run({ x }, {});
}

const run = defineOperator<{ x: tf.Tensor }, "x">({
  kernel: "Gelu",
  compose: ({ x }) => tf.mul(x, distribution(x)),
  saved: ["x"],
  gradient: (dy, { x }) => {
    const density = tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return { x: tf.mul(dy, tf.add(distribution(x), tf.mul(x, density))) };
  },
  differentiable: ["x"],
});

/** Φ(x), the normal distribution function. */
function distribution(x: tf.Tensor): tf.Tensor {
  return tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);
}
