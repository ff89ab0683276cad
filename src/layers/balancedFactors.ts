import { symmetricEigen } from "./symmetricEigen.js";

/** A = U·Σ·Vᵀ as two factors of equal weight: L = U·√Σ and R = √Σ·Vᵀ, so that L·R = A. */
export interface BalancedFactors {
  /** Columns of L, that of the largest singular value first. */
  readonly left: readonly Float64Array[];
  /** Rows of R in the same order. */
  readonly right: readonly Float64Array[];
}

/**
 * The balanced factors of a square matrix, in float64, by its singular value decomposition.
 *
 * U has the eigenvectors of A·Aᵀ, and row j of R is uⱼᵀ·A over √σⱼ with σⱼ = ‖uⱼᵀ·A‖: so L·R = U·Uᵀ·A is A to rounding,
 * whatever its condition. The rows of R are orthogonal to about 1e-16 · (σ₁/σⱼ)².
 *
 * @param matrix A, row by row
 */
export function balancedFactors(matrix: readonly Float64Array[]): BalancedFactors {
  const { vectors } = symmetricEigen(matrix.map((a) => Float64Array.from(matrix, (b) => dot(a, b))));
  const factors = vectors.map((u) => {
    const row = combination(u, matrix);
    return { u, row, sigma: Math.sqrt(dot(row, row)) };
  });
  factors.sort((a, b) => b.sigma - a.sigma);
  return {
    left: factors.map(({ u, sigma }) => u.map((value) => value * Math.sqrt(sigma))),
    right: factors.map(({ row, sigma }) =>
      sigma === 0 ? row : row.map((value) => value / Math.sqrt(sigma)),
    ),
  };
}

/** uᵀ·A */
function combination(u: Float64Array, matrix: readonly Float64Array[]): Float64Array {
  const sum = new Float64Array(matrix[0].length);
  matrix.forEach((row, i) => {
    const factor = u[i];
    for (let k = 0; k < sum.length; k++) sum[k] += factor * row[k];
  });
  return sum;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
