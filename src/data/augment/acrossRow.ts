import * as tf from "@tensorflow/tfjs-core";

/** Images as rows of numbers, `[batch, height, width · channels]`: loops over them are long, those over channels are not. */
export function asRows(images: tf.Tensor4D): tf.Tensor3D {
  const [batch, height, width, channels] = images.shape;
  return tf.reshape(images, [batch, height, width * channels]);
}

/** One number for each channel, over and over along a row: `[width · channels]`. */
export function acrossRow(values: readonly number[], width: number): tf.Tensor1D {
  const row = Float32Array.from({ length: width * values.length }, (_, i) => values[i % values.length]);
  return tf.tensor1d(row);
}
