import * as tf from "@tensorflow/tfjs-core";
import { acrossRow, asRows } from "./acrossRow.js";

// Operations on images of whole levels 0…255, `[images, height, width, channels]`, with one number for each image,
// `[images, 1, 1, 1]`: Pillow's, that timm's RandAugment is made of. Results are whole levels again.

const highest = 255;

/** Stretches each channel of each image over all levels. */
export function autoContrast(images: tf.Tensor4D): tf.Tensor4D {
  return tf.tidy(() => {
    const low = tf.min(images, [1, 2], true);
    const range = tf.sub(tf.max(images, [1, 2], true), low);
    const isFlat = tf.equal(range, 0);
    // A channel of one level stays: (x − 0) · 1 / 1.
    const [none, one] = [tf.zerosLike(range), tf.onesLike(range)];
    const from = tf.sub(images, tf.where(isFlat, none, low));
    const raised = tf.mul(from, tf.where(isFlat, one, tf.fill(range.shape, highest)));
    return tf.floor(tf.div<tf.Tensor4D>(raised, tf.where(isFlat, one, range)));
  });
}

/** Levels spread so that each channel of each image has as many pixels below any share of the range. */
export function equalize(images: tf.Tensor4D): tf.Tensor4D {
  const [count, height, width, channels] = images.shape;
  const levels = highest + 1;
  return tf.tidy(() => {
    const size = count * channels * levels;
    const starts = tf.reshape(tf.range(0, size, levels, "int32"), [count, 1, 1, channels]);
    const places = tf.add(tf.cast(images, "int32"), starts);
    // Counted as integers, whose order of addition does not matter and whose running sums have one order on CUDA too.
    const ones = tf.ones([count * height * width * channels], "int32");
    const counts = tf.scatterND<tf.Rank.R1>(tf.reshape(places, [-1, 1]), ones, [size]);
    const below = tf.cumsum(tf.reshape(counts, [count, channels, levels]), 2, true);
    const ofHighest = tf.sum(tf.cast(tf.equal(images, tf.max(images, [1, 2], true)), "float32"), [1, 2]);
    const step = tf.expandDims(tf.floor(tf.div(tf.sub(height * width, ofHighest), highest)), 2);
    const half = tf.floor(tf.div(step, 2));
    const spread = tf.floor(tf.div(tf.add(below, half), tf.maximum(step, 1)));
    const same = tf.broadcastTo(tf.range(0, levels), spread.shape);
    const lookUp = tf.where(tf.equal(step, 0), same, tf.minimum(spread, highest));
    return tf.gather<tf.Tensor>(tf.reshape(lookUp, [-1]), places) as tf.Tensor4D;
  });
}

/** Each level as its image's table says. */
export function throughTables(
  images: tf.Tensor4D,
  tables: readonly ((level: number) => number)[],
): tf.Tensor4D {
  const levels = highest + 1;
  return tf.tidy(() => {
    const values = new Float32Array(tables.length * levels);
    tables.forEach((levelOf, table) => {
      for (let level = 0; level < levels; level++) values[table * levels + level] = levelOf(level);
    });
    const starts = tf.reshape(tf.range(0, values.length, levels, "int32"), [tables.length, 1, 1, 1]);
    return tf.gather<tf.Tensor>(tf.tensor1d(values), tf.add(tf.cast(images, "int32"), starts)) as tf.Tensor4D;
  });
}

/** Away from the grey image, or towards it. */
export function saturate(images: tf.Tensor4D, factor: tf.Tensor4D): tf.Tensor4D {
  return tf.tidy(() => blend(greyLevels(images), images, factor));
}

/** Away from the mean of the grey image, or towards it. */
export function contrast(images: tf.Tensor4D, factor: tf.Tensor4D): tf.Tensor4D {
  return tf.tidy(() => {
    const mean = tf.floor(tf.add(tf.mean(greyLevels(images), [1, 2], true), 0.5));
    return blend(mean as tf.Tensor4D, images, factor);
  });
}

/** Away from a smoothed image, or towards it: the mean of 3 × 3 pixels, the middle one five times; edges stay. */
export function sharpen(images: tf.Tensor4D, factor: tf.Tensor4D): tf.Tensor4D {
  const [, height, width] = images.shape;
  if (height < 3 || width < 3) return tf.clone(images);
  return tf.tidy(() => {
    const part = (y: number, x: number): tf.Tensor4D =>
      tf.slice(images, [0, y, x, 0], [-1, height - 2, width - 2, -1]);
    const offsets = [0, 1, 2];
    const around = offsets.flatMap((y) => offsets.map((x) => part(y, x)));
    const sum = tf.add(tf.addN(around), tf.mul(part(1, 1), 4));
    const smooth = tf.floor(tf.add(tf.div(sum, 13), 0.5));
    const change = tf.pad(tf.sub(smooth, part(1, 1)), [
      [0, 0],
      [1, 1],
      [1, 1],
      [0, 0],
    ]);
    return blend(tf.add<tf.Tensor4D>(images, change), images, factor);
  });
}

/** Pillow's grey, in fixed point of 16 bits, which float32 holds. */
function greyLevels(images: tf.Tensor4D): tf.Tensor4D {
  if (images.shape[3] === 1) return images;
  const weighed = tf.mul(asRows(images), acrossRow([19595, 38470, 7471], images.shape[2]));
  const sum = tf.sum<tf.Tensor4D>(tf.reshape(weighed, images.shape), 3, true);
  return tf.floor(tf.div(tf.add(sum, 32768), 65536));
}

/** other + factor · (images − other) */
function blend(other: tf.Tensor4D, images: tf.Tensor4D, factor: tf.Tensor4D): tf.Tensor4D {
  return tf.floor(tf.clipByValue(tf.add(other, tf.mul(factor, tf.sub(images, other))), 0, highest));
}
