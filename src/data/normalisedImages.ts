import * as tf from "@tensorflow/tfjs-core";
import { mustBe } from "../errors.js";
import { sizeOf } from "../shape.js";

/**
 * Images as a model takes them, (pixel / 255 − mean) / std by channel. There are 256 values of a pixel, so it is a look-up:
 * no arithmetic, and on every engine the bits of the table, computed in float64 and rounded once.
 *
 * An engine with the tfjs kernel `NormalisedImages` gets the bytes and looks up on the device, so that a quarter of what float32
 * takes travels there; for others they are looked up here.
 *
 * @param pixels `[batch, height, width, channels]`, row-major
 * @param table normalised value of each pixel value, `[channels, 256]`: {@link normalisationTable}
 * @returns `[batch, height, width, channels]`, float32, the caller's
 */
export function normalisedImages(
  pixels: Uint8Array,
  shape: readonly [batch: number, height: number, width: number, channels: number],
  table: Float64Array,
): tf.Tensor4D {
  const kernel = tf.getKernel("NormalisedImages", tf.getBackend()) as tf.KernelConfig | undefined;
  if (kernel === undefined) return tf.tensor4d(lookedUp(pixels, shape[3], table), [...shape], "float32");
  // tfjs passes attributes on as they are; its type lists plain data only.
  const attrs = { pixels, shape, table } as unknown as tf.NamedAttrMap;
  return tf.engine().runKernel<tf.Tensor4D>("NormalisedImages", {}, attrs);
}

/** What every pixel value becomes, `[channels, 256]`. */
export function normalisationTable(mean: readonly number[], std: readonly number[]): Float64Array {
  return Float64Array.from(
    { length: 256 * mean.length },
    (_, i) => ((i & 255) / 255 - mean[i >> 8]) / std[i >> 8],
  );
}

/**
 * The bytes of some images, one behind the other, in memory of their own.
 *
 * @param images `[size, …]`, row-major
 * @param shape of one image
 * @param indices within `[0, size)`
 */
export function gatheredBytes(
  images: Uint8Array,
  shape: readonly number[],
  indices: ArrayLike<number>,
): Uint8Array {
  return gather(images, indices, new Uint8Array(indices.length * sizeOf(shape)));
}

/** What {@link bytesAt} gathers in. */
let scratch = new Uint8Array(0);

/**
 * The bytes of some images for use before the next call: `images` itself where they lie side by side, else memory that is used
 * again and again, as fresh memory costs more than what is copied there.
 */
export function bytesAt(
  images: Uint8Array,
  shape: readonly number[],
  indices: ArrayLike<number>,
): Uint8Array {
  const bytes = indices.length * sizeOf(shape);
  if (isRun(indices)) {
    const from = indices.length === 0 ? 0 : indices[0] * sizeOf(shape);
    return images.subarray(from, from + bytes);
  }
  if (scratch.length < bytes) scratch = new Uint8Array(bytes);
  return gather(images, indices, scratch.subarray(0, bytes));
}

function isRun(indices: ArrayLike<number>): boolean {
  for (let i = 1; i < indices.length; i++) if (indices[i] !== indices[i - 1] + 1) return false;
  return true;
}

function gather(images: Uint8Array, indices: ArrayLike<number>, into: Uint8Array): Uint8Array {
  const bytes = into.length / indices.length;
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i] * bytes;
    into.set(images.subarray(from, from + bytes), i * bytes);
  }
  return into;
}

/** @throws KatlabError `invalid` that names the first index outside `[0, size)` */
export function mustBeIndices(indices: ArrayLike<number>, size: number): void {
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i];
    if (Number.isInteger(index) && index >= 0 && index < size) continue;
    throw mustBe({
      subject: "batch",
      must: `indices must be integers in [0, ${size})`,
      got: `${index} at position ${i}`,
      remedy: "Draw the indices from random.permutation(split.size).",
    });
  }
}

/** @throws KatlabError `invalid` for other than one mean and one deviation above 0 for each channel */
export function mustBeStatistics(
  subject: string,
  channels: number,
  mean: readonly number[],
  std: readonly number[],
): void {
  if (mean.length === channels && std.length === channels && std.every((value) => value > 0)) return;
  throw mustBe({
    subject,
    must: `mean and std must have one value for each of the ${channels} channels, std above 0`,
    got: `mean [${mean.join(", ")}], std [${std.join(", ")}]`,
    remedy: "Compute them by channelStatistics(images, channels).",
  });
}

function lookedUp(pixels: Uint8Array, channels: number, table: Float64Array): Float32Array {
  const values = new Float32Array(pixels.length);
  for (let c = 0; c < channels; c++) {
    const own = Float32Array.from(table.subarray(256 * c, 256 * (c + 1)));
    for (let i = c; i < pixels.length; i += channels) values[i] = own[pixels[i]];
  }
  return values;
}
