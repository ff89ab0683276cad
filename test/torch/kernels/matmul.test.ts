import * as fc from "fast-check";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { finiteReal, smallInteger, tensor } from "./arbitrary.js";
import { expectSame, integers, onTorch, type Plain, reals } from "./kernelRun.js";

/** Factors of a product of matrices; batches of rank 0 or 1, of which one may be left to broadcasting. */
function factors(
  dtype: tf.DataType,
  value: fc.Arbitrary<number>,
): fc.Arbitrary<{
  a: Plain;
  b: Plain;
  transposeA: boolean;
  transposeB: boolean;
}> {
  const size = fc.integer({ min: 0, max: 4 });
  return fc
    .record({
      sizes: fc.tuple(size, size, size),
      batch: fc.integer({ min: 1, max: 3 }),
      batched: fc.constantFrom("none", "both", "a", "b"),
      transposeA: fc.boolean(),
      transposeB: fc.boolean(),
    })
    .chain(({ sizes: [rows, inner, columns], batch, batched, transposeA, transposeB }) => {
      const lead = (name: string): number[] =>
        batched === "none" ? [] : [batched === "both" || batched === name ? batch : 1];
      const a = [...lead("a"), ...(transposeA ? [inner, rows] : [rows, inner])];
      const b = [...lead("b"), ...(transposeB ? [columns, inner] : [inner, columns])];
      return fc.record({
        a: tensor(a, dtype, value),
        b: tensor(b, dtype, value),
        transposeA: fc.constant(transposeA),
        transposeB: fc.constant(transposeB),
      });
    });
}

const rounded = { ulps: 8, scale: 256 };

describe("BatchMatMul", () => {
  test("reals, transposed, in batches, empty", () => {
    fc.assert(
      fc.property(factors("float32", finiteReal), ({ a, b, ...attrs }) =>
        expectSame(tf.BatchMatMul, { a, b }, attrs, rounded),
      ),
    );
  });
  test("integers", () => {
    fc.assert(
      fc.property(factors("int32", smallInteger), ({ a, b, ...attrs }) =>
        expectSame(tf.BatchMatMul, { a, b }, attrs),
      ),
    );
  });
  test("batches broadcast along each of their axes", () => {
    // tfjs's cpu backend repeats the smaller batch as a whole, which is another thing.
    const a = reals([2, 1, 1, 1], [1, 2]);
    const b = reals([1, 3, 1, 1], [10, 20, 30]);
    const [product] = onTorch(tf.BatchMatMul, { a, b }, { transposeA: false, transposeB: false });
    expect(product).toEqual(reals([2, 3, 1, 1], [10, 20, 30, 20, 40, 60]));
  });
  test("inner sizes must agree", () => {
    const [a, b] = [reals([2, 3], [1, 2, 3, 4, 5, 6]), reals([2, 1], [1, 2])];
    expect(() => onTorch(tf.BatchMatMul, { a, b }, { transposeA: false, transposeB: false })).toThrow(
      "Error in matMul: inner shapes (3) and (2)",
    );
  });
});

const activations = [null, "linear", "relu", "relu6", "elu", "sigmoid", "leakyrelu", "prelu"] as const;

describe.each(activations)("_FusedMatMul with %s", (activation) => {
  test("is product, bias and activation", () => {
    fc.assert(
      fc.property(
        factors("float32", finiteReal),
        fc.array(finiteReal, { minLength: 8, maxLength: 8 }),
        (run, extra) => {
          const { a, b, ...transposed } = run;
          const columns = b.shape[b.shape.length - (run.transposeB ? 2 : 1)];
          const attrs = { ...transposed, activation, leakyreluAlpha: 0.25 };
          const inputs = {
            a,
            b,
            bias: reals([columns], extra.slice(0, columns)),
            preluActivationWeights: reals([columns], extra.slice(4, 4 + columns)),
          };
          expectSame(tf._FusedMatMul, inputs, attrs, rounded);
        },
      ),
    );
  });
});

describe("Einsum", () => {
  test.each([
    ["ij,jk->ik", [2, 3], [3, 4]],
    ["bij,bjk->bik", [2, 3, 2], [2, 2, 3]],
    ["i,j->ij", [3], [2]],
    ["ij->ji", [2, 3], null],
    ["ij->", [2, 3], null],
    ["bhqd,bhkd->bhqk", [2, 2, 3, 2], [2, 2, 3, 2]],
  ] as const)("%s", (equation, a, b) => {
    const inputs = fc
      .tuple(tensor(a, "float32", finiteReal), ...(b === null ? [] : [tensor(b, "float32", finiteReal)]))
      .map((factors) => factors.flat());
    fc.assert(
      fc.property(inputs, (inputs) => expectSame(tf.Einsum, inputs, { equation }, rounded)),
      {
        numRuns: 20,
      },
    );
  });
  test("integers, and equations that tfjs knows not", () => {
    const x = integers([2, 2], [1, 2, 3, 4]);
    expectSame(tf.Einsum, [x, x], { equation: "ij,jk->ik" });
    expect(() => onTorch(tf.Einsum, [x], { equation: "ij" })).toThrow("without an arrow");
  });
});
