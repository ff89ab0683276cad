import * as fc from "fast-check";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { finiteReal, tensor } from "./arbitrary.js";
import { expectSame, integers, onTorch, reals } from "./kernelRun.js";

const number = fc.integer({ min: 0, max: 6 });
const none = reals([0], []);
const rounded = { ulps: 4, scale: 64 };

test("Bincount, with weights or ones; numbers from size on are left out", () => {
  const runs = fc.integer({ min: 0, max: 9 }).chain((length) =>
    fc.record({
      x: tensor([length], "int32", number),
      weights: fc.oneof(tensor([length], "float32", finiteReal), fc.constant(none)),
    }),
  );
  fc.assert(fc.property(runs, (inputs) => expectSame(tf.Bincount, inputs, { size: 5 }, rounded)));
});

test("DenseBincount by rows, or only whether a number is there", () => {
  const runs = fc.record({
    x: tensor([3, 4], "int32", number),
    weights: fc.oneof(tensor([3, 4], "float32", finiteReal), fc.constant(none)),
  });
  fc.assert(
    fc.property(runs, fc.boolean(), (inputs, binaryOutput) =>
      expectSame(tf.DenseBincount, inputs, { size: 5, binaryOutput }, rounded),
    ),
  );
});

test("negative numbers are refused", () => {
  const inputs = { x: integers([2], [1, -1]), weights: none };
  expect(() => onTorch(tf.Bincount, inputs, { size: 3 })).toThrow("Input x must be non-negative");
});
