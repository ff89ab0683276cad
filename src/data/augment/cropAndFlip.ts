import * as tf from "@tensorflow/tfjs-core";
import type { Random } from "../../random.js";

/**
 * Cuts each image, padded all around, at a place of its own, and mirrors some: `[batch, height, width, channels]`.
 * The same as torchvision's RandomCrop(padding) and RandomHorizontalFlip, on a whole batch at once: places are drawn on the
 * host, pixels are moved on the device by one gather.
 *
 * @param black what the padding is filled with, by channel
 */
export function cropAndFlip(
  images: tf.Tensor4D,
  { padding, flip }: { padding: number; flip: number },
  black: readonly number[],
  random: Random,
): tf.Tensor4D {
  const [batch, height, width, channels] = images.shape;
  const pixels = batch * height * width;
  // Where each row starts and how far along it each column is; what lies outside points past the last pixel.
  const rows = new Int32Array(batch * height).fill(pixels);
  const columns = new Int32Array(batch * width).fill(pixels);
  for (let image = 0; image < batch; image++) {
    const top = padding === 0 ? 0 : random.integer(2 * padding + 1) - padding;
    const left = padding === 0 ? 0 : random.integer(2 * padding + 1) - padding;
    const isFlipped = random.uniform() < flip;
    for (let y = Math.max(0, -top); y < height - Math.max(0, top); y++) {
      rows[image * height + y] = (image * height + y + top) * width;
    }
    for (let x = 0; x < width; x++) {
      const from = (isFlipped ? width - 1 - x : x) + left;
      if (from >= 0 && from < width) columns[image * width + x] = from;
    }
  }
  return tf.tidy(() => {
    const places = tf.add(
      tf.tensor3d(rows, [batch, height, 1], "int32"),
      tf.tensor3d(columns, [batch, 1, width], "int32"),
    );
    const flat = tf.reshape(images, [-1, channels]);
    if (padding === 0) return tf.gather<tf.Tensor>(flat, places) as tf.Tensor4D;
    const padded = tf.concat([flat, tf.tensor2d([...black], [1, channels])]);
    return tf.gather<tf.Tensor>(padded, tf.minimum(places, tf.scalar(pixels, "int32"))) as tf.Tensor4D;
  });
}
