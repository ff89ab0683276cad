import * as fc from "fast-check";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { anyInteger, anyReal, anyTensor, finiteReal, truth } from "./arbitrary.js";
import { booleans, expectClose, expectSame, integers, onTorch, reals } from "./kernelRun.js";

const exact = [
  ...[tf.Abs, tf.Neg, tf.Sign, tf.Square, tf.Ceil, tf.Floor, tf.Round, tf.Relu, tf.Relu6, tf.Reciprocal],
  ...[tf.IsFinite, tf.IsInf, tf.IsNan],
];
const rounded = [
  ...[tf.Acos, tf.Acosh, tf.Asin, tf.Atan, tf.Atanh, tf.Cos, tf.Cosh, tf.Sin, tf.Sinh],
  ...[tf.Tan, tf.Tanh, tf.Exp, tf.Log, tf.Log1p, tf.Rsqrt, tf.Sigmoid, tf.Sqrt],
];

describe("reals of any rank, with NaN, ±∞ and empty tensors, as on tfjs's cpu backend", () => {
  test.each(exact)("%s", (kernelName) => {
    fc.assert(fc.property(anyTensor("float32", anyReal), (x) => expectSame(kernelName, { x })));
  });
  test.each(rounded)("%s", (kernelName) => {
    fc.assert(
      fc.property(anyTensor("float32", anyReal), (x) => expectSame(kernelName, { x }, {}, { ulps: 8 })),
    );
  });
  test("LeakyRelu", () => {
    fc.assert(
      fc.property(anyTensor("float32", anyReal), finiteReal, (x, alpha) =>
        expectSame(tf.LeakyRelu, { x }, { alpha }, { ulps: 2 }),
      ),
    );
  });
  test("Step", () => {
    fc.assert(
      fc.property(anyTensor("float32", anyReal), finiteReal, (x, alpha) =>
        expectSame(tf.Step, { x }, { alpha }),
      ),
    );
  });
  test("ClipByValue", () => {
    fc.assert(
      fc.property(anyTensor("float32", anyReal), finiteReal, finiteReal, (x, one, other) => {
        const [clipValueMin, clipValueMax] = [Math.min(one, other), Math.max(one, other)];
        expectSame(tf.ClipByValue, { x }, { clipValueMin, clipValueMax });
      }),
    );
  });
});

describe("more exact than tfjs's cpu backend, which loses digits near 0", () => {
  const near0 = fc.oneof(anyReal, fc.float({ min: Math.fround(-1e-3), max: Math.fround(1e-3), noNaN: true }));
  test.each([
    [tf.Expm1, Math.expm1],
    [tf.Asinh, Math.asinh],
    [tf.Elu, (x: number) => (x > 0 ? x : Math.expm1(x))],
    [tf.Softplus, (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))],
  ] as const)("%s", (kernelName, f) => {
    fc.assert(
      fc.property(anyTensor("float32", near0), (x) => {
        const expected = reals(x.shape, x.values.map(f));
        expectClose(onTorch(kernelName, { x }), [expected], { ulps: 8 });
      }),
    );
  });
});

test.each([
  [
    tf.Erf,
    [-1, -0.25, 0, 0.5, 2],
    [-0.8427007929497149, -0.2763263901682369, 0, 0.5204998778130465, 0.9953222650189527],
  ],
  [tf.Selu, [-1, 0, 1], [-1.1113307378125625, 0, 1.0507009873554805]],
])("%s at known places", (kernelName, x, y) => {
  expectClose(onTorch(kernelName, { x: reals([x.length], x) }), [reals([y.length], y)], { ulps: 2 });
});

describe("integers stay integers", () => {
  test.each([tf.Neg, tf.Sign, tf.Relu, tf.Relu6, tf.Round, tf.Ceil, tf.Floor, tf.Reciprocal])(
    "%s",
    (kernelName) => {
      fc.assert(fc.property(anyTensor("int32", anyInteger), (x) => expectSame(kernelName, { x })));
    },
  );
  test.each([tf.Acos, tf.Asinh, tf.Atan, tf.Expm1, tf.Log1p, tf.Sinh, tf.Softplus])("%s", (kernelName) => {
    const value = fc.integer({ min: -3, max: 3 });
    fc.assert(fc.property(anyTensor("int32", value), (x) => expectSame(kernelName, { x })));
  });
  test("Abs, exact where tfjs's cpu backend goes through float32", () => {
    const x = integers([4], [-3, 2 ** 31 - 1, 1 - 2 ** 31, -(2 ** 31)]);
    expect(onTorch(tf.Abs, { x })[0].values).toEqual([3, 2 ** 31 - 1, 2 ** 31 - 1, -(2 ** 31)]);
  });
  test.each([tf.IsFinite, tf.IsInf, tf.IsNan])("%s", (kernelName) => {
    fc.assert(fc.property(anyTensor("int32", anyInteger), (x) => expectSame(kernelName, { x })));
  });
  test("Step", () => {
    fc.assert(
      fc.property(anyTensor("int32", anyInteger), (x) => expectSame(tf.Step, { x }, { alpha: -1.5 })),
    );
  });
  test("ClipByValue truncates its bounds", () => {
    const bounds = { clipValueMin: -2.5, clipValueMax: 3.5 };
    fc.assert(fc.property(anyTensor("int32", anyInteger), (x) => expectSame(tf.ClipByValue, { x }, bounds)));
  });
  test("Exp alone gives reals", () => {
    const value = fc.integer({ min: -3, max: 3 });
    fc.assert(fc.property(anyTensor("int32", value), (x) => expectSame(tf.Exp, { x }, {}, { ulps: 4 })));
  });
});

test.each([tf.Abs, tf.Neg, tf.Sign, tf.Square, tf.Ceil, tf.Floor, tf.Round, tf.Relu, tf.Relu6])(
  "%s keeps truth values",
  (kernelName) => {
    const x = booleans([2], [0, 1]);
    expectClose(onTorch(kernelName, { x }), [x]);
  },
);

test("LogicalNot", () => {
  fc.assert(fc.property(anyTensor("bool", truth), (x) => expectSame(tf.LogicalNot, { x })));
  expectClose(onTorch(tf.LogicalNot, { x: booleans([2], [0, 1]) }), [booleans([2], [1, 0])]);
});

test("−0 is told from 0", () => {
  const x = reals([4], [-0, 0, -0.25, 0.5]);
  const signs = (kernelName: string): number[] =>
    onTorch(kernelName, { x })[0].values.map((value) => 1 / value);
  expect(signs(tf.Neg).slice(0, 2)).toEqual([Infinity, -Infinity]);
  expect(signs(tf.Round)).toEqual([-Infinity, Infinity, -Infinity, Infinity]);
  expect(signs(tf.Ceil).slice(0, 3)).toEqual([-Infinity, Infinity, -Infinity]);
  expect(signs(tf.Sqrt).slice(0, 2)).toEqual([-Infinity, Infinity]);
});

test("float64 storage keeps what float32 has no digits for", () => {
  const x = { shape: [1], dtype: "float32", values: [2 / 3] } as const;
  for (const [kernelName, value] of [
    [tf.Exp, Math.exp(2 / 3)],
    [tf.Sqrt, Math.sqrt(2 / 3)],
    [tf.Tanh, Math.tanh(2 / 3)],
    [tf.Softplus, Math.log1p(Math.exp(2 / 3))],
  ] as const) {
    const [{ values }] = onTorch(kernelName, { x }, {}, "float64");
    expect(Math.abs(values[0] - value), kernelName).toBeLessThanOrEqual(2 ** -51);
  }
  const far = { ...x, values: [30] };
  expect(onTorch(tf.Softplus, { x: far }, {}, "float64")[0].values[0]).toBe(30 + Math.log1p(Math.exp(-30)));
  expect(onTorch(tf.Step, { x: { ...x, values: [-1] } }, { alpha: 0.1 }, "float64")[0].values[0]).toBe(0.1);
});
