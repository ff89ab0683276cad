import * as tf from "@tensorflow/tfjs-core";
import type { Random } from "../../random.js";
import { type CropBox, type CropRanges, drawCropBox } from "./cropBox.js";
import { type Interpolation, type InterpolationName, linear, resizingCubic } from "./interpolation.js";

/** What is drawn for one image. */
export interface Crop {
  readonly box: CropBox;
  readonly cubic: boolean;
  readonly flipped: boolean;
}

/** A box of its own for each image, whether it is mirrored, and how it is interpolated. */
export function drawCrops(
  [batch, height, width]: readonly number[],
  { ranges, flip, interpolation }: { ranges: CropRanges; flip: number; interpolation: InterpolationName },
  random: Random,
): Crop[] {
  return Array.from({ length: batch }, () => ({
    box: drawCropBox(height, width, ranges, random),
    cubic: interpolation === "random" ? random.uniform() < 0.5 : interpolation === "bicubic",
    flipped: random.uniform() < flip,
  }));
}

/**
 * Each image's box, resized to the size of the image: torchvision's resized_crop of float images, and Pillow's of bytes but
 * for rounding. As a box is never larger than the result, nothing is shrunk, and antialiasing would change nothing.
 *
 * @param images `[batch, height, width, channels]`, 0…1, which cubic overshoot is cut off to
 */
export function resizedCrop(images: tf.Tensor4D, crops: readonly Crop[]): tf.Tensor4D {
  const [batch, height, width, channels] = images.shape;
  const count = crops.some(({ cubic }) => cubic) ? resizingCubic.weights.length : linear.weights.length;
  const rows = crops.map(({ box, cubic }) => ({
    start: box.top,
    length: box.height,
    cubic,
    reversed: false,
  }));
  const columns = crops.map(({ box, cubic, flipped }) => ({
    ...{ start: box.left, length: box.width, cubic },
    reversed: flipped,
  }));
  return tf.tidy(() => {
    const lines = tf.tensor1d(
      Int32Array.from({ length: batch }, (_, image) => image * height),
      "int32",
    );
    const byRow = weighted(
      tf.reshape(images, [batch * height, width * channels]),
      tapsOf(rows, height, count),
      (places) => tf.reshape(tf.add(places, tf.reshape(lines, [batch, 1])), [-1]),
      [batch * height, 1],
    );
    const starts = tf.tensor3d(
      Int32Array.from({ length: batch * height }, (_, line) => line * width),
      [batch, height, 1],
      "int32",
    );
    const resized = weighted(
      tf.reshape(byRow, [batch * height * width, channels]),
      tapsOf(columns, width, count),
      (places) => tf.add(starts, tf.reshape(places, [batch, 1, width])),
      [batch, 1, width, 1],
    ) as tf.Tensor4D;
    return count === linear.weights.length ? resized : tf.clipByValue(resized, 0, 1);
  });
}

/** A part of an axis that is stretched over its whole length. */
interface Stretch {
  readonly start: number;
  readonly length: number;
  readonly cubic: boolean;
  readonly reversed: boolean;
}

/** One of the pixels that each place is made of, `[batch, places]`. */
interface Tap {
  readonly places: tf.Tensor2D;
  readonly weights: tf.Tensor2D;
}

/** What each place along an axis is made of. Pixels outside the box have no part; the others share theirs, as in Pillow. */
function tapsOf(stretches: readonly Stretch[], size: number, count: number): Tap[] {
  const shape: [number, number] = [stretches.length, size];
  const places = Array.from({ length: count }, () => new Int32Array(stretches.length * size));
  const weights = Array.from({ length: count }, () => new Float32Array(stretches.length * size));
  stretches.forEach(({ start, length, cubic, reversed }, image) => {
    const interpolation: Interpolation = cubic ? resizingCubic : linear;
    for (let i = 0; i < size; i++) {
      const place = ((i + 0.5) * length) / size - 0.5;
      const before = Math.floor(place);
      const t = place - before;
      const to = image * size + (reversed ? size - 1 - i : i);
      let sum = 0;
      interpolation.weights.forEach(([c0, c1, c2, c3], k) => {
        const from = before + interpolation.first + k;
        const isInside = from >= 0 && from < length;
        const weight = isInside ? c0 + t * (c1 + t * (c2 + t * c3)) : 0;
        places[k][to] = start + (isInside ? from : 0);
        weights[k][to] = weight;
        sum += weight;
      });
      for (const weight of weights) weight[to] /= sum;
    }
  });
  return places.map((indices, k) => ({
    places: tf.tensor2d(indices, shape, "int32"),
    weights: tf.tensor2d(weights[k], shape),
  }));
}

/** Σ weight · pixels[place] over the taps. */
function weighted(
  pixels: tf.Tensor,
  taps: readonly Tap[],
  placesOf: (places: tf.Tensor2D) => tf.Tensor,
  weightShape: number[],
): tf.Tensor {
  return taps
    .map(({ places, weights }) =>
      tf.mul(tf.gather(pixels, placesOf(places) as tf.Tensor1D), tf.reshape(weights, weightShape)),
    )
    .reduce((sum, part) => tf.add(sum, part));
}
