import * as fc from "fast-check";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { anyTensor, finiteReal, smallInteger } from "./arbitrary.js";
import { expectSame, integers, onTorch, reals } from "./kernelRun.js";

test("TopK: of equals the lower index first", () => {
  const value = fc.constantFrom(-2, -1, -0, 0, 1, 2);
  for (const tensors of [
    anyTensor("float32", value, { minRank: 1, min: 1 }),
    anyTensor("int32", smallInteger, { minRank: 1, min: 1 }),
  ]) {
    const runs = tensors.chain((x) =>
      fc.tuple(fc.constant(x), fc.integer({ min: 0, max: x.shape[x.shape.length - 1] })),
    );
    fc.assert(fc.property(runs, ([x, k]) => expectSame(tf.TopK, { x }, { k, sorted: true })));
  }
});

test("TopK with ±∞, where tfjs's cpu backend subtracts them and loses the order", () => {
  const x = reals([5], [-Infinity, Infinity, 1, Infinity, -1]);
  const [values, indices] = onTorch(tf.TopK, { x }, { k: 5, sorted: true });
  expect(values).toEqual(reals([5], [Infinity, Infinity, 1, -1, -Infinity]));
  expect(indices).toEqual(integers([5], [1, 3, 2, 4, 0]));
});

test("SearchSorted, LowerBound and UpperBound", () => {
  const sortedSequence = reals([2, 4], [0, 1, 1, 3, -2, -1, 0, 5]);
  const sides = fc.constantFrom("left", "right");
  const values = fc.array(fc.oneof(finiteReal, fc.constantFrom(1, -1, Infinity)), {
    minLength: 4,
    maxLength: 4,
  });
  fc.assert(
    fc.property(values, sides, (list, side) => {
      const inputs = { sortedSequence, values: reals([2, 2], list) };
      expectSame(tf.SearchSorted, inputs, { side });
      const same = side === "left" ? tf.LowerBound : tf.UpperBound;
      expect(onTorch(same, inputs)).toEqual(onTorch(tf.SearchSorted, inputs, { side }));
    }),
  );
  const whole = { sortedSequence: integers([1, 3], [1, 2, 3]), values: integers([1, 1], [2]) };
  expectSame(tf.SearchSorted, whole, { side: "left" });
});
