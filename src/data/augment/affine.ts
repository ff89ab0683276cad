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
  const pixels = count * height * width;
  const taps = interpolation.weights.length;
  return tf.tidy(() => {
    const from = origins(matrices, height, width);
    const { places, weights } = neighbours(from, [width, height], interpolation);
    const [columns, rows] = tf.unstack(places, 1);
    const starts = tf.reshape(tf.range(0, count * height, height, "int32"), [1, count, 1, 1]);
    const lines = tf.mul(tf.add(rows, starts), tf.scalar(width, "int32"));
    const sources = tf.add(tf.reshape(lines, [taps, 1, pixels]), tf.reshape(columns, [1, taps, pixels]));
    const [alongX, alongY] = tf.unstack(weights, 1);
    const shares = tf.mul(tf.reshape(alongY, [taps, 1, pixels]), tf.reshape(alongX, [1, taps, pixels]));
    const parts = tf.mul(
      tf.gather(tf.reshape(images, [pixels, channels]), tf.reshape(sources, [-1])),
      tf.reshape(shares, [-1, 1]),
    );
    const sums = tf.sum(tf.reshape(parts, [taps * taps, pixels * channels]), 0);
    const levels = tf.floor(tf.clipByValue(tf.reshape(sums, images.shape), 0, 255));
    const background = tf.tensor1d([...fill]);
    const inside = isInside(from, [width, height]);
    return tf.add<tf.Tensor4D>(tf.mul(tf.sub(levels, background), inside), background);
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

/** The pixels around each place that it is made of, and their weights, `[taps, 2, images, height, width]`. */
function neighbours(
  from: tf.Tensor4D,
  sizes: readonly [number, number],
  { first, weights }: Interpolation,
): { places: tf.Tensor; weights: tf.Tensor } {
  const place = tf.sub(from, 0.5);
  const before = tf.floor(place);
  const t = tf.sub(place, before);
  const taps = weights.length;
  const coefficients = tf.unstack(
    tf.tensor(
      [0, 1, 2, 3].flatMap((power) => weights.map((polynomial) => polynomial[power])),
      [4, taps, 1, 1, 1, 1],
    ),
  );
  const offsets = tf.reshape(tf.range(first, first + taps, 1, "int32"), [taps, 1, 1, 1, 1]);
  const last = tf.tensor4d(
    Int32Array.from(sizes, (size) => size - 1),
    [2, 1, 1, 1],
  );
  const pixels = tf.add(tf.cast(before, "int32"), offsets);
  return {
    places: tf.minimum(tf.maximum(pixels, tf.scalar(0, "int32")), last),
    weights: coefficients.reduceRight((sum, coefficient) => tf.add(tf.mul(sum, t), coefficient)),
  };
}

/** 1 where a place is in the image and 0 outside, `[images, height, width, 1]`. */
function isInside(from: tf.Tensor4D, sizes: readonly [number, number]): tf.Tensor4D {
  const isWithin = tf.logicalAnd(
    tf.greaterEqual(from, 0),
    tf.less(from, tf.tensor4d([...sizes], [2, 1, 1, 1])),
  );
  return tf.expandDims(tf.min(tf.cast(isWithin, "float32"), 0), 3);
}
