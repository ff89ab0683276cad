import * as fc from "fast-check";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { anyReal, anyTensor, tensor } from "./arbitrary.js";
import { booleans, expectSame, integers, onTorch, reals } from "./kernelRun.js";

describe("GatherV2", () => {
  test("along any axis, in batches, of nothing", () => {
    const runs = anyTensor("float32", anyReal, { minRank: 1, maxRank: 4, min: 1 }).chain((x) =>
      fc.integer({ min: 0, max: x.shape.length - 1 }).chain((axis) =>
        fc
          .record({
            batchDims: fc.integer({ min: 0, max: axis }),
            rest: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 2 }),
          })
          .chain(({ batchDims, rest }) => {
            const index = fc.integer({ min: 0, max: x.shape[axis] - 1 });
            const indices = tensor([...x.shape.slice(0, batchDims), ...rest], "int32", index);
            return fc.record({
              x: fc.constant(x),
              indices,
              attrs: fc.constant({ axis, batchDims }),
            });
          }),
      ),
    );
    fc.assert(fc.property(runs, ({ x, indices, attrs }) => expectSame(tf.GatherV2, { x, indices }, attrs)));
  });
  test("an index outside is named", () => {
    const x = reals([2], [1, 2]);
    for (const index of [-1, 2]) {
      const run = (): unknown =>
        onTorch(tf.GatherV2, { x, indices: integers([1], [index]) }, { axis: 0, batchDims: 0 });
      expect(run).toThrow(`GatherV2: the index value ${index} is not in [0, 1]`);
    }
    const [rows, indices] = [reals([2, 2], [1, 2, 3, 4]), integers([2, 1], [0, 5])];
    expect(() => onTorch(tf.GatherV2, { x: rows, indices }, { axis: 1, batchDims: 1 })).toThrow(
      "value 5 is not",
    );
  });
});

test("GatherNd, from elements to the whole", () => {
  const params = reals([2, 2, 2], [0, 1, 2, 3, 4, 5, 6, 7]);
  for (const depth of [0, 1, 2, 3]) {
    const tuple = Array.from({ length: depth }, (_, k) => k % 2);
    expectSame(tf.GatherNd, {
      params,
      indices: integers([2, depth], [...tuple, ...tuple.map((i) => 1 - i)]),
    });
  }
  expectSame(tf.GatherNd, { params, indices: integers([0, 1], []) });
  expect(() => onTorch(tf.GatherNd, { params, indices: integers([1, 1], [2]) })).toThrow("out of");
});

test("OneHot: what is no class is off everywhere", () => {
  const indices = integers([2, 2], [0, 2, -1, 3]);
  for (const dtype of ["float32", "int32", "bool"]) {
    expectSame(tf.OneHot, { indices }, { depth: 3, onValue: 1, offValue: 0, dtype });
  }
  expectSame(tf.OneHot, { indices }, { depth: 3, onValue: 0.1, offValue: -2.5, dtype: "float32" });
});

test("Select by element and by row", () => {
  const elements = anyTensor("float32", anyReal).chain((t) =>
    fc.record({
      condition: tensor(t.shape, "bool", fc.integer({ min: 0, max: 1 })),
      t: fc.constant(t),
      e: tensor(t.shape, "float32", anyReal),
    }),
  );
  fc.assert(fc.property(elements, (inputs) => expectSame(tf.Select, inputs)));
  const [t, e] = [reals([2, 2], [1, 2, 3, 4]), reals([2, 2], [5, 6, 7, 8])];
  expect(onTorch(tf.Select, { condition: booleans([2], [1, 0]), t, e })).toEqual([
    reals([2, 2], [1, 2, 7, 8]),
  ]);
});
