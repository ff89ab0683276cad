import * as fc from "fast-check";
import type * as tf from "@tensorflow/tfjs-core";
import type { Plain } from "./kernelRun.js";

/** Shapes of rank 0 to `maxRank`, sizes 0 to 4. */
export function shape({ minRank = 0, maxRank = 6, min = 0 } = {}): fc.Arbitrary<number[]> {
  // Large ranks get small sizes: 2⁶ elements are as telling as 4⁶.
  return fc
    .integer({ min: minRank, max: maxRank })
    .chain((rank) =>
      fc.array(fc.integer({ min, max: rank > 3 ? 2 : 4 }), { minLength: rank, maxLength: rank }),
    );
}

/** Two shapes that broadcast together: sizes of one, or missing leading axes, on either side. */
export const broadcastShapes: fc.Arbitrary<[number[], number[]]> = shape().chain((whole) => {
  const side = fc
    .tuple(
      fc.integer({ min: 0, max: whole.length }),
      fc.array(fc.boolean(), { minLength: whole.length, maxLength: whole.length }),
    )
    .map(([missing, ones]) => whole.map((size, i) => (ones[i] ? 1 : size)).slice(missing));
  return fc.oneof(
    side.map((other): [number[], number[]] => [whole, other]),
    side.map((other): [number[], number[]] => [other, whole]),
  );
});

const special = fc.constantFrom(NaN, Infinity, -Infinity, 0, -0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5);
const ordinary = fc.float({ min: -8, max: 8, noNaN: true });
const extreme = fc.constantFrom(1e30, -1e30, 1e-30, 1e-42, 16777217, 3e9, -3e9);

/** Reals that are NaN, infinite, −0, halves, very large or small rather often. */
export const anyReal: fc.Arbitrary<number> = fc.oneof(special, ordinary, extreme);
/** Reals of ordinary size. */
export const finiteReal: fc.Arbitrary<number> = ordinary;
/** Integers, at the ends of their range rather often. */
export const anyInteger: fc.Arbitrary<number> = fc.oneof(
  fc.integer({ min: -9, max: 9 }),
  fc.constantFrom(2 ** 31 - 1, -(2 ** 31), 0, 65536),
);
/** Integers whose products stay exact. */
export const smallInteger: fc.Arbitrary<number> = fc.integer({ min: -9, max: 9 });
/** 0 or 1. */
export const truth: fc.Arbitrary<number> = fc.integer({ min: 0, max: 1 });

/** Tensors of this shape with these values. */
export function tensor(
  shape: readonly number[],
  dtype: tf.DataType,
  value: fc.Arbitrary<number>,
): fc.Arbitrary<Plain> {
  const size = shape.reduce((product, length) => product * length, 1) * (dtype === "complex64" ? 2 : 1);
  return fc
    .array(value, { minLength: size, maxLength: size })
    .map((values) => ({ shape, dtype, values: dtype === "float32" ? values.map(Math.fround) : values }));
}

/** Tensors of any shape with these values. */
export function anyTensor(
  dtype: tf.DataType,
  value: fc.Arbitrary<number>,
  limits: Parameters<typeof shape>[0] = {},
): fc.Arbitrary<Plain> {
  return shape(limits).chain((shape) => tensor(shape, dtype, value));
}

/** Pairs of tensors whose shapes broadcast. */
export function pair(dtype: tf.DataType, value: fc.Arbitrary<number>): fc.Arbitrary<{ a: Plain; b: Plain }> {
  return broadcastShapes.chain(([a, b]) =>
    fc.record({ a: tensor(a, dtype, value), b: tensor(b, dtype, value) }),
  );
}
