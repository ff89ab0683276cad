import * as fc from "fast-check";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { anyReal, finiteReal, tensor } from "./arbitrary.js";
import { differences } from "./differences.js";
import { expectClose, expectSame, integers, onTorch, type Plain } from "./kernelRun.js";

const modes = [
  { alignCorners: false, halfPixelCenters: false },
  { alignCorners: true, halfPixelCenters: false },
  { alignCorners: false, halfPixelCenters: true },
];

function runs(value: fc.Arbitrary<number>): fc.Arbitrary<{ images: Plain; size: [number, number] }> {
  const size = fc.integer({ min: 1, max: 5 });
  return fc.tuple(size, size, size, size).chain(([height, width, newHeight, newWidth]) =>
    fc.record({
      images: tensor([2, height, width, 2], "float32", value),
      size: fc.constant<[number, number]>([newHeight, newWidth]),
    }),
  );
}

describe.each(modes)("$alignCorners, $halfPixelCenters", (mode) => {
  test("ResizeBilinear", () => {
    fc.assert(
      fc.property(runs(finiteReal), ({ images, size }) =>
        expectSame(tf.ResizeBilinear, { images }, { ...mode, size }, { ulps: 8, scale: 8 }),
      ),
    );
  });
  test("ResizeNearestNeighbor", () => {
    fc.assert(
      fc.property(runs(anyReal), ({ images, size }) =>
        expectSame(tf.ResizeNearestNeighbor, { images }, { ...mode, size }),
      ),
    );
  });
  test.each([
    [tf.ResizeBilinear, tf.ResizeBilinearGrad],
    [tf.ResizeNearestNeighbor, tf.ResizeNearestNeighborGrad],
  ])("the gradient of %s is its differences", (forward, backward) => {
    fc.assert(
      fc.property(runs(fc.integer({ min: -4, max: 4 })), ({ images, size }) => {
        const attrs = { ...mode, size };
        const [y] = onTorch(forward, { images }, attrs);
        const dy: Plain = { ...y, values: y.values.map((_, i) => (i % 5) - 2) };
        const expected = differences(forward, { images }, attrs, "images", dy, 1);
        expectClose(onTorch(backward, { images, dy }, attrs), [expected], { ulps: 8, scale: 32 });
      }),
      { numRuns: 20 },
    );
  });
});

test("integers are resized to reals by interpolation, to integers without", () => {
  const images = integers([1, 1, 2, 1], [0, 3]);
  const attrs = { alignCorners: false, halfPixelCenters: false, size: [1, 4] };
  expectSame(tf.ResizeBilinear, { images }, attrs);
  expectSame(tf.ResizeNearestNeighbor, { images }, attrs);
});

test("FlipLeftRight", () => {
  fc.assert(
    fc.property(tensor([2, 2, 3, 2], "float32", anyReal), (image) => expectSame(tf.FlipLeftRight, { image })),
  );
  expect(onTorch(tf.FlipLeftRight, { image: integers([1, 1, 2, 1], [1, 2]) })[0].values).toEqual([2, 1]);
});
