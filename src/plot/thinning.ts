/** Which points of a curve to keep: a chart of 300 pixels needs no 10 000. */

/** Indices of a series of `length` at equal distances, the first and the last among them, at most about `most`. */
export function everyNth(length: number, most: number): number[] {
  const stride = Math.ceil(length / most);
  return Array.from({ length }, (_, i) => i).filter((i) => i % stride === 0 || i === length - 1);
}

/**
 * Indices to keep of a noisy series, at most about `most`: the lowest and the highest value of each of `most / 2`
 * equal stretches, so that spikes stay visible, and the last one. Values that are not finite are kept only where
 * a stretch holds nothing else.
 */
export function envelope(values: readonly number[], most: number): number[] {
  if (values.length <= most) return values.map((_, i) => i);
  const stretch = Math.ceil((2 * values.length) / most);
  const kept: number[] = [];
  for (let start = 0; start < values.length; start += stretch) {
    const indices = extremes(values, start, Math.min(start + stretch, values.length));
    kept.push(...indices);
  }
  if (kept[kept.length - 1] !== values.length - 1) kept.push(values.length - 1);
  return kept;
}

function extremes(values: readonly number[], start: number, end: number): number[] {
  let low = -1;
  let high = -1;
  for (let i = start; i < end; i++) {
    if (!Number.isFinite(values[i])) continue;
    if (low < 0 || values[i] < values[low]) low = i;
    if (high < 0 || values[i] > values[high]) high = i;
  }
  if (low < 0) return [start];
  return low === high ? [low] : [Math.min(low, high), Math.max(low, high)];
}

/**
 * Indices to keep of a smooth function y(x) such that straight lines between them miss no dropped point by more
 * than `tolerance` in y; Douglas and Peucker's method (1973) with vertical distances.
 *
 * @param x - rising
 */
export function simplify(x: readonly number[], y: readonly number[], tolerance: number): number[] {
  if (x.length < 3) return x.map((_, i) => i);
  const kept = new Set([0, x.length - 1]);
  const open: [number, number][] = [[0, x.length - 1]];
  for (let pair = open.pop(); pair !== undefined; pair = open.pop()) {
    const [start, end] = pair;
    const slope = (y[end] - y[start]) / (x[end] - x[start]);
    let worst = tolerance;
    let split = -1;
    for (let i = start + 1; i < end; i++) {
      const miss = Math.abs(y[i] - y[start] - slope * (x[i] - x[start]));
      if (miss > worst) [worst, split] = [miss, i];
    }
    if (split < 0) continue;
    kept.add(split);
    open.push([start, split], [split, end]);
  }
  return [...kept].sort((a, b) => a - b);
}
