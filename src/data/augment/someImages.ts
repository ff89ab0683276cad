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
    const present = groups.filter(({ indices }) => indices.length > 0);
    if (present.length === 0) return tf.clone(images);
    // One copy to the device for all groups: each waits for what the device has been asked for before.
    const all = present.flatMap(({ indices }) => indices);
    const places = tf.tensor1d(all, "int32");
    const own = tf.split(
      places,
      present.map(({ indices }) => indices.length),
    );
    const changed = present.map(({ apply }, group) => tf.tidy(() => apply(tf.gather(images, own[group]))));
    return tf.tensorScatterUpdate<tf.Rank.R4>(
      images,
      tf.reshape(places, [all.length, 1]),
      tf.concat(changed),
    );
  });
}

/** One number for each image, to be broadcast over it: `[images, 1, 1, 1]`. */
export function perImage(values: readonly number[]): tf.Tensor4D {
  return tf.tensor4d([...values], [values.length, 1, 1, 1]);
}
