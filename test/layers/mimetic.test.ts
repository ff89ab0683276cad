import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { useEngine } from "../../src/engine.js";
import { Attention } from "../../src/layers/attention.js";
import { balancedFactors } from "../../src/layers/balancedFactors.js";
import { mimeticWeights } from "../../src/layers/mimetic.js";
import { Scope } from "../../src/layers/scope.js";
import { Random } from "../../src/random.js";

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((sum, value, i) => sum + value * b[i], 0);
}

const squares = fc.integer({ min: 1, max: 9 }).chain((n) =>
  fc.array(fc.array(fc.integer({ min: -3, max: 3 }), { minLength: n, maxLength: n }), {
    minLength: n,
    maxLength: n,
  }),
);

test("balancedFactors: L·R = A for any matrix, singular ones too; both factors have √Σ", () => {
  fc.assert(
    fc.property(squares, (square) => {
      const { left, right } = balancedFactors(square.map((row) => Float64Array.from(row)));
      square.forEach((row, i) => {
        row.forEach((value, j) => {
          expect(left.reduce((sum, l, k) => sum + l[i] * right[k][j], 0)).toBeCloseTo(value, 10);
        });
      });
      const weights = left.map((l) => dot(l, l));
      right.forEach((r, k) => expect(dot(r, r)).toBeCloseTo(weights[k], 6));
      weights.slice(1).forEach((weight, k) => expect(weight).toBeLessThanOrEqual(weights[k] + 1e-9));
    }),
  );
});

test("balancedFactors: singular values of a matrix known by its diagonal", () => {
  const { left } = balancedFactors([
    Float64Array.of(0, 3, 0),
    Float64Array.of(-2, 0, 0),
    Float64Array.of(0, 0, 0.5),
  ]);
  [3, 2, 0.5].forEach((sigma, k) => expect(dot(left[k], left[k])).toBeCloseTo(sigma, 12));
});

describe("mimetic weights", () => {
  const [dim, heads] = [96, 3];
  const draw = (untransposed: boolean): ReturnType<typeof mimeticWeights> =>
    mimeticWeights({ dim, heads, untransposed }, new Random(1));
  const row = (table: Float32Array, i: number): Float32Array => table.subarray(i * dim, (i + 1) * dim);
  /** Row i of the map x ↦ x·Wᵥᵀ·Wₚᵀ. */
  const composed = ({ qkv, proj }: ReturnType<typeof mimeticWeights>, i: number, j: number): number => {
    let sum = 0;
    for (let k = 0; k < dim; k++) sum += qkv[(2 * dim + k) * dim + i] * proj[j * dim + k];
    return sum;
  };

  test("values and projection: −0.4·I and noise of deviation 0.4/√dim", () => {
    const weights = draw(false);
    const noise: number[] = [];
    for (let i = 0; i < dim; i++) {
      for (let j = 0; j < dim; j++) noise.push(composed(weights, i, j) + (i === j ? 0.4 : 0));
    }
    const bound = 0.4 * Math.sqrt(3 / dim);
    expect(Math.max(...noise.map(Math.abs))).toBeLessThan(bound + 1e-5);
    expect(Math.sqrt(dot(noise, noise) / noise.length)).toBeCloseTo(0.4 / Math.sqrt(dim), 2);
  });

  test("upstream's product has the same trace, and is another matrix", () => {
    const [ours, theirs] = [draw(false), draw(true)];
    const trace = (weights: typeof ours): number =>
      Array.from({ length: dim }, (_, i) => composed(weights, i, i)).reduce((sum, value) => sum + value, 0);
    expect(trace(theirs)).toBeCloseTo(trace(ours), 3);
    expect(theirs.qkv.subarray(0, 2 * dim * dim)).toEqual(ours.qkv.subarray(0, 2 * dim * dim));
    expect(Math.abs(composed(theirs, 0, 0) + 0.4)).toBeGreaterThan(0.4 * Math.sqrt(3 / dim));
  });

  test("queries and keys: of equal weight, largest first, and leaning to the identity", () => {
    const { qkv } = draw(false);
    for (let head = 0; head < heads; head++) {
      let trace = 0;
      let last = Infinity;
      for (let j = head * 32; j < (head + 1) * 32; j++) {
        const [query, key] = [row(qkv, j), row(qkv, dim + j)];
        const sigma = dot(query, query);
        expect(dot(key, key)).toBeCloseTo(sigma, 5);
        expect(sigma).toBeLessThanOrEqual(last + 1e-6);
        trace += dot(query, key);
        last = sigma;
      }
      expect(trace).toBeGreaterThan(0.1 * dim);
    }
    // Each head has a fresh A.
    expect(row(qkv, 0)).not.toEqual(row(qkv, 32));
  });
});

describe("Attention", () => {
  beforeAll(() => useEngine({ engine: "cpu" }));
  const create = (): Attention =>
    new Attention(new Scope(new Random(3)).child("attn"), { dim: 12, heads: 3, weights: "mimetic" });

  test("its mimetic weights do not depend on which is used first", () => {
    const [forward, backward] = [create(), create()];
    const before = tf.memory().numTensors;
    const first = [forward.qkv.weight, forward.proj.weight].map(({ variable }) => variable.dataSync());
    const second = [backward.proj.weight, backward.qkv.weight].map(({ variable }) => variable.dataSync());
    expect(second.reverse()).toEqual(first);
    expect([...forward.namedParameters().keys()]).toEqual([
      "qkv.weight",
      "qkv.bias",
      "proj.weight",
      "proj.bias",
    ]);
    forward.dispose();
    backward.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test("refuses weights that are none", () => {
    const options = { dim: 12, heads: 3, weights: "mimetc" as "mimetic" };
    expect(() => new Attention(new Scope(), options)).toThrow('Did you mean "mimetic"?');
  });
});
