import * as tf from "@tensorflow/tfjs-core";
import { mustBe, mustDivide } from "../errors.js";
import { assertShape } from "../shape.js";

/**
 * Cuts images into square patches and lays each out as one row, channel by channel: the order of the weights of
 * PyTorch's convolutions, so that a linear map of the rows is the patch embedding of timm's models.
 *
 * @param images `[batch, height, width, channels]`, float32
 * @param patchSize p, pixels; divides height and width
 * @returns `[batch, patches, channels·p·p]`; patches run along the rows of the image, from its top left
 * @throws KatlabError `shape`, `indivisible`, or `invalid` for a patch size that is not a whole number ≥ 1
 */
export function patches(images: tf.Tensor4D, patchSize: number): tf.Tensor3D {
  const subject = "patches";
  const sizes = assertShape(`${subject}: images`, images.shape, ["batch", "height", "width", "channels"]);
  if (!(Number.isInteger(patchSize) && patchSize >= 1)) {
    throw mustBe({
      subject,
      must: "patchSize must be a whole number ≥ 1",
      got: String(patchSize),
      remedy: "16 is usual for images of 224 pixels.",
    });
  }
  for (const side of ["height", "width"]) {
    if (sizes[side] % patchSize === 0) continue;
    throw mustDivide(subject, { name: side, value: sizes[side] }, { name: "patchSize", value: patchSize });
  }
  const [batch, height, width, channels] = images.shape;
  const [down, across] = [height / patchSize, width / patchSize];
  const shape: [number, number, number] = [batch, down * across, channels * patchSize * patchSize];
  if (images.size === 0) return tf.zeros(shape);
  return tf.tidy(() => {
    // Rank 5 is the most that every backend can transpose: batch and rows of patches are one axis.
    const split = tf.reshape(images, [batch * down, patchSize, across, patchSize, channels]);
    return tf.reshape(tf.transpose(split, [0, 2, 4, 1, 3]), shape);
  });
}
