import * as fc from "fast-check";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { anyInteger, anyReal, anyTensor, finiteReal, smallInteger, truth } from "./arbitrary.js";
import { booleans, expectClose, expectSame, integers, onTorch, type Plain, reals } from "./kernelRun.js";

/** A tensor with some of its axes. */
function withAxes(x: fc.Arbitrary<Plain>): fc.Arbitrary<{ x: Plain; axis: number[]; keepDims: boolean }> {
  return x.chain((x) =>
    fc.record({
      x: fc.constant(x),
      axis: fc.subarray(x.shape.map((_, i) => i)),
      keepDims: fc.boolean(),
    }),
  );
}

/** Large sums of reals are rounded in another order. */
const summed = { ulps: 64, scale: 8 };

describe("reals along any axes", () => {
  test.each([tf.Sum, tf.Mean])("%s", (kernelName) => {
    fc.assert(
      fc.property(withAxes(anyTensor("float32", finiteReal, { min: 1 })), ({ x, axis, keepDims }) =>
        expectSame(kernelName, { x }, { axis, keepDims }, summed),
      ),
    );
  });
  test("Sum with NaN, ±∞ and empty axes", () => {
    const value = fc.constantFrom(NaN, Infinity, -Infinity, 0, 1);
    fc.assert(
      fc.property(withAxes(anyTensor("float32", value)), ({ x, axis, keepDims }) =>
        expectSame(tf.Sum, { x }, { axis, keepDims }),
      ),
    );
  });
  test("Prod, of nothing 1", () => {
    const value = fc.constantFrom(0, 1, -2, 0.5, NaN, Infinity);
    fc.assert(
      fc.property(withAxes(anyTensor("float32", value)), ({ x, axis, keepDims }) =>
        expectSame(tf.Prod, { x }, { axis, keepDims }),
      ),
    );
  });
  test.each([
    [tf.Max, "reductionIndices"],
    [tf.Min, "axis"],
  ])("%s, with NaN", (kernelName, name) => {
    fc.assert(
      fc.property(withAxes(anyTensor("float32", anyReal, { min: 1 })), ({ x, axis, keepDims }) =>
        expectSame(kernelName, { x }, { [name]: axis, keepDims }),
      ),
    );
  });
  test("of nothing: the mean is no number, the extremes are the worst there is", () => {
    const x = reals([2, 0], []);
    const all = { axis: [1], reductionIndices: [1], keepDims: false };
    expectClose(onTorch(tf.Mean, { x }, all), [reals([2], [NaN, NaN])]);
    expectClose(onTorch(tf.Max, { x }, all), [reals([2], [-Infinity, -Infinity])]);
    expectClose(onTorch(tf.Min, { x }, { ...all, keepDims: true }), [reals([2, 1], [Infinity, Infinity])]);
    expectClose(onTorch(tf.Max, { x: integers([0], []) }, { reductionIndices: [0], keepDims: false }), [
      integers([], [-(2 ** 31)]),
    ]);
  });
});

describe("integers and truth values", () => {
  test.each([tf.Sum, tf.Prod])("%s is an integer modulo 2³²", (kernelName) => {
    const value = kernelName === tf.Sum ? anyInteger : smallInteger;
    for (const tensors of [anyTensor("int32", value, { maxRank: 3 }), anyTensor("bool", truth)]) {
      fc.assert(
        fc.property(withAxes(tensors), ({ x, axis, keepDims }) => {
          fc.pre(kernelName === tf.Sum || x.values.length <= 15); // JavaScript's products stay exact
          expectSame(kernelName, { x }, { axis, keepDims });
        }),
      );
    }
  });
  test("Mean is real", () => {
    for (const tensors of [
      anyTensor("int32", smallInteger, { min: 1 }),
      anyTensor("bool", truth, { min: 1 }),
    ]) {
      fc.assert(
        fc.property(withAxes(tensors), ({ x, axis, keepDims }) =>
          expectSame(tf.Mean, { x }, { axis, keepDims }, summed),
        ),
      );
    }
  });
  test.each([
    [tf.Max, "reductionIndices"],
    [tf.Min, "axis"],
  ])("%s", (kernelName, name) => {
    for (const tensors of [
      anyTensor("int32", anyInteger, { min: 1 }),
      anyTensor("bool", truth, { min: 1 }),
    ]) {
      fc.assert(
        fc.property(withAxes(tensors), ({ x, axis, keepDims }) =>
          expectSame(kernelName, { x }, { [name]: axis, keepDims }),
        ),
      );
    }
  });
  test.each([tf.All, tf.Any])("%s, also of nothing", (kernelName) => {
    // The cpu backend says false of nothing; of nothing all is true.
    fc.assert(
      fc.property(withAxes(anyTensor("bool", truth, { min: 1 })), ({ x, axis, keepDims }) =>
        expectSame(kernelName, { x }, { axis, keepDims }),
      ),
    );
    const nothing = onTorch(kernelName, { x: booleans([0], []) }, { axis: [0], keepDims: false });
    expectClose(nothing, [booleans([], [kernelName === tf.All ? 1 : 0])]);
  });
});

describe.each([tf.ArgMax, tf.ArgMin])("%s", (kernelName) => {
  const withAxis = (x: fc.Arbitrary<Plain>): fc.Arbitrary<[Plain, number]> =>
    x.chain((x) => fc.tuple(fc.constant(x), fc.integer({ min: 0, max: x.shape.length - 1 })));

  test("reals: the first of the extremes", () => {
    const value = fc.constantFrom(-1, 0, 1, 2, Infinity, -Infinity);
    const tensors = anyTensor("float32", value, { minRank: 1 });
    fc.assert(fc.property(withAxis(tensors), ([x, axis]) => expectSame(kernelName, { x }, { axis })));
  });
  test("integers and truth values", () => {
    for (const tensors of [
      anyTensor("int32", smallInteger, { minRank: 1 }),
      anyTensor("bool", truth, { minRank: 1 }),
    ])
      fc.assert(fc.property(withAxis(tensors), ([x, axis]) => expectSame(kernelName, { x }, { axis })));
  });
  test("NaN is passed over, wherever it stands", () => {
    const at = (values: number[]): number =>
      onTorch(kernelName, { x: reals([3], values) }, { axis: 0 })[0].values[0];
    const [worse, better] = kernelName === tf.ArgMax ? [1, 2] : [2, 1];
    expect([at([NaN, worse, better]), at([worse, NaN, better]), at([better, worse, NaN])]).toEqual([2, 2, 0]);
  });
});

describe.each([tf.Cumsum, tf.Cumprod])("%s", (kernelName) => {
  const runs = (
    x: fc.Arbitrary<Plain>,
  ): fc.Arbitrary<[Plain, { axis: number; exclusive: boolean; reverse: boolean }]> =>
    x.chain((x) =>
      fc.tuple(
        fc.constant(x),
        fc.record({
          axis: fc.integer({ min: 0, max: x.shape.length - 1 }),
          exclusive: fc.boolean(),
          reverse: fc.boolean(),
        }),
      ),
    );

  test("reals, exclusive or not, in both directions, with ±∞", () => {
    const value = fc.constantFrom(1, -2, 0.5, 3, Infinity);
    const tensors = anyTensor("float32", value, { minRank: 1 });
    fc.assert(fc.property(runs(tensors), ([x, attrs]) => expectSame(kernelName, { x }, attrs)));
  });
  test("integers and truth values", () => {
    for (const tensors of [
      anyTensor("int32", smallInteger, { minRank: 1 }),
      anyTensor("bool", truth, { minRank: 1 }),
    ]) {
      fc.assert(fc.property(runs(tensors), ([x, attrs]) => expectSame(kernelName, { x }, attrs)));
    }
  });
});

test("float64 storage sums in float64", () => {
  const x = { shape: [3], dtype: "float32", values: [1, 1e-12, -1] } as const;
  const [{ values }] = onTorch(tf.Sum, { x }, { axis: [0], keepDims: false }, "float64");
  expect(values[0]).toBe(1 + 1e-12 - 1);
});
