import * as tf from "@tensorflow/tfjs-core";
import { mustBe, mustHaveShape } from "../errors.js";

/** What {@link resizePositions} starts from and makes. */
export interface ResizePositionsOptions {
  /** Patches along a side of the images the positions are for: 14 for 224 pixels in patches of 16. */
  readonly from: number;
  /** Patches along a side of the images they are wanted for. */
  readonly to: number;
  /** Positions before those of the patches, which stay as they are: 1 for a class token. */
  readonly prefix: number;
}

/**
 * Position embeddings for images of another size: `[1, prefix + from², dim]` → `[1, prefix + to², dim]`.
 *
 * Those of the patches are a square image of `dim` channels, which is resized by bicubic interpolation with antialias,
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
  for (const [name, value, least] of [
    ["from", from, 1] as const,
    ["to", to, 1] as const,
    ["prefix", prefix, 0] as const,
  ]) {
    if (Number.isInteger(value) && value >= least) continue;
    throw mustBe({
      subject: "resizePositions",
      must: `${name} must be a whole number ≥ ${least}`,
      got: String(value),
      remedy: "Sizes are counted in patches along a side of the image.",
    });
  }
  const [one, tokens, dim] = positions.shape;
  if (positions.rank !== 3 || one !== 1 || tokens !== prefix + from ** 2) {
    throw mustHaveShape("resizePositions: positions", [1, prefix + from ** 2, "dim"], positions.shape);
  }
  const values = positions.dataSync<"float32">();
  const head = prefix * dim;
  const weights = cubicWeights(from, to);
  // Down the columns, [from, from, dim] → [to, from, dim]; then along the rows, → [to, to, dim].
  const tall = resized(values.subarray(head), { outer: 1, inner: from * dim, from, weights });
  const square = resized(tall, { outer: to, inner: dim, from, weights });
  const result = new Float32Array(head + square.length);
  result.set(values.subarray(0, head));
  result.set(square, head);
  return tf.tensor3d(result, [1, prefix + to ** 2, dim]);
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
