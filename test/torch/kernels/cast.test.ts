import * as fc from "fast-check";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { anyReal, anyTensor, truth } from "./arbitrary.js";
import { expectSame, integers, onTorch, reals } from "./kernelRun.js";

// The cpu backend does not round integers that it makes reals of: these need no rounding.
const integer = fc.integer({ min: -(2 ** 24), max: 2 ** 24 });
const values = { float32: anyReal, int32: integer, bool: truth, complex64: anyReal } as const;
const dtypes = Object.keys(values) as (keyof typeof values)[];

test.each(dtypes.flatMap((from) => dtypes.map((to) => [from, to] as const)))("%s to %s", (from, to) => {
  fc.assert(fc.property(anyTensor(from, values[from]), (x) => expectSame(tf.Cast, { x }, { dtype: to })));
});

test("reals become integers modulo 2³²: NaN and ±∞ as 0", () => {
  const x = reals([8], [NaN, Infinity, -Infinity, 1.9, -1.9, 3e9, -3e9, 1e30]);
  expect(onTorch(tf.Cast, { x }, { dtype: "int32" })[0].values).toEqual([...Int32Array.from(x.values)]);
  const wide = { shape: [2], dtype: "float32", values: [2 ** 53 - 1, -(2 ** 52) - 7] } as const;
  expect(onTorch(tf.Cast, { x: wide }, { dtype: "int32" }, "float64")[0].values).toEqual([-1, -7]);
});

test("integers are rounded to reals", () => {
  const x = integers([2], [2 ** 31 - 1, 2 ** 24 + 1]);
  expect(onTorch(tf.Cast, { x }, { dtype: "float32" })[0].values).toEqual([2 ** 31, 2 ** 24]);
  expect(onTorch(tf.Cast, { x }, { dtype: "float32" }, "float64")[0].values).toEqual([
    2 ** 31 - 1,
    2 ** 24 + 1,
  ]);
});
