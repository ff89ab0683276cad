import * as tf from "@tensorflow/tfjs-core";
import { acrossRow, asRows } from "./acrossRow.js";

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
    const [, , width] = images.shape;
    const center = acrossRow(
      mean.map((value) => 255 * value),
      width,
    );
    const scale = acrossRow(
      std.map((value) => 255 * value),
      width,
    );
    const levels = tf.add(tf.mul(asRows(images), scale), center);
    const changed = asRows(change(tf.reshape(levels, images.shape)));
    return tf.reshape(tf.div(tf.sub(changed, center), scale), images.shape);
  });
}
