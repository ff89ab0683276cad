import * as tf from "@tensorflow/tfjs-core";
import { mustHaveShape } from "../errors.js";
import { assertShape, sizeOf } from "../shape.js";
import { mustBeFloat32 } from "./mustBeFloat32.js";
import { defineOperator } from "./operator.js";

/**
 * A linear map of the last axis:
 *
 *     y = x·Wᵀ + b
 *
 * @param x `[…, in]` float32, rank ≥ 1
 * @param weight W, `[out, in]`, as PyTorch stores it
 * @param bias b, `[out]`; none by default
 * @returns `[…, out]`
 * @throws KatlabError `shape`, or `invalid` for another dtype than float32
 * Cost: in·out multiply-adds a row.
 */
export function linear(x: tf.Tensor, weight: tf.Tensor, bias?: tf.Tensor): tf.Tensor {
  const subject = "linear";
  const sizes = assertShape(`${subject}: weight`, weight.shape, ["out", "in"]);
  if (x.rank === 0 || x.shape[x.rank - 1] !== sizes["in"]) {
    throw mustHaveShape(`${subject}: x`, ["…", sizes["in"]], x.shape);
  }
  if (bias === undefined) {
    mustBeFloat32(subject, { x, weight });
    return run({ x, weight }, {});
  }
  assertShape(`${subject}: bias`, bias.shape, [sizes["out"]]);
  mustBeFloat32(subject, { x, weight, bias });
  return run({ x, weight, bias }, {});
}

const run = defineOperator<{ x: tf.Tensor; weight: tf.Tensor; bias?: tf.Tensor }, "x" | "weight">({
  kernel: "Linear",
  compose: ({ x, weight, bias }) => {
    const [out] = weight.shape;
    const shape = [...x.shape.slice(0, -1), out];
    if (sizeOf(shape) === 0) return tf.zeros(shape);
    // Transposed beforehand: tfjs's wasm backend is ten times slower where matMul has to do it.
    const product = tf.matMul(asRows(x), tf.transpose(weight)); // [rows, out]
    return tf.reshape(bias === undefined ? product : tf.add(product, bias), shape);
  },
  saved: ["x", "weight"],
  gradient: (dy, { x, weight }) => {
    const [out] = weight.shape;
    if (dy.size === 0 || x.size === 0) {
      const bias = dy.size === 0 ? tf.zeros([out]) : tf.sum(asRows(dy), 0);
      return { x: tf.zerosLike(x), weight: tf.zerosLike(weight), bias };
    }
    const rows = asRows(dy); // [rows, out]
    return {
      x: tf.reshape(tf.matMul(rows, weight), x.shape),
      weight: tf.matMul(tf.transpose(rows), asRows(x)),
      bias: tf.sum(rows, 0),
    };
  },
  differentiable: ["x", "weight", "bias"],
});

/** […, size] → [rows, size] */
function asRows(x: tf.Tensor): tf.Tensor2D {
  return tf.reshape(x, [-1, x.shape[x.rank - 1]]);
}
