import * as tf from "@tensorflow/tfjs-core";
import type { Module, Observation } from "../layers/module.js";

/** Images by number: a `Split` of a data set, or anything like it. */
export interface ImageSource {
  /** Number of images. */
  readonly size: number;
  /** The images at `indices`, as the model takes them, and possibly other tensors; all are disposed after use. */
  batch(indices: ArrayLike<number>): {
    /** `[batch, height, width, channels]` */
    readonly images: tf.Tensor;
  };
}

/** Images of one forward pass: what the activations of the largest model take stays below a gigabyte. */
const imagesPerPass = 32;
/**
 * Shows a model images evenly spread over all, a few in each pass, in evaluation mode.
 *
 * @param samples images looked at; all where there are fewer
 * @param observe called after every module of every pass, with the number of images of all passes
 */
export function observeImages(
  model: Module,
  source: ImageSource | tf.Tensor,
  samples: number,
  observe: (observation: Observation, images: number) => void,
): void {
  const size = sizeOfSource(source);
  const count = Math.min(samples, size);
  const indices = Int32Array.from({ length: count }, (_, i) => Math.floor((i * size) / count));
  for (let from = 0; from < count; from += imagesPerPass) {
    const images = imagesOf(source, indices.subarray(from, from + imagesPerPass));
    try {
      model.forward(images, { observe: (observation) => observe(observation, count) }).dispose();
    } finally {
      images.dispose();
    }
  }
}

/** How many images there are. */
export function sizeOfSource(source: ImageSource | tf.Tensor): number {
  return source instanceof tf.Tensor ? source.shape[0] : source.size;
}

function imagesOf(source: ImageSource | tf.Tensor, indices: Int32Array): tf.Tensor {
  if (source instanceof tf.Tensor) {
    return tf.tidy(() => tf.gather(source, tf.tensor1d(indices, "int32")));
  }
  const { images, ...others } = source.batch(indices);
  tf.dispose(others);
  return images;
}
