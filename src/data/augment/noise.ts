import * as tf from "@tensorflow/tfjs-core";
import { Random } from "../../random.js";

/** Normal numbers that all noise is cut from, 2 MB; the same ones always. */
const tableSize = 2 ** 19;
let table: Float32Array | undefined;

function normals(): Float32Array {
  if (table === undefined) {
    const random = new Random(0).split("noise");
    table = Float32Array.from({ length: tableSize }, () => random.normal());
  }
  return table;
}

/**
 * Standard normal noise `[rows, length]`: each row is a window of one table, at a place drawn for it. tfjs has no generator on
 * the device, and to draw every number on the host, or to send it from there, would take longer than a training step.
 * Single numbers are standard normal; numbers recur, at unrelated places. The same stream gives the same bits on every engine.
 */
export function noiseRows(rows: number, length: number, random: Random): tf.Tensor2D {
  const starts = Int32Array.from({ length: rows }, () => random.integer(tableSize - length + 1));
  return tf.tidy(() => {
    const places = tf.add(tf.tensor2d(starts, [rows, 1], "int32"), tf.range(0, length, 1, "int32"));
    return tf.gather<tf.Tensor>(tf.tensor1d(normals()), places) as tf.Tensor2D;
  });
}
