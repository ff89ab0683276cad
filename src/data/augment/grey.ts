import * as tf from "@tensorflow/tfjs-core";

/** Σ weight · channel, `[images, height, width, 1]`; grey images as they are. */
export function weighChannels(images: tf.Tensor4D, weights: readonly [number, number, number]): tf.Tensor4D {
  if (images.shape[3] === 1) return images;
  return tf.tidy(() => tf.sum(tf.mul(images, tf.tensor1d([...weights])), 3, true));
}
