import * as tf from "@tensorflow/tfjs-core";
import type { Random } from "../../random.js";
import { type CropBox, type CropRanges, drawCropBox } from "./cropBox.js";
import {
  drawCubic,
  type Interpolation,
  type InterpolationName,
  linear,
  resizingCubic,
} from "./interpolation.js";

/** What is drawn for one image. */
export interface Crop {
  readonly box: CropBox;
  readonly interpolation: Interpolation;
  readonly flipped: boolean;
}

/** A box of its own for each image, whether it is mirrored, and how it is interpolated. */
export function drawCrops(
  [batch, height, width]: readonly number[],
  { ranges, flip, interpolation }: { ranges: CropRanges; flip: number; interpolation: InterpolationName },
  random: Random,
): Crop[] {
  return Array.from({ length: batch }, () => {
    const box = drawCropBox(height, width, ranges, random);
    const own = drawCubic(interpolation, random) ? resizingCubic : linear;
    return { box, interpolation: own, flipped: random.uniform() < flip };
  });
}

/**
 * Each image's box, resized to the size of the image: torchvision's resized_crop of float images, and Pillow's of bytes but
 * for rounding. As a box is never larger than the result, nothing is shrunk, and antialiasing would change nothing.
 *
 * @param images `[batch, height, width, channels]`, levels 0…255, which cubic overshoot is cut off to
 */
export function resizedCrop(images: tf.Tensor4D, crops: readonly Crop[]): tf.Tensor4D {
  const [batch, height, width, channels] = images.shape;
  const count = Math.max(
    linear.weights.length,
    ...crops.map(({ interpolation }) => interpolation.weights.length),
  );
  const rows = crops.map(({ box, interpolation }) => {
    return { start: box.top, length: box.height, interpolation, isReversed: false };
  });
  const columns = crops.map(({ box, interpolation, flipped }) => {
    return { start: box.left, length: box.width, interpolation, isReversed: flipped };
  });
  return tf.tidy(() => {
    const lines = tf.reshape(images, [batch * height, width * channels]);
    const byRow = weightedSum(
      tapsOf(rows, { size: height, count, stride: height, repeats: 1 }),
      ({ places, weights }) => tf.mul(tf.gather(lines, places), tf.reshape(weights, [-1, 1])),
    );
    const pixels = tf.reshape(byRow, [batch * height * width, channels]);
    const starts = tf.reshape(tf.range(0, batch * height * width, width, "int32"), [batch, height, 1]);
    const byColumn = weightedSum(
      tapsOf(columns, { size: width, count, stride: 0, repeats: channels }),
      ({ places, weights }) => {
        const own = tf.add(starts, tf.reshape(places, [batch, 1, width]));
        const found = tf.reshape(tf.gather<tf.Tensor>(pixels, own), [batch, height, width * channels]);
        return tf.mul(found, tf.reshape(weights, [batch, 1, width * channels]));
      },
    );
    const resized = tf.reshape<tf.Rank.R4>(byColumn, images.shape);
    return count === linear.weights.length ? resized : tf.clipByValue(resized, 0, 255);
  });
}

/** A part of an axis that is stretched over its whole length. */
interface Stretch {
  readonly start: number;
  readonly length: number;
  readonly interpolation: Interpolation;
  readonly isReversed: boolean;
}

/** How taps are laid out: places of image i count from i · stride; each weight is repeated. */
interface Layout {
  readonly size: number;
  readonly count: number;
  readonly stride: number;
  readonly repeats: number;
}

/** One of the pixels that each place is made of, `[images · size]`, and its weight, `[images · size · repeats]`. */
interface Tap {
  readonly places: tf.Tensor1D;
  readonly weights: tf.Tensor1D;
}

/** What each place along an axis is made of. Pixels outside the box have no part; the others share theirs, as in Pillow. */
function tapsOf(stretches: readonly Stretch[], { size, count, stride, repeats }: Layout): Tap[] {
  const all = stretches.length * size;
  const places = new Int32Array(count * all);
  const weights = new Float32Array(count * all * repeats);
  // Plain loops without arrays inside: at 224² and batch 128 they go round half a million times a step.
  const shares = new Float64Array(count * size);
  const whole = new Float64Array(size);
  stretches.forEach(({ start, length, interpolation, isReversed }, image) => {
    shares.fill(0);
    whole.fill(0);
    for (let k = 0; k < interpolation.weights.length; k++) {
      const [c0, c1, c2, c3] = interpolation.weights[k];
      for (let i = 0; i < size; i++) {
        const place = ((i + 0.5) * length) / size - 0.5;
        const before = Math.floor(place);
        const t = place - before;
        const from = before + interpolation.first + k;
        const isInside = from >= 0 && from < length;
        const to = isReversed ? size - 1 - i : i;
        places[k * all + image * size + to] = image * stride + start + (isInside ? from : 0);
        if (!isInside) continue;
        const share = c0 + t * (c1 + t * (c2 + t * c3));
        shares[k * size + to] = share;
        whole[to] += share;
      }
    }
    for (let k = 0; k < count; k++) {
      for (let i = 0; i < size; i++) {
        const weight = shares[k * size + i] / whole[i];
        const to = (k * all + image * size + i) * repeats;
        for (let c = 0; c < repeats; c++) weights[to + c] = weight;
      }
    }
  });
  const ofWeights = tf.unstack(tf.tensor2d(weights, [count, all * repeats]));
  return tf.unstack(tf.tensor2d(places, [count, all], "int32")).map((tap, k) => ({
    places: tap as tf.Tensor1D,
    weights: ofWeights[k] as tf.Tensor1D,
  }));
}

/** Each part is freed once it is added: a batch of images takes many megabytes. */
function weightedSum(taps: readonly Tap[], partOf: (tap: Tap) => tf.Tensor): tf.Tensor {
  return taps.slice(1).reduce(
    (sum, tap) => {
      const next = tf.tidy(() => tf.add(sum, partOf(tap)));
      sum.dispose();
      return next;
    },
    tf.tidy(() => partOf(taps[0])),
  );
}
