/** How often values fall into each of several adjoining intervals. */
export interface Histogram {
  /** Borders of the bins, rising and equispaced; one more than there are bins. */
  readonly edges: readonly number[];
  /** Number of values in each bin; the last one includes its upper border. */
  readonly counts: readonly number[];
}

/**
 * Histogram of the central values: those between the 0.1 % and the 99.9 % quantile.
 *
 * @param values at least one, all finite
 * @param bins ≥ 1
 * @returns where all central values are one number v, the bins cover [v − ½, v + ½]
 */
export function histogramOf(values: Float32Array, bins: number): Histogram {
  const sorted = values.toSorted();
  let low = sorted[Math.floor(0.001 * (sorted.length - 1))];
  let high = sorted[Math.ceil(0.999 * (sorted.length - 1))];
  if (low === high) [low, high] = [low - 0.5, high + 0.5];
  const counts = new Array<number>(bins).fill(0);
  for (const value of values) {
    if (value < low || value > high) continue;
    counts[Math.min(bins - 1, Math.floor(((value - low) / (high - low)) * bins))]++;
  }
  return { edges: Array.from({ length: bins + 1 }, (_, i) => low + ((high - low) * i) / bins), counts };
}
