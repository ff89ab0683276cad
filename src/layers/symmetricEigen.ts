/** Eigenvalues, and eigenvectors of length 1: `vectors[i]` belongs to `values[i]`. In no particular order. */
export interface SymmetricEigen {
  readonly values: Float64Array;
  readonly vectors: readonly Float64Array[];
}

/**
 * Eigenvalues and eigenvectors of a symmetric matrix, by Householder reflections to a tridiagonal one, and QL with implicit
 * shifts. Float64, about 4·n³ multiply-adds.
 *
 * @param matrix its rows; overwritten
 * Source: Golub and Van Loan, "Matrix Computations", chapter 8; Bowdler et al., "The QR and QL algorithms for symmetric
 *   matrices", 1968.
 */
export function symmetricEigen(matrix: readonly Float64Array[]): SymmetricEigen {
  const vectors = matrix.map((row, i) => {
    const unit = new Float64Array(row.length);
    unit[i] = 1;
    return unit;
  });
  const beside = tridiagonal(matrix, vectors);
  const values = Float64Array.from(matrix, (row, i) => row[i]);
  diagonal(values, beside, vectors);
  return { values, vectors };
}

/** Makes `a` tridiagonal by reflections from both sides, `vectors` by the same from the left; returns what is beside the diagonal. */
function tridiagonal(a: readonly Float64Array[], vectors: readonly Float64Array[]): Float64Array {
  const n = a.length;
  const beside = new Float64Array(n);
  for (let k = 0; k < n - 1; k++) {
    const v = Float64Array.from({ length: n }, (_, i) => (i > k ? a[i][k] : 0));
    const length = Math.sqrt(dot(v, v, k + 1));
    beside[k] = v[k + 1] > 0 ? -length : length;
    v[k + 1] -= beside[k];
    const square = dot(v, v, k + 1);
    if (square === 0) continue;
    // H·A·H = A − v·wᵀ − w·vᵀ with H = I − 2v·vᵀ/vᵀv.
    const w = Float64Array.from(a, (row, i) => (i > k ? (2 / square) * dot(row, v, k + 1) : 0));
    addMultiple(w, v, -dot(w, v, k + 1) / square, k + 1);
    const seen = new Float64Array(n);
    for (let i = k + 1; i < n; i++) {
      addMultiple(a[i], w, -v[i], k + 1);
      addMultiple(a[i], v, -w[i], k + 1);
      addMultiple(seen, vectors[i], (2 / square) * v[i], 0);
    }
    for (let i = k + 1; i < n; i++) addMultiple(vectors[i], seen, -v[i], 0);
  }
  return beside;
}

/** Makes a tridiagonal matrix (`d`, and `e` beside it) diagonal by rotations, and applies them to `vectors`. */
function diagonal(d: Float64Array, e: Float64Array, vectors: readonly Float64Array[]): void {
  const n = d.length;
  for (let low = 0; low < n; low++) {
    for (let high = splitFrom(low); high > low; high = splitFrom(low)) rotate(low, high);
  }

  /** The first place from `low` on where the matrix falls apart. */
  function splitFrom(low: number): number {
    let high = low;
    while (high < n - 1 && Math.abs(e[high]) > Number.EPSILON * (Math.abs(d[high]) + Math.abs(d[high + 1])))
      high++;
    return high;
  }

  /** One sweep over the rows from `high` up to `low`. */
  function rotate(low: number, high: number): void {
    const half = (d[low + 1] - d[low]) / (2 * e[low]);
    let g = d[high] - d[low] + e[low] / (half + (half < 0 ? -1 : 1) * Math.hypot(half, 1));
    let [sine, cosine, shift] = [1, 1, 0];
    for (let i = high - 1; i >= low; i--) {
      const [f, b] = [sine * e[i], cosine * e[i]];
      const r = Math.hypot(f, g);
      e[i + 1] = r;
      if (r === 0) {
        d[i + 1] -= shift;
        e[high] = 0;
        return;
      }
      [sine, cosine] = [f / r, g / r];
      g = d[i + 1] - shift;
      const t = (d[i] - g) * sine + 2 * cosine * b;
      shift = sine * t;
      d[i + 1] = g + shift;
      g = cosine * t - b;
      rotateRows(vectors[i], vectors[i + 1], sine, cosine);
    }
    d[low] -= shift;
    e[low] = g;
    e[high] = 0;
  }
}

function rotateRows(upper: Float64Array, lower: Float64Array, sine: number, cosine: number): void {
  for (let k = 0; k < upper.length; k++) {
    const u = upper[k];
    const l = lower[k];
    lower[k] = sine * u + cosine * l;
    upper[k] = cosine * u - sine * l;
  }
}

function dot(a: Float64Array, b: Float64Array, from: number): number {
  let sum = 0;
  for (let i = from; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function addMultiple(target: Float64Array, source: Float64Array, factor: number, from: number): void {
  for (let i = from; i < target.length; i++) target[i] += factor * source[i];
}
