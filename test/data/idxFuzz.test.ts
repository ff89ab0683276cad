import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { joinIdx, parseIdx } from "../../src/data/idx.js";
import { rawBytes } from "../../src/data/rawBytes.js";
import { KatlabError } from "../../src/errors.js";
import { Random } from "../../src/random.js";
import { idxFile } from "./idxFile.js";

const random = new Random(1);
const pixels = Array.from({ length: 6 * 4 * 5 }, () => random.integer(256));
const images = idxFile([6, 4, 5], pixels);
const labels = idxFile([6], [0, 1, 2, 0, 1, 2]);

/** A copy with one to four bytes changed, cut off, or lengthened. */
function damaged(bytes: Uint8Array): Uint8Array {
  const kind = random.integer(3);
  if (kind === 1) return bytes.slice(0, random.integer(bytes.length));
  if (kind === 2) {
    const extra = Uint8Array.from({ length: 1 + random.integer(40) }, () => random.integer(256));
    return Uint8Array.from([...bytes, ...extra]);
  }
  const copy = bytes.slice();
  for (let i = 0; i <= random.integer(4); i++) copy[random.integer(copy.length)] ^= 1 + random.integer(255);
  return copy;
}

/** undefined when it was refused as it should be. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (fault) {
    expect(fault).toBeInstanceOf(KatlabError);
    expect((fault as KatlabError).message).toMatch(/Fetch the file again|Take images and labels|label/i);
    return undefined;
  }
}

test("1,000 damaged IDX files are refused, or read as what they then say", () => {
  let refused = 0;
  for (let i = 0; i < 1000; i++) {
    const own =
      random.integer(2) === 0 ? { images: damaged(images), labels } : { images, labels: damaged(labels) };
    const read = attempt(() =>
      joinIdx("set", parseIdx("images", own.images, 3), parseIdx("labels", own.labels, 1), 3),
    );
    if (read === undefined) {
      refused++;
      continue;
    }
    const [height, width] = read.shape;
    expect(read.images).toEqual(own.images.slice(16));
    expect(read.images.length).toBe(read.labels.length * height * width);
    expect([...read.labels]).toEqual([...own.labels.slice(8)]);
    expect(read.labels.every((label) => label >= 0 && label < 3)).toBe(true);
  }
  expect(refused).toBeGreaterThan(500);
  expect(refused).toBeLessThan(1000);
});

test("500 damaged files of a set in the catalogue: none is taken for the set's", async () => {
  const sha256 = createHash("sha256").update(images).digest("hex");
  const file = { name: "images", bytes: images.length, sha256 };
  const packed = gzipSync(images);
  const whole = Buffer.from(images);
  expect(Buffer.from(await rawBytes("images.gz", packed, file))).toEqual(whole);
  let refused = 0;
  for (let i = 0; i < 500; i++) {
    try {
      // Some bytes in the header of gzip mean nothing to the content.
      const read = await rawBytes("images", damaged(i % 2 === 0 ? packed : images), file);
      expect(Buffer.from(read)).toEqual(whole);
    } catch (fault) {
      if (!(fault instanceof KatlabError)) throw fault;
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(400);
});
