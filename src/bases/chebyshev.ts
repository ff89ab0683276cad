/** Chebyshev polynomials T₀ … T_(count−1) of t, by T_(k+1) = 2t·T_k − T_(k−1). */
export function chebyshevValues(t: number, count: number): number[] {
  const values = [1, t].slice(0, count);
  for (let k = 2; k < count; k++) values.push(2 * t * values[k - 1] - values[k - 2]);
  return values;
}

/**
 * Coefficients by powers of x of Σ cₖ·Tₖ((x − middle)/half), lowest first.
 *
 * @param chebyshev c₀, c₁, …
 */
export function chebyshevToPowers(chebyshev: ArrayLike<number>, middle: number, half: number): number[] {
  const count = chebyshev.length;
  const sum = new Array<number>(count).fill(0);
  let before = new Array<number>(count).fill(0);
  let current = new Array<number>(count).fill(0);
  current[0] = 1;
  for (let k = 0; k < count; k++) {
    for (let i = 0; i < count; i++) sum[i] += chebyshev[k] * current[i];
    const factor = k === 0 ? 1 : 2;
    const next = current.map((c, i) => (factor * ((current[i - 1] ?? 0) - middle * c)) / half - before[i]);
    [before, current] = [current, next];
  }
  return sum;
}
