import { mustBe } from "../errors.js";
import { sizeOf } from "../shape.js";
import type { LabelledImages } from "./imageSet.js";

/** The content of an IDX file of unsigned bytes. */
export interface IdxArray {
  /** Sizes as the header gives them, for images `[count, height, width]`, for labels `[count]`. */
  readonly shape: readonly number[];
  /** The elements, row-major; a view of the file's bytes. */
  readonly data: Uint8Array;
}

const unsignedByte = 0x08;

/**
 * Reads an IDX file of unsigned bytes, the format of MNIST and its successors:
 * big-endian magic `0x0000 08 rank`, `rank` sizes of 32 bits, then the bytes, row-major.
 *
 * @param subject names the file in messages
 * @param bytes the whole file, already decompressed
 * @param rank the number of axes that must be there: 3 for images, 1 for labels
 * @throws KatlabError `invalid` for another magic number, element type or rank, and for a file
 * that is shorter or longer than its header says
 */
export function parseIdx(subject: string, bytes: Uint8Array, rank: number): IdxArray {
  const headerBytes = 4 + 4 * rank;
  const complain = (must: string, got: string): Error =>
    mustBe({ subject, must, got, remedy: "Fetch the file again, or point KATLAB_DATA at a good copy." });

  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = 0x100 * unsignedByte + rank;
  const found = bytes.length >= 4 ? header.getUint32(0) : undefined;
  if (found !== magic) {
    throw complain(
      `must start with the IDX magic number ${hex(magic)} (unsigned bytes, ${rank} ${rank === 1 ? "axis" : "axes"})`,
      found === undefined ? `a file of ${bytes.length} bytes` : hex(found),
    );
  }
  if (bytes.length < headerBytes) {
    throw complain(`must have a header of ${headerBytes} bytes`, `a file of ${bytes.length} bytes`);
  }
  const shape = Array.from({ length: rank }, (_, axis) => header.getUint32(4 + 4 * axis));
  const expected = headerBytes + sizeOf(shape);
  if (bytes.length !== expected) {
    const fault = bytes.length < expected ? "truncated" : "trailing bytes";
    throw complain(
      `must be ${expected} bytes long for sizes [${shape.join(", ")}]`,
      `${bytes.length} bytes (${fault})`,
    );
  }
  return { shape, data: bytes.subarray(headerBytes) };
}

/**
 * Joins an image file and a label file.
 *
 * @param subject names the pair in messages
 * @param images `[count, height, width]`
 * @param labels `[count]`
 * @param classes labels must lie in `[0, classes)`
 * @throws KatlabError `invalid` when the counts differ or a label is out of range
 */
export function joinIdx(
  subject: string,
  images: IdxArray,
  labels: IdxArray,
  classes: number,
): LabelledImages {
  const [count, height, width] = images.shape;
  if (labels.shape[0] !== count) {
    throw mustBe({
      subject,
      must: "must have one label for each image",
      got: `${count} images and ${labels.shape[0]} labels`,
      remedy: "Take both files from the same set.",
    });
  }
  const wrong = labels.data.findIndex((label) => label >= classes);
  if (wrong >= 0) {
    throw mustBe({
      subject,
      must: `labels must be below ${classes}`,
      got: `${labels.data[wrong]} at index ${wrong}`,
      remedy: "Check that the label file belongs to this set.",
    });
  }
  return { images: images.data, labels: Int32Array.from(labels.data), shape: [height, width, 1] };
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}
