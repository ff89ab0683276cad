import * as tf from "@tensorflow/tfjs-core";

/** What images are normalised by: (pixel / 255 − mean) / std. */
export interface Normalisation {
  /** Mean of each channel, pixels scaled to 0…1. */
  readonly mean: readonly number[];
  /** Standard deviation of each channel, pixels scaled to 0…1. */
  readonly std: readonly number[];
}

/** What `change` makes of levels 0…255, for images that are normalised: they are brought back, and normalised again. */
export function inLevels(
  images: tf.Tensor4D,
  { mean, std }: Normalisation,
  change: (levels: tf.Tensor4D) => tf.Tensor4D,
): tf.Tensor4D {
  return tf.tidy(() => {
    const center = tf.tensor1d(mean.map((value) => 255 * value));
    const scale = tf.tensor1d(std.map((value) => 255 * value));
    return tf.div(tf.sub(change(tf.add(tf.mul(images, scale), center)), center), scale);
  });
}
