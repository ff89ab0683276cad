import * as tf from "@tensorflow/tfjs-core";
import { mustDivide } from "../errors.js";
import { assertShape, type Sides, sidesOf } from "../shape.js";

/**
 * Cuts images into patches and lays each out as one row, channel by channel: the order of the weights of
 * PyTorch's convolutions, so that a linear map of the rows is the patch embedding of timm's models.
 *
 * @param images `[batch, height, width, channels]`, float32
 * @param patchSize pixels, p for p × p or `[p, q]` for p high and q wide; divides height and width
 * @returns `[batch, patches, channels·p·q]`; patches run along the rows of the image, from its top left
 * @throws KatlabError `shape`, `indivisible`, or `invalid` for a patch size that is not a whole number ≥ 1
 */
export function patches(images: tf.Tensor4D, patchSize: Sides): tf.Tensor3D {
  const subject = "patches";
  assertShape(`${subject}: images`, images.shape, ["batch", "height", "width", "channels"]);
  const [high, wide] = sidesOf(subject, "patchSize", patchSize);
  const [batch, height, width, channels] = images.shape;
  for (const [side, size, part] of [["height", height, high] as const, ["width", width, wide] as const]) {
    if (size % part === 0) continue;
    throw mustDivide(subject, { name: side, value: size }, { name: "patchSize", value: part });
  }
  const [down, across] = [height / high, width / wide];
  const shape: [number, number, number] = [batch, down * across, channels * high * wide];
  if (images.size === 0) return tf.zeros(shape);
  return tf.tidy(() => {
    // Rank 5 is the most that every backend can transpose: batch and rows of patches are one axis.
    const split = tf.reshape(images, [batch * down, high, across, wide, channels]);
    return tf.reshape(tf.transpose(split, [0, 2, 4, 1, 3]), shape);
  });
}
