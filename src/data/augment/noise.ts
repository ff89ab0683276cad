import * as tf from "@tensorflow/tfjs-core";
import { Random } from "../../random.js";

/** Normal numbers that all noise is cut from, 1 MB; the same ones always. */
const tableSize = 2 ** 18;
let table: Float32Array | undefined;

function normals(): Float32Array {
  if (table === undefined) {
    const random = new Random(0).split("noise");
    table = Float32Array.from({ length: tableSize }, () => random.normal());
  }
  return table;
}

/**
 * Standard normal noise for images of `[rows, length]` numbers: `[images · rows, length]`. Each image is a stretch of one table
 * from a place of its own, row by row, from the table's start again after its end. tfjs has no generator on the device, and to
 * draw every number on the host, or to send it from there, would take longer than a training step. The same stream gives the
 * same bits on every engine.
 */
export function noise(
  images: number,
  [rows, length]: readonly [number, number],
  random: Random,
): tf.Tensor2D {
  const last = tableSize - length;
  const starts = new Int32Array(images * rows);
  for (let image = 0; image < images; image++) {
    const start = random.integer(last + 1);
    for (let row = 0; row < rows; row++) starts[image * rows + row] = (start + row * length) % (last + 1);
  }
  return tf.tidy(() => {
    const places = tf.add(tf.tensor2d(starts, [images * rows, 1], "int32"), tf.range(0, length, 1, "int32"));
    return tf.gather<tf.Tensor>(tf.tensor1d(normals()), places) as tf.Tensor2D;
  });
}
