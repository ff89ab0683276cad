import * as tf from "@tensorflow/tfjs-core";
import { acrossRow, asRows } from "./acrossRow.js";

/** Σ weight · channel, `[images, height, width, 1]`; grey images as they are. */
export function weighChannels(images: tf.Tensor4D, weights: readonly [number, number, number]): tf.Tensor4D {
  if (images.shape[3] === 1) return images;
  return tf.tidy(() => {
    const weighed = tf.mul(asRows(images), acrossRow(weights, images.shape[2]));
    return tf.sum(tf.reshape(weighed, images.shape), 3, true);
  });
}
