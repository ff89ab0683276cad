import type { Random } from "../random.js";
import { balancedFactors } from "./balancedFactors.js";

/** First weights of an attention, in PyTorch's layout. */
export interface MimeticWeights {
  /** `[3·dim, dim]`: queries, keys, values. */
  readonly qkv: Float32Array;
  /** `[dim, dim]` */
  readonly proj: Float32Array;
}

/**
 * Mimetic first weights: those of trained transformers, in which queries and keys of a token look for each other, and the
 * output leans against the input.
 *
 *     query·keyᵀ = x·A·xᵀ, A ≈ 0.7·N + 0.7·I, a fresh one per head, its head-dim largest singular values kept
 *     values and projection: y = x·A, A = 0.4·N − 0.4·I        N uniform in ±√(3/dim), of variance 1/dim
 *
 * Both products are split evenly, A = U·Σ·Vᵀ = (U·√Σ)·(√Σ·Vᵀ).
 *
 * @param untransposed values and projection as KAT's released code stores them, whose product is (√Σ·Vᵀ)·(U·√Σ): it has
 *   A's eigenvalues, but is not A
 * Source: Trockman and Kolter, "Mimetic Initialization of Self-Attention Layers", arXiv 2305.09828; numbers as in KAT's
 *   released code. There the paper's normal noise is uniform, of the same variance.
 */
export function mimeticWeights(
  {
    dim,
    heads,
    untransposed,
  }: { readonly dim: number; readonly heads: number; readonly untransposed: boolean },
  random: Random,
): MimeticWeights {
  const rank = dim / heads;
  const qkv = new Float32Array(3 * dim * dim);
  const proj = new Float32Array(dim * dim);
  for (let head = 0; head < heads; head++) {
    const { left, right } = balancedFactors(noisyIdentity(dim, { noise: 0.7, identity: 0.7 }, random));
    for (let j = 0; j < rank; j++) {
      qkv.set(left[j], (head * rank + j) * dim);
      qkv.set(right[j], (dim + head * rank + j) * dim);
    }
  }
  const { left, right } = balancedFactors(noisyIdentity(dim, { noise: 0.4, identity: -0.4 }, random));
  // PyTorch computes x·Wᵀ. So the rows of Lᵀ are the columns of L, and those of Rᵀ the columns of R.
  for (let i = 0; i < dim; i++) {
    for (let j = 0; j < dim; j++) {
      const [place, flipped] = [i * dim + j, j * dim + i];
      qkv[2 * dim * dim + (untransposed ? flipped : place)] = left[i][j];
      proj[untransposed ? place : flipped] = right[i][j];
    }
  }
  return { qkv, proj };
}

/** noise·N + identity·I, row by row. */
function noisyIdentity(
  dim: number,
  { noise, identity }: { readonly noise: number; readonly identity: number },
  random: Random,
): Float64Array[] {
  const bound = noise * Math.sqrt(3 / dim);
  return Array.from({ length: dim }, (_, i) =>
    Float64Array.from(
      { length: dim },
      (__, j) => bound * (2 * random.uniform() - 1) + (i === j ? identity : 0),
    ),
  );
}
