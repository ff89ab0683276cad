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
    const entry = (k: number): tf.Tensor3D =>
      tf.tensor3d(
        matrices.map((matrix) => matrix[k]),
        [count, 1, 1],
      );
    const x = tf.reshape(tf.add(tf.range(0, width), 0.5), [1, 1, width]);
    const y = tf.reshape(tf.add(tf.range(0, height), 0.5), [1, height, 1]);
    const fromX = tf.add(tf.add(tf.mul(entry(0), x), tf.mul(entry(1), y)), entry(2));
    const fromY = tf.add(tf.add(tf.mul(entry(3), x), tf.mul(entry(4), y)), entry(5));
    const columns = along(fromX, width, interpolation);
    const rows = along(fromY, height, interpolation);
    const starts = tf.tensor4d(
      Int32Array.from({ length: count }, (_, image) => image * height),
      [1, count, 1, 1],
    );
    const lines = tf.mul(tf.add(rows.places, starts), tf.scalar(width, "int32"));
    const places = tf.add(
      tf.reshape(lines, [taps, 1, pixels]),
      tf.reshape(columns.places, [1, taps, pixels]),
    );
    const weights = tf.mul(
      tf.reshape(rows.weights, [taps, 1, pixels]),
      tf.reshape(columns.weights, [1, taps, pixels]),
    );
    const parts = tf.mul(
      tf.gather(tf.reshape(images, [pixels, channels]), tf.reshape(places, [-1])),
      tf.reshape(weights, [-1, 1]),
    );
    const values = tf.sum(tf.reshape(parts, [taps * taps, pixels * channels]), 0);
    const levels = tf.floor(tf.clipByValue(tf.reshape(values, images.shape), 0, 255));
    const inside = tf.expandDims(tf.cast(tf.logicalAnd(columns.inside, rows.inside), "float32"), 3);
    return tf.add<tf.Tensor4D>(tf.mul(levels, inside), tf.mul(tf.tensor1d([...fill]), tf.sub(1, inside)));
  });
}

/** Pixels and weights along one axis for each tap, `[taps, images, height, width]`, and which places are inside. */
function along(
  from: tf.Tensor,
  size: number,
  { first, weights }: Interpolation,
): { places: tf.Tensor; weights: tf.Tensor; inside: tf.Tensor } {
  const place = tf.sub(from, 0.5);
  const before = tf.floor(place);
  const t = tf.sub(place, before);
  const polynomials = weights.map(([c0, c1, c2, c3]) =>
    tf.add(tf.mul(tf.add(tf.mul(tf.add(tf.mul(t, c3), c2), t), c1), t), c0),
  );
  const pixels = weights.map((_, k) => tf.clipByValue(tf.add(before, first + k), 0, size - 1));
  return {
    places: tf.cast(tf.stack(pixels), "int32"),
    weights: tf.stack(polynomials),
    inside: tf.logicalAnd(tf.greaterEqual(from, 0), tf.less(from, size)),
  };
}
