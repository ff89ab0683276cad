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
 * @returns where all central values are one number v, the bins lie around v
 */
export function histogramOf(values: Float32Array, bins: number): Histogram {
  const sorted = values.toSorted();
  let low = sorted[Math.floor(0.001 * (sorted.length - 1))];
  let high = sorted[Math.ceil(0.999 * (sorted.length - 1))];
  if (low === high) {
    // Half would vanish beside a large number.
    const half = Math.max(0.5, Math.abs(low) * 2 ** -20);
    [low, high] = [low - half, high + half];
  }
  const counts = new Array<number>(bins).fill(0);
  for (const value of values) {
    if (value < low || value > high) continue;
    counts[Math.min(bins - 1, Math.floor(((value - low) / (high - low)) * bins))]++;
  }
  const edges = Array.from({ length: bins + 1 }, (_, i) => low + ((high - low) * i) / bins);
  edges[bins] = high; // rounding must not leave the highest value outside
  return { edges, counts };
}
