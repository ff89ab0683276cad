import * as fc from "fast-check";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { anyReal, anyTensor, finiteReal, shape } from "./arbitrary.js";
import { booleans, expectClose, expectSame, integers, onTorch, reals } from "./kernelRun.js";

test("Fill", () => {
  fc.assert(
    fc.property(shape(), anyReal, fc.constantFrom("float32", "int32", undefined), (shape, value, dtype) =>
      expectSame(tf.Fill, {}, { shape, value: Math.fround(value), dtype }),
    ),
  );
  expect(onTorch(tf.Fill, {}, { shape: [2], value: 2, dtype: "bool" })).toEqual([booleans([2], [1, 1])]);
});

test("ZerosLike and OnesLike", () => {
  for (const dtype of ["float32", "int32", "complex64"] as const) {
    const value = dtype === "int32" ? fc.constant(7) : anyReal;
    fc.assert(
      fc.property(anyTensor(dtype, value), (x) => expectSame(tf.ZerosLike, { x })),
      { numRuns: 20 },
    );
  }
  fc.assert(fc.property(anyTensor("float32", anyReal), (x) => expectSame(tf.OnesLike, { x })));
});

describe("Range", () => {
  test.each([
    [0, 5, 1, "float32"],
    [0, 1, 0.25, "float32"],
    [5, 0, -2, "int32"],
    [3, 0, 1, "float32"], // the step follows the direction
    [0, 3, -1, "float32"], // the wrong way: nothing
    [3, 0, 2, "float32"],
    [2, 2, 1, "int32"],
  ])("%s to %s by %s", (start, stop, step, dtype) => {
    expectSame(tf.Range, {}, { start, stop, step, dtype }, { ulps: 4, scale: 4 });
  });
  test("does not add up rounding errors", () => {
    const [{ values }] = onTorch(tf.Range, {}, { start: 0, stop: 100, step: 0.1, dtype: "float32" });
    expect(values).toEqual(Array.from({ length: 1000 }, (_, i) => Math.fround(i * 0.1)));
  });
});

test("LinSpace", () => {
  fc.assert(
    fc.property(finiteReal, finiteReal, fc.integer({ min: 1, max: 9 }), (start, stop, num) =>
      expectSame(tf.LinSpace, {}, { start, stop, num }, { ulps: 16, scale: 8 }),
    ),
  );
});

test("Diag", () => {
  fc.assert(
    fc.property(anyTensor("float32", anyReal, { minRank: 1, maxRank: 3 }), (x) => expectSame(tf.Diag, { x })),
  );
});

test("MatrixBandPart", () => {
  const input = reals([3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const part = (lower: number, upper: number): number[] =>
    onTorch(tf.MatrixBandPart, { input, numLower: integers([], [lower]), numUpper: integers([], [upper]) })[0]
      .values as number[];
  expect(part(0, 0)).toEqual([1, 0, 0, 0, 5, 0, 0, 0, 9]);
  expect(part(1, 0)).toEqual([1, 0, 0, 4, 5, 0, 0, 8, 9]);
  expect(part(0, -1)).toEqual([1, 2, 3, 0, 5, 6, 0, 0, 9]);
  expect(part(-1, -1)).toEqual(input.values);
});

test("FromPixels reads bytes and canvases", async () => {
  await tf.setBackend("torch");
  const pixels = { data: Uint8Array.of(1, 2, 3, 255, 4, 5, 6, 128), width: 2, height: 1 };
  const canvas = { width: 2, height: 1, getContext: () => ({ getImageData: () => pixels }) };
  tf.tidy(() => {
    const expected = integers([1, 2, 3], [1, 2, 3, 4, 5, 6]);
    for (const source of [pixels, canvas]) {
      const image = tf.browser.fromPixels(source);
      expectClose([{ shape: image.shape, dtype: image.dtype, values: [...image.dataSync()] }], [expected]);
    }
    expect([...tf.browser.fromPixels(pixels, 4).dataSync()]).toEqual([...pixels.data]);
  });
});
