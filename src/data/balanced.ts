import { mustBe } from "../errors.js";
import type { Random } from "../random.js";

/**
 * The places of a class-balanced subset, ascending.
 *
 * @param labels class of each image
 * @param n number of images, 1 to `labels.length`
 * @param random draws them; without it, the first of each class are taken
 * @throws KatlabError `invalid` for another `n`
 */
export function takenPlaces(labels: Int32Array, n: number, random?: Random): Int32Array {
  if (!(Number.isInteger(n) && n >= 1 && n <= labels.length)) {
    throw mustBe({
      subject: "take",
      must: `n must be an integer from 1 to ${labels.length}`,
      got: String(n),
      remedy: "Ask for no more images than the split has.",
    });
  }
  return balanced(labels, n, random);
}

/**
 * The places of a class-balanced subset that is set aside, and those of the others; ascending.
 *
 * @param n number of images to set aside, 1 to `labels.length − 1`
 * @throws KatlabError `invalid` for another `n`
 */
export function heldPlaces(
  labels: Int32Array,
  n: number,
  random: Random,
): { train: Int32Array; validation: Int32Array } {
  if (!(Number.isInteger(n) && n >= 1 && n < labels.length)) {
    throw mustBe({
      subject: "validation",
      must: `must be an integer from 1 to ${labels.length - 1}, so that there is something to learn from`,
      got: String(n),
      remedy: "Set fewer images aside.",
    });
  }
  const validation = balanced(labels, n, random);
  const isHeld = new Set(validation);
  return { train: labels.map((_, i) => i).filter((i) => !isHeld.has(i)), validation };
}

/** `n` indices, ascending, as evenly spread over the classes as the labels allow. */
function balanced(labels: Int32Array, n: number, random?: Random): Int32Array {
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
