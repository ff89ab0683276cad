import * as tf from "@tensorflow/tfjs-core";

/** What is done to some images of a batch, at once. */
export interface ImageGroup {
  /** Places in the batch. */
  readonly indices: readonly number[];
  /** `[indices, height, width, channels]` to the same shape. */
  readonly apply: (images: tf.Tensor4D) => tf.Tensor4D;
}

/** The batch with each group changed; no image may be in two groups, and those in none stay as they are. */
export function changeSome(images: tf.Tensor4D, groups: readonly ImageGroup[]): tf.Tensor4D {
  return tf.tidy(() => {
    const places = Int32Array.from({ length: images.shape[0] }, (_, i) => i);
    let next = places.length;
    const parts = groups
      .filter(({ indices }) => indices.length > 0)
      .map(({ indices, apply }) => {
        for (const index of indices) places[index] = next++;
        return apply(tf.gather(images, tf.tensor1d([...indices], "int32")));
      });
    if (parts.length === 0) return tf.clone(images);
    return tf.gather(tf.concat([images, ...parts]), tf.tensor1d(places, "int32"));
  });
}

/** One number for each image, to be broadcast over it: `[images, 1, 1, 1]`. */
export function perImage(values: readonly number[]): tf.Tensor4D {
  return tf.tensor4d([...values], [values.length, 1, 1, 1]);
}
