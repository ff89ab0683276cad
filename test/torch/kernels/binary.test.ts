import * as fc from "fast-check";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { anyInteger, anyReal, pair, smallInteger, truth } from "./arbitrary.js";
import { booleans, expectClose, expectSame, integers, onTorch, reals } from "./kernelRun.js";

const exact = [
  ...[tf.Add, tf.Sub, tf.Multiply, tf.RealDiv, tf.Maximum, tf.Minimum],
  ...[tf.Equal, tf.NotEqual, tf.Greater, tf.GreaterEqual, tf.Less, tf.LessEqual, tf.FloorDiv],
];

describe("reals, with broadcasting, NaN, ±∞ and empty tensors, as on tfjs's cpu backend", () => {
  test.each(exact)("%s", (kernelName) => {
    fc.assert(fc.property(pair("float32", anyReal), (inputs) => expectSame(kernelName, inputs)));
  });
  test("Prelu", () => {
    fc.assert(fc.property(pair("float32", anyReal), ({ a, b }) => expectSame(tf.Prelu, { x: a, alpha: b })));
  });
  test("SquaredDifference", () => {
    const tolerance = { ulps: 2 }; // the difference is rounded, too
    fc.assert(
      fc.property(pair("float32", anyReal), (inputs) =>
        expectSame(tf.SquaredDifference, inputs, {}, tolerance),
      ),
    );
  });
  test("Atan2", () => {
    fc.assert(
      fc.property(pair("float32", anyReal), (inputs) => expectSame(tf.Atan2, inputs, {}, { ulps: 4 })),
    );
  });
});

describe("integers wrap, and divide by 0 to 0", () => {
  test.each([...exact, tf.SquaredDifference, tf.Mod])("%s", (kernelName) => {
    // JavaScript multiplies in float64 and so loses the lowest digits of the largest products.
    const value = [tf.Multiply, tf.SquaredDifference].includes(kernelName) ? smallInteger : anyInteger;
    fc.assert(fc.property(pair("int32", value), (inputs) => expectSame(kernelName, inputs)));
  });
  test("BitwiseAnd", () => {
    fc.assert(fc.property(pair("int32", anyInteger), (inputs) => expectSame(tf.BitwiseAnd, inputs)));
  });
  test("Pow", () => {
    fc.assert(fc.property(pair("int32", smallInteger), (inputs) => expectSame(tf.Pow, inputs)));
  });
  test("products are exact modulo 2³²", () => {
    const [{ values }] = onTorch(tf.Multiply, {
      a: integers([1], [0x7fffffff]),
      b: integers([1], [0x7ffffffd]),
    });
    expect(values).toEqual([Math.imul(0x7fffffff, 0x7ffffffd)]);
  });
});

describe("truth values", () => {
  test.each([tf.LogicalAnd, tf.LogicalOr, tf.Equal, tf.NotEqual])("%s", (kernelName) => {
    fc.assert(fc.property(pair("bool", truth), (inputs) => expectSame(kernelName, inputs)));
  });
  const [a, b] = [booleans([4], [0, 0, 1, 1]), booleans([4], [0, 1, 0, 1])];
  test("LogicalXor", () => {
    expectClose(onTorch(tf.LogicalXor, { a, b }), [booleans([4], [0, 1, 1, 0])]);
  });
  test("arithmetic of truth values is true where the number is not 0", () => {
    expectClose(onTorch(tf.Add, { a, b }), [booleans([4], [0, 1, 1, 1])]);
    expectClose(onTorch(tf.Sub, { a, b }), [booleans([4], [0, 1, 1, 0])]);
    expectClose(onTorch(tf.Multiply, { a, b }), [booleans([4], [0, 0, 0, 1])]);
  });
});

describe("Mod has the sign of the divisor", () => {
  test("as on tfjs's cpu backend, with broadcasting", () => {
    const ordinary = fc.constantFrom(NaN, 0, 1, -1, 2.5, -2.5, 7, -7, 0.25, -0.25, 100, -100);
    fc.assert(fc.property(pair("float32", ordinary), (inputs) => expectSame(tf.Mod, inputs)));
  });
  test("an infinite divisor: IEEE's floor modulo, where JavaScript's formula has NaN", () => {
    const a = reals([4], [5, -5, 5, -5]);
    const b = reals([4], [Infinity, Infinity, -Infinity, -Infinity]);
    expectClose(onTorch(tf.Mod, { a, b }), [reals([4], [5, Infinity, -Infinity, -5])]);
  });
});

describe("Pow", () => {
  test("as on tfjs's cpu backend", () => {
    // Of ±1 to a power that is no number JavaScript alone says NaN; IEEE says 1.
    const isIeee = ({ a, b }: { a: number; b: number }): boolean => Math.abs(a) !== 1 || Number.isFinite(b);
    const numbers = fc.record({ a: anyReal, b: anyReal }).filter(isIeee);
    fc.assert(
      fc.property(numbers, ({ a, b }) =>
        expectSame(tf.Pow, { a: reals([1], [a]), b: reals([1], [b]) }, {}, { ulps: 16 }),
      ),
    );
  });
});

test("EluGrad", () => {
  fc.assert(
    fc.property(pair("float32", anyReal), ({ a }) =>
      expectSame(tf.EluGrad, { dy: a, y: { ...a, values: [...a.values].reverse() } }, {}, { ulps: 1 }),
    ),
  );
});

test("AddN", () => {
  fc.assert(
    fc.property(pair("float32", anyReal), fc.integer({ min: 1, max: 4 }), ({ a }, count) =>
      expectSame(
        tf.AddN,
        Array.from({ length: count }, () => a),
        {},
        { ulps: 2 },
      ),
    ),
  );
});

test("float64 storage keeps what float32 has no digits for", () => {
  const third = { shape: [1], dtype: "float32", values: [1 / 3] } as const;
  for (const [kernelName, value] of [
    [tf.Add, 1 / 3 + 1 / 3],
    [tf.Multiply, (1 / 3) * (1 / 3)],
    [tf.RealDiv, 1],
    [tf.Pow, (1 / 3) ** (1 / 3)],
  ] as const) {
    const [{ values }] = onTorch(kernelName, { a: third, b: third }, {}, "float64");
    expect(Math.abs(values[0] - value), kernelName).toBeLessThanOrEqual(2 ** -53);
  }
});
