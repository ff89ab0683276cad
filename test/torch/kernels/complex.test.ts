import * as fc from "fast-check";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { anyTensor, finiteReal, tensor } from "./arbitrary.js";
import { expectSame, onTorch } from "./kernelRun.js";

const numbers = anyTensor("complex64", finiteReal);

test("Complex, Real, Imag and ComplexAbs", () => {
  fc.assert(
    fc.property(numbers, (input) => {
      const [real] = onTorch(tf.Real, { input });
      const [imag] = onTorch(tf.Imag, { input });
      expectSame(tf.Real, { input });
      expectSame(tf.Imag, { input });
      expect(onTorch(tf.Complex, { real, imag })).toEqual([input]);
      expectSame(tf.ComplexAbs, { x: input }, {}, { ulps: 2 });
    }),
  );
});

test.each([tf.Add, tf.Sub, tf.Multiply])("%s", (kernelName) => {
  fc.assert(fc.property(numbers, (a) => expectSame(kernelName, { a, b: a }, {}, { ulps: 4, scale: 128 })));
});

test("Reshape, Concat, Cast and the like keep both parts", () => {
  fc.assert(
    fc.property(anyTensor("complex64", finiteReal, { minRank: 1, min: 1 }), (x) => {
      const { shape } = x;
      const size = shape.reduce((product, length) => product * length, 1);
      expect(onTorch(tf.Reshape, { x }, { shape: [size] })).toEqual([{ ...x, shape: [size] }]);
      expectSame(tf.Concat, [x, x], { axis: 0 });
      expectSame(tf.Cast, { x }, { dtype: "float32" });
    }),
  );
});

test.each([tf.FFT, tf.IFFT])("%s along the last axis", (kernelName) => {
  const input = fc
    .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 8 }))
    .chain((shape) => tensor(shape, "complex64", finiteReal));
  fc.assert(fc.property(input, (input) => expectSame(kernelName, { input }, {}, { ulps: 16, scale: 64 })));
});
