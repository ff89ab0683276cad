import * as tf from "@tensorflow/tfjs-core";
import type { Random } from "../../random.js";

/** What is drawn for one image. */
interface Place {
  /** First row and column of the cut, in the padded image. */
  readonly top: number;
  readonly left: number;
  readonly flipped: boolean;
}

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
  const places = Array.from({ length: batch }, (): Place => ({
    top: padding === 0 ? 0 : random.integer(2 * padding + 1),
    left: padding === 0 ? 0 : random.integer(2 * padding + 1),
    flipped: random.uniform() < flip,
  }));
  const indices = pixelIndices(places, { height, width, padding });
  return tf.tidy(() => {
    const pixels = tf.concat([tf.reshape(images, [-1, channels]), tf.tensor2d([...black], [1, channels])]);
    return tf.reshape(tf.gather(pixels, tf.tensor1d(indices, "int32")), images.shape);
  });
}

/** For each pixel of the result, the pixel of the batch that it comes from; what lies outside is the one after the last. */
function pixelIndices(
  places: readonly Place[],
  { height, width, padding }: { height: number; width: number; padding: number },
): Int32Array {
  const indices = new Int32Array(places.length * height * width).fill(places.length * height * width);
  places.forEach(({ top, left, flipped }, image) => {
    const start = image * height * width;
    for (let y = 0; y < height; y++) {
      const fromY = y + top - padding;
      if (fromY < 0 || fromY >= height) continue;
      for (let x = 0; x < width; x++) {
        const fromX = (flipped ? width - 1 - x : x) + left - padding;
        if (fromX >= 0 && fromX < width) indices[start + y * width + x] = start + fromY * width + fromX;
      }
    }
  });
  return indices;
}
