import * as fc from "fast-check";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { tensor } from "./arbitrary.js";
import { differences } from "./differences.js";
import { expectClose, expectSame, onTorch, type Plain, reals } from "./kernelRun.js";

const value = fc.integer({ min: -4, max: 4 });
const runs = fc
  .record({
    size: fc.tuple(
      fc.integer({ min: 2, max: 4 }),
      fc.integer({ min: 2, max: 4 }),
      fc.integer({ min: 2, max: 4 }),
    ),
    filter: fc.tuple(
      fc.integer({ min: 1, max: 2 }),
      fc.integer({ min: 1, max: 2 }),
      fc.integer({ min: 1, max: 2 }),
    ),
    strides: fc.integer({ min: 1, max: 2 }),
    pad: fc.constantFrom("same", "valid"),
  })
  .chain(({ size, filter, strides, pad }) =>
    fc.record({
      x: tensor([1, ...size, 2], "float32", value),
      filter: tensor([...filter, 2, 2], "float32", value),
      attrs: fc.constant({ strides, pad, dilations: 1, dataFormat: "NDHWC" }),
    }),
  );

test("Conv3D", () => {
  fc.assert(fc.property(runs, ({ x, filter, attrs }) => expectSame(tf.Conv3D, { x, filter }, attrs)));
});

test("its gradients are its differences", () => {
  fc.assert(
    fc.property(runs, ({ x, filter, attrs }) => {
      const [y] = onTorch(tf.Conv3D, { x, filter }, attrs);
      const dy: Plain = { ...y, values: y.values.map((_, i) => (i % 5) - 2) };
      const dx = onTorch(tf.Conv3DBackpropInputV2, { dy, filter }, { ...attrs, inputShape: x.shape });
      expectClose(dx, [differences(tf.Conv3D, { x, filter }, attrs, "x", dy, 1)]);
      const dFilter = onTorch(tf.Conv3DBackpropFilterV2, { x, dy }, { ...attrs, filterShape: filter.shape });
      expectClose(dFilter, [differences(tf.Conv3D, { x, filter }, attrs, "filter", dy, 1)]);
    }),
    { numRuns: 15 },
  );
});

test("windows larger than the volume leave nothing", () => {
  const [x, filter] = [reals([1, 1, 1, 1, 1], [1]), reals([2, 1, 1, 1, 1], [1, 1])];
  const attrs = { strides: 1, pad: "valid", dilations: 1, dataFormat: "NDHWC" };
  expect(onTorch(tf.Conv3D, { x, filter }, attrs)).toEqual([reals([1, 0, 1, 1, 1], [])]);
});
