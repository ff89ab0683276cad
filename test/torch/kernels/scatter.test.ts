import * as fc from "fast-check";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { finiteReal, smallInteger, tensor } from "./arbitrary.js";
import { expectSame, integers, onTorch, reals } from "./kernelRun.js";

test("ScatterNd adds what meets", () => {
  const runs = fc.integer({ min: 1, max: 3 }).chain((depth) =>
    fc.record({
      indices: tensor([4, depth], "int32", fc.integer({ min: 0, max: 1 })),
      updates: tensor([4, ...[2, 2, 2].slice(depth)], "int32", smallInteger),
    }),
  );
  fc.assert(fc.property(runs, (inputs) => expectSame(tf.ScatterNd, inputs, { shape: [2, 2, 2] })));
  expectSame(
    tf.ScatterNd,
    { indices: integers([2, 1], [0, 0]), updates: reals([2], [1, 2]) },
    { shape: [3] },
  );
});

test("TensorScatterUpdate replaces", () => {
  const tensor = reals([2, 2], [1, 2, 3, 4]);
  expectSame(tf.TensorScatterUpdate, {
    tensor,
    indices: integers([1, 1], [1]),
    updates: reals([1, 2], [8, 9]),
  });
  expectSame(tf.TensorScatterUpdate, { tensor, indices: integers([1, 2], [0, 1]), updates: reals([1], [7]) });
});

test("SparseToDense", () => {
  const defaultValue = reals([], [-1]);
  const values = { sparseValues: reals([2], [5, 6]), defaultValue };
  expectSame(tf.SparseToDense, { sparseIndices: integers([2], [0, 3]), ...values }, { outputShape: [4] });
  const pairs = integers([2, 2], [0, 1, 1, 0]);
  expectSame(tf.SparseToDense, { sparseIndices: pairs, ...values }, { outputShape: [2, 2] });
  const one = { sparseIndices: integers([2], [0, 2]), sparseValues: reals([], [5]), defaultValue };
  expectSame(tf.SparseToDense, one, { outputShape: [4] });
  const outside = { sparseIndices: integers([2], [0, 4]), ...values };
  expect(() => onTorch(tf.SparseToDense, outside, { outputShape: [4] })).toThrow("out of");
});

test("UnsortedSegmentSum passes over ids that are no segment", () => {
  const runs = fc.record({
    x: tensor([4, 3], "float32", finiteReal),
    segmentIds: tensor([4], "int32", fc.integer({ min: -1, max: 4 })),
  });
  const rounded = { ulps: 4, scale: 32 };
  fc.assert(
    fc.property(runs, (inputs) => expectSame(tf.UnsortedSegmentSum, inputs, { numSegments: 3 }, rounded)),
  );
  const x = integers([3], [1, 2, 4]);
  const [sums] = onTorch(
    tf.UnsortedSegmentSum,
    { x, segmentIds: integers([3], [0, 1, 0]) },
    { numSegments: 2 },
  );
  expect(sums).toEqual(integers([2], [5, 2]));
});
