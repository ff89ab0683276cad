import { EigenvalueDecomposition, Matrix } from "ml-matrix";

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
  const a = Matrix.from1DArray(
    matrix.length,
    matrix.length,
    matrix.flatMap((row) => [...row]),
  );
  const { eigenvectorMatrix } = new EigenvalueDecomposition(a.mmul(a.transpose()), { assumeSymmetric: true });
  const rows = eigenvectorMatrix.transpose().mmul(a);
  const factors = matrix.map((_, j) => {
    const row = rows.getRow(j);
    return { u: eigenvectorMatrix.getColumn(j), row, sigma: Math.hypot(...row) };
  });
  factors.sort((x, y) => y.sigma - x.sigma);
  return {
    left: factors.map(({ u, sigma }) => Float64Array.from(u, (value) => value * Math.sqrt(sigma))),
    right: factors.map(({ row, sigma }) =>
      Float64Array.from(row, (value) => (sigma === 0 ? value : value / Math.sqrt(sigma))),
    ),
  };
}
