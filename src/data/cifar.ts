import { mustBe } from "../errors.js";
import type { LabelledImages } from "./imageSet.js";

const side = 32;
const pixels = side * side;

/** How a record of a CIFAR file begins. */
export interface CifarRecord {
  /** Bytes before the pixels: one in CIFAR-10, two in CIFAR-100 (superclass, class). */
  readonly labelBytes: number;
  /** Which of them is the label. */
  readonly label: number;
  /** Labels must lie in `[0, classes)`. */
  readonly classes: number;
}

/**
 * Reads files of CIFAR's binary version: records of some label bytes, then 1,024 red, 1,024 green and 1,024 blue ones,
 * each row-major.
 *
 * Source: Krizhevsky, *Learning Multiple Layers of Features from Tiny Images*, 2009.
 *
 * @param subject names the files in messages
 * @param files their bytes, in the order of the images
 * @throws KatlabError `invalid` for a file that is not a whole number of records, and for a label that is not a class
 */
export function readCifar(
  subject: string,
  files: readonly Uint8Array[],
  { labelBytes, label, classes }: CifarRecord,
): LabelledImages {
  const record = labelBytes + 3 * pixels;
  const counts = files.map((bytes) => bytes.length / record);
  const odd = counts.findIndex((count) => !Number.isInteger(count) || count === 0);
  if (odd >= 0) {
    throw mustBe({
      subject: `${subject}, file ${odd + 1}`,
      must: `must be one or more records of ${record} bytes`,
      got: `${files[odd].length} bytes`,
      remedy: "Fetch the file again, or point KATLAB_DATA at a good copy.",
    });
  }
  const size = counts.reduce((sum, count) => sum + count, 0);
  const images = new Uint8Array(size * 3 * pixels);
  const labels = new Int32Array(size);
  let index = 0;
  for (const bytes of files) {
    for (let at = 0; at < bytes.length; at += record, index++) {
      labels[index] = bytes[at + label];
      if (labels[index] >= classes) {
        throw mustBe({
          subject,
          must: `labels must be below ${classes}`,
          got: `${labels[index]} at index ${index}`,
          remedy: "Check that the files belong to this set.",
        });
      }
      for (let channel = 0; channel < 3; channel++) {
        const plane = at + labelBytes + channel * pixels;
        const to = index * 3 * pixels + channel;
        for (let i = 0; i < pixels; i++) images[to + 3 * i] = bytes[plane + i];
      }
    }
  }
  return { images, labels, shape: [side, side, 3] };
}
