import { describe, expect, test } from "vitest";
import { joinIdx, parseIdx } from "../../src/data/idx.js";
import { idxFile } from "./idxFile.js";

const images = idxFile([2, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);

function failure(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toMatchObject({ name: "KatlabError", code: "invalid" });
    return (error as Error).message;
  }
  throw new Error("nothing was thrown");
}

describe("parseIdx", () => {
  test("reads sizes and elements, row-major", () => {
    const { shape, data } = parseIdx("file", images, 3);
    expect(shape).toEqual([2, 2, 3]);
    expect([...data]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  test("reads a file that lies inside a larger buffer", () => {
    const buffer = new Uint8Array(images.length + 5);
    buffer.set(images, 3);
    expect(parseIdx("file", buffer.subarray(3, 3 + images.length), 3).data[0]).toBe(1);
  });

  test("reads an empty set", () => {
    expect(parseIdx("file", idxFile([0], []), 1)).toEqual({ shape: [0], data: new Uint8Array(0) });
  });

  test("rejects a label file where images must be, naming both magic numbers", () => {
    expect(failure(() => parseIdx("train images", idxFile([2], [0, 1]), 3))).toMatch(
      /^train images: must start with the IDX magic number 0x00000803 .*; got 0x00000801\. /,
    );
  });

  test("rejects other element types, gzip bytes and text", () => {
    const float = images.slice();
    float[2] = 0x0d;
    for (const bytes of [
      float,
      Uint8Array.of(0x1f, 0x8b, 8, 0, 0),
      new TextEncoder().encode("<html></html>"),
    ]) {
      expect(failure(() => parseIdx("file", bytes, 3))).toContain("magic number");
    }
  });

  test("rejects every truncation", () => {
    for (let length = 0; length < images.length; length++) {
      failure(() => parseIdx("file", images.subarray(0, length), 3));
    }
    expect(failure(() => parseIdx("file", images.subarray(0, -1), 3))).toContain(
      "must be 28 bytes long for sizes [2, 2, 3]; got 27 bytes (truncated)",
    );
  });

  test("rejects trailing bytes", () => {
    const longer = new Uint8Array([...images, 0]);
    expect(failure(() => parseIdx("file", longer, 3))).toContain("got 29 bytes (trailing bytes)");
  });

  test("rejects sizes whose product overflows", () => {
    const huge = idxFile([0xffffffff, 0xffffffff, 0xffffffff], [0]);
    expect(failure(() => parseIdx("file", huge, 3))).toContain("truncated");
  });
});

describe("joinIdx", () => {
  const idx = parseIdx("images", images, 3);

  test("gives one channel and int32 labels", () => {
    const joined = joinIdx("set", idx, { shape: [2], data: Uint8Array.of(1, 0) }, 2);
    expect(joined.shape).toEqual([2, 3, 1]);
    expect(joined.labels).toEqual(Int32Array.of(1, 0));
  });

  test("rejects different counts", () => {
    expect(failure(() => joinIdx("set", idx, { shape: [3], data: new Uint8Array(3) }, 2))).toBe(
      "set: must have one label for each image; got 2 images and 3 labels. Take both files from the same set.",
    );
  });

  test("rejects a label that is no class", () => {
    expect(failure(() => joinIdx("set", idx, { shape: [2], data: Uint8Array.of(0, 2) }, 2))).toContain(
      "labels must be below 2; got 2 at index 1",
    );
  });
});
