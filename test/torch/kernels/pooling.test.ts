import * as fc from "fast-check";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { differences } from "./differences.js";
import { expectClose, expectSame, integers, onTorch, type Plain, reals } from "./kernelRun.js";

interface Run {
  x: Plain;
  attrs: {
    filterSize: number[];
    strides: number[];
    pad: "same" | "valid" | number;
    dimRoundingMode?: "floor";
  };
}

/** Pooling of different values, so that every window has one maximum. */
function runs(spatial: 2 | 3): fc.Arbitrary<Run> {
  const perAxis = (min: number, max: number): fc.Arbitrary<number[]> =>
    fc.array(fc.integer({ min, max }), { minLength: spatial, maxLength: spatial });
  // Of padding given as a number tfjs derives the output from the first axis alone: there all axes are alike.
  const alike = (axes: number[], pad: Run["attrs"]["pad"]): number[] =>
    typeof pad === "number" ? axes.map(() => axes[0]) : axes;
  return fc
    .record({
      sizes: perAxis(2, 5),
      filterSize: perAxis(1, 2),
      strides: perAxis(1, 3),
      pad: fc.constantFrom<Run["attrs"]["pad"][]>("same", "valid", 0, 1),
    })
    .map((run) => ({
      ...run,
      filterSize: alike(run.filterSize, run.pad),
      strides: alike(run.strides, run.pad),
    }))
    .chain(({ sizes, filterSize, strides, pad }) => {
      const shape = [2, ...sizes, 2];
      const count = shape.reduce((product, size) => product * size, 1);
      const order = Array.from({ length: count }, (_, i) => i - Math.floor(count / 2));
      return fc.record({
        x: fc.shuffledSubarray(order, { minLength: count }).map((values) => reals(shape, values)),
        attrs: fc.constant({
          filterSize,
          strides,
          pad,
          ...(typeof pad === "number" ? { dimRoundingMode: "floor" as const } : {}),
        }),
      });
    })
    .filter(({ attrs: { filterSize, pad } }) => pad !== 1 || filterSize.every((size) => size > 1));
}

const counting = (y: Plain): Plain => ({ ...y, values: y.values.map((_, i) => (i % 5) - 2) });

describe.each([
  [2, tf.MaxPool, tf.MaxPoolGrad, tf.AvgPool, tf.AvgPoolGrad],
  [3, tf.MaxPool3D, tf.MaxPool3DGrad, tf.AvgPool3D, tf.AvgPool3DGrad],
] as const)("%s dimensions", (spatial, maxPool, maxPoolGrad, avgPool, avgPoolGrad) => {
  test("as on tfjs's cpu backend", () => {
    fc.assert(
      fc.property(runs(spatial), ({ x, attrs }) => {
        expectSame(maxPool, { x }, attrs);
        expectSame(avgPool, { x }, attrs, { ulps: 4, scale: 64 });
      }),
      { numRuns: 50 },
    );
  });

  test("the gradients are the differences of the forward pass, with padding, too", () => {
    fc.assert(
      fc.property(runs(spatial), ({ x, attrs }) => {
        const [y] = onTorch(maxPool, { x }, attrs);
        const dy = counting(y);
        const dMax = onTorch(maxPoolGrad, { dy, input: x, output: y }, attrs);
        expectClose(dMax, [differences(maxPool, { x }, attrs, "x", dy, 0.25)]);
        const dMean = onTorch(avgPoolGrad, { dy, input: x }, attrs);
        expectClose(dMean, [differences(avgPool, { x }, attrs, "x", dy, 1)], { ulps: 4, scale: 16 });
      }),
      { numRuns: 15 },
    );
  });

  test("NaN is never the largest; of nothing else there is −∞", () => {
    const shape = [1, ...new Array<number>(spatial).fill(1).slice(1), 4, 1];
    const attrs = { filterSize: [...new Array<number>(spatial - 1).fill(1), 2], strides: 2, pad: "valid" };
    const [{ values }] = onTorch(maxPool, { x: reals(shape, [NaN, 3, NaN, NaN]) }, attrs);
    expect(values).toEqual([3, -Infinity]);
  });
});

test("the gradient that a spec of tfjs expects otherwise", () => {
  // x = [3, 3, 1], window 3 × 3, padding [[1, 2], [0, 1]]: see test/conformance/exclusions.ts.
  const x = reals([1, 3, 3, 1], [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  const attrs = { filterSize: 3, strides: 1, pad: [[0, 0], [1, 2], [0, 1], [0, 0]] }; // prettier-ignore
  const dy = reals([1, 4, 2, 1], [0, 3, 0, 6, 0, 9, 0, 12]);
  const expected = differences(tf.AvgPool, { x }, attrs, "x", dy, 1);
  expectClose(onTorch(tf.AvgPoolGrad, { dy, input: x }, attrs), [expected], { ulps: 4, scale: 16 });
});

test("MaxPoolWithArgmax numbers the elements of an image, or of the batch", () => {
  fc.assert(
    fc.property(runs(2), fc.boolean(), ({ x, attrs }, includeBatchInIndex) => {
      fc.pre(attrs.pad !== 1); // tfjs's operator takes "same" and "valid" with it
      expectSame(tf.MaxPoolWithArgmax, { x }, { ...attrs, includeBatchInIndex });
    }),
  );
});

test("integers", () => {
  const x = integers([1, 2, 2, 1], [2 ** 24 + 1, -5, 3, 2 ** 24]);
  const attrs = { filterSize: 2, strides: 1, pad: "valid" };
  expect(onTorch(tf.MaxPool, { x }, attrs)).toEqual([integers([1, 1, 1, 1], [2 ** 24 + 1])]);
});

test("nothing in, nothing out", () => {
  const attrs = { filterSize: 2, strides: 1, pad: "valid" };
  const x = reals([0, 2, 2, 1], []);
  expect(onTorch(tf.MaxPool, { x }, attrs)).toEqual([reals([0, 1, 1, 1], [])]);
  const small = reals([1, 1, 1, 1], [1]);
  const [y] = onTorch(tf.AvgPool, { x: small }, attrs);
  expect(y).toEqual(reals([1, 0, 0, 1], []));
  expect(onTorch(tf.AvgPoolGrad, { dy: y, input: small }, attrs)).toEqual([reals([1, 1, 1, 1], [0])]);
});

test("one-element windows that keep the shape are the identity, as tfjs's specs want", () => {
  const x = reals([1, 2, 2, 1], [1, 2, 3, 4]);
  const attrs = { filterSize: 1, strides: 2, pad: 1, dimRoundingMode: "floor" };
  for (const kernelName of [tf.MaxPool, tf.AvgPool]) expect(onTorch(kernelName, { x }, attrs)).toEqual([x]);
  expect(onTorch(tf.MaxPoolGrad, { dy: x, input: x, output: x }, attrs)).toEqual([x]);
});
