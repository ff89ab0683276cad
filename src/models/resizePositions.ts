import * as tf from "@tensorflow/tfjs-core";
import { mustBe, mustHaveShape } from "../errors.js";
import { type Sides, sidesOf, sizeOf } from "../shape.js";

/** Patches of an image. */
export type PatchGrid = readonly [down: number, across: number];

/** What {@link resizePositions} starts from and makes. */
export interface ResizePositionsOptions {
  /**
   * Patches along both sides of the images the positions are for, or `[down, across]`: 14 for 224 pixels in patches of 16.
   */
  readonly from: Sides;
  /** Patches of the images they are wanted for, likewise. */
  readonly to: Sides;
  /** Positions before those of the patches, which stay as they are: 1 for a class token. */
  readonly prefix: number;
}

/**
 * Position embeddings for images of another size: `[1, prefix + from, dim]` → `[1, prefix + to, dim]`, with
 * `from` and `to` patches in all.
 *
 * Those of the patches are an image of `dim` channels, which is resized by bicubic interpolation with antialias,
 * as timm resizes them (PyTorch's `interpolate(mode="bicubic", antialias=True)`). The same size gives the same values.
 * Computed in float64 on the host.
 *
 * @returns float32, the caller's
 * @throws KatlabError `invalid` for a size that is not a whole number, `shape` for another number of positions
 * Source: Keys, "Cubic Convolution Interpolation for Digital Image Processing", 1981, with a = −1/2.
 */
export function resizePositions(
  positions: tf.Tensor,
  { from, to, prefix }: ResizePositionsOptions,
): tf.Tensor3D {
  const subject = "resizePositions";
  const [old, wanted] = [sidesOf(subject, "from", from), sidesOf(subject, "to", to)];
  if (!(Number.isInteger(prefix) && prefix >= 0)) {
    throw mustBe({
      subject,
      must: "prefix must be a whole number ≥ 0",
      got: String(prefix),
      remedy: "It is 1 with a class token.",
    });
  }
  const [one, tokens, dim] = positions.shape;
  if (positions.rank !== 3 || one !== 1 || tokens !== prefix + sizeOf(old)) {
    throw mustHaveShape(`${subject}: positions`, [1, prefix + sizeOf(old), "dim"], positions.shape);
  }
  const values = positions.dataSync<"float32">();
  const head = prefix * dim;
  const [[height, width], [tall]] = [old, wanted];
  const [columns, rows] = old.map((size, side) => cubicWeights(size, wanted[side]));
  // Down the columns, [height, width, dim] → [tall, width, dim]; then along the rows, → [tall, wide, dim].
  const stretched = resized(values.subarray(head), {
    outer: 1,
    inner: width * dim,
    from: height,
    weights: columns,
  });
  const grid = resized(stretched, { outer: tall, inner: dim, from: width, weights: rows });
  const result = new Float32Array(head + grid.length);
  result.set(values.subarray(0, head));
  result.set(grid, head);
  return tf.tensor3d(result, [1, prefix + sizeOf(wanted), dim]);
}

/**
 * Side of the square that so many patches make, if they make one.
 *
 * @param own the grid they are wanted for
 * @throws KatlabError `invalid` when they may as well be of `own`
 */
export function squareGrid(patches: number, own: PatchGrid): number | undefined {
  const side = Math.sqrt(patches);
  if (!Number.isInteger(side) || side === 0) return undefined;
  if (own[0] === own[1] || patches !== sizeOf(own)) return side;
  throw mustBe({
    subject: "loadWeights",
    must: `resizePositions must be the grid of patches, as these may be ${side} × ${side} or the model's ${own.join(" × ")}`,
    got: "true",
    remedy: `Pass [${side}, ${side}], or false for the model's.`,
  });
}

/** `[outer, from, inner]` → `[outer, to, inner]`. */
function resized(
  values: ArrayLike<number>,
  {
    outer,
    inner,
    from,
    weights,
  }: { outer: number; inner: number; from: number; weights: readonly Float64Array[] },
): Float64Array {
  const to = weights.length;
  const result = new Float64Array(outer * to * inner);
  for (let o = 0; o < outer; o++) {
    weights.forEach((row, i) => {
      row.forEach((weight, j) => {
        if (weight === 0) return;
        const [target, source] = [(o * to + i) * inner, (o * from + j) * inner];
        for (let k = 0; k < inner; k++) result[target + k] += weight * values[source + k];
      });
    });
  }
  return result;
}

/**
 * The matrix `[to, from]` that resizes one axis. Row i is the cubic kernel around the middle of pixel i, as wide as it has
 * to be when the image shrinks; weights beyond the edge are left out, and the rest made to sum to 1.
 */
function cubicWeights(from: number, to: number): Float64Array[] {
  const scale = from / to;
  const width = Math.max(scale, 1);
  return Array.from({ length: to }, (_, i) => {
    const centre = scale * (i + 0.5);
    const row = Float64Array.from({ length: from }, (_, j) => cubic((j + 0.5 - centre) / width));
    const sum = row.reduce((total, weight) => total + weight, 0);
    return row.map((weight) => weight / sum);
  });
}

/** Keys's kernel with a = −1/2; zero from 2 on. */
function cubic(x: number): number {
  const t = Math.abs(x);
  if (t < 1) return (1.5 * t - 2.5) * t * t + 1;
  if (t < 2) return ((-0.5 * t + 2.5) * t - 4) * t + 2;
  return 0;
}
