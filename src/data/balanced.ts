import type { Random } from "../random.js";

/**
 * `n` indices, ascending, as evenly spread over the classes as the labels allow.
 *
 * @param random draws them; without it, the first of each class are taken
 */
export function balanced(labels: Int32Array, n: number, random?: Random): Int32Array {
  const order = random?.permutation(labels.length) ?? labels.map((_, i) => i);
  const seen = new Map<number, number>();
  const rank = new Int32Array(labels.length); // how many of its class come before it
  for (const index of order) {
    const before = seen.get(labels[index]) ?? 0;
    rank[index] = before;
    seen.set(labels[index], before + 1);
  }
  return order
    .sort((a, b) => rank[a] - rank[b] || labels[a] - labels[b])
    .subarray(0, n)
    .sort();
}
