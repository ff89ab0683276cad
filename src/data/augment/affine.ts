import * as tf from "@tensorflow/tfjs-core";
import type { Interpolation } from "./interpolation.js";

/** Where a pixel comes from, of pixel centres in pixels: x ← a·x + b·y + c, y ← d·x + e·y + f. */
export type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/**
 * Images moved by an affine map of their own each, as Pillow's transform of bytes: what comes from outside is `fill`, and
 * neighbours outside are the nearest pixels inside. The result is cut down to whole levels.
 *
 * @param images `[images, height, width, channels]`, levels 0…255
 * @param fill by channel, levels
 */
export function affine(
  images: tf.Tensor4D,
  matrices: readonly Affine[],
  { interpolation, fill }: { interpolation: Interpolation; fill: readonly number[] },
): tf.Tensor4D {
  const [count, height, width, channels] = images.shape;
  return tf.tidy(() => {
    const from = origins(matrices, height, width);
    // Channel by channel: weights are then broadcast over long rows, not over three numbers at a time.
    const planes = tf.transpose(tf.reshape(images, [count * height * width, channels]));
    const sums = tf.tidy(() => {
      const { places, weights } = neighbours(from, interpolation);
      return tf.sum(tf.mul(tf.gather<tf.Tensor>(planes, places, 1), weights), 1);
    });
    const levels = tf.floor(tf.clipByValue(tf.reshape(tf.transpose(sums), images.shape), 0, 255));
    const background = tf.tensor1d([...fill]);
    return tf.add<tf.Tensor4D>(tf.mul(tf.sub(levels, background), isInside(from)), background);
  });
}

/** Where each pixel's centre comes from, along x and along y, `[2, images, height, width]`. */
function origins(matrices: readonly Affine[], height: number, width: number): tf.Tensor4D {
  const entries = [
    [0, 3],
    [1, 4],
    [2, 5],
  ].flatMap((axes) => axes.flatMap((place) => matrices.map((matrix) => matrix[place])));
  const [ofX, ofY, shift] = tf.unstack(tf.tensor5d(entries, [3, 2, matrices.length, 1, 1]));
  const x = tf.reshape(tf.add(tf.range(0, width), 0.5), [1, 1, 1, width]);
  const y = tf.reshape(tf.add(tf.range(0, height), 0.5), [1, 1, height, 1]);
  return tf.add(tf.add(tf.mul(ofX, x), tf.mul(ofY, y)), shift);
}

/** The pixels of the batch around each place that it is made of, and their weights, `[taps · taps, pixels]`. */
function neighbours(
  from: tf.Tensor4D,
  { first, weights }: Interpolation,
): { places: tf.Tensor; weights: tf.Tensor } {
  const [, count, height, width] = from.shape;
  const [taps, pixels] = [weights.length, count * height * width];
  const place = tf.sub(from, 0.5);
  const before = tf.floor(place);
  const t = tf.sub(place, before);
  const coefficients = tf.unstack(
    tf.tensor(
      [0, 1, 2, 3].flatMap((power) => weights.map((polynomial) => polynomial[power])),
      [4, taps, 1, 1, 1, 1],
    ),
  );
  const polynomials = coefficients.reduceRight((sum, coefficient) => tf.add(tf.mul(sum, t), coefficient));
  const [ofColumns, ofRows] = tf.unstack(polynomials, 1);

  const offsets = tf.reshape(tf.range(first, first + taps, 1, "int32"), [taps, 1, 1, 1, 1]);
  const last = tf.tensor4d([width - 1, height - 1], [2, 1, 1, 1], "int32");
  const around = tf.add(tf.cast(before, "int32"), offsets);
  const inside = tf.minimum(tf.maximum(around, tf.scalar(0, "int32")), last);
  const [columns, rows] = tf.unstack(inside, 1);
  const starts = tf.reshape(tf.range(0, count * height, height, "int32"), [1, count, 1, 1]);
  const lines = tf.mul(tf.add(rows, starts), tf.scalar(width, "int32"));

  /** Every row with every column. */
  const each = (
    row: tf.Tensor,
    column: tf.Tensor,
    join: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
  ): tf.Tensor =>
    tf.reshape(join(tf.reshape(row, [taps, 1, pixels]), tf.reshape(column, [1, taps, pixels])), [
      taps * taps,
      pixels,
    ]);
  return {
    places: each(lines, columns, (a, b) => tf.add(a, b)),
    weights: each(ofRows, ofColumns, (a, b) => tf.mul(a, b)),
  };
}

/** 1 where a place is in the image and 0 outside, `[images, height, width, 1]`. */
function isInside(from: tf.Tensor4D): tf.Tensor4D {
  const [, , height, width] = from.shape;
  const sizes = tf.tensor4d([width, height], [2, 1, 1, 1]);
  const isWithin = tf.logicalAnd(tf.greaterEqual(from, 0), tf.less(from, sizes));
  return tf.expandDims(tf.min(tf.cast(isWithin, "float32"), 0), 3);
}
