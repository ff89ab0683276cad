import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { KatlabError } from "../../src/errors.js";
import {
  loadAddon,
  registerTorchBackend,
  TorchBackend,
  torchValueAndGrads,
} from "../../src/torch/backend.js";

const addon = loadAddon();

beforeAll(async () => {
  registerTorchBackend({ name: "torch-float64", float: "float64" });
  await tf.setBackend("torch");
});

let before = { numTensors: 0, handles: 0 };
beforeEach(() => {
  before = { numTensors: tf.memory().numTensors, handles: addon.live() };
});
afterEach(async () => {
  await tf.setBackend("torch");
  tf.disposeVariables();
  expect({ numTensors: tf.memory().numTensors, handles: addon.live() }).toEqual(before);
  expect(addon.gradMode(false)).toBe(false);
});

/** Value and gradients as numbers; disposes the tensors. */
function numbers(
  f: () => tf.Scalar,
  variables: readonly tf.Variable[],
): { value: number; grads: number[][] } {
  const { value, grads } = torchValueAndGrads(f, variables);
  const result = { value: value.dataSync()[0], grads: grads.map((grad) => [...grad.dataSync()]) };
  tf.dispose([value, ...grads]);
  return result;
}

const sumOfSquares = (x: tf.Tensor): tf.Scalar => tf.sum(tf.square(x));
const variable = (values: number[], dtype: "float32" | "int32" = "float32"): tf.Variable =>
  tf.tidy(() => tf.variable(tf.tensor1d(values, dtype)));

/** A scalar function through many kinds of operators; x and w have 6 elements. */
function manyOperators(x: tf.Tensor, w: tf.Tensor): tf.Scalar {
  const matrix = tf.reshape(x, [2, 3]);
  const weights = tf.transpose(tf.reshape(w, [2, 3]));
  const mixed = tf.matMul(matrix, weights);
  const softened = tf.softmax(tf.add(mixed, tf.scalar(0.5)));
  const pieces = tf.concat([tf.slice(softened, [0, 0], [1, 2]), tf.tanh(tf.slice(mixed, [1, 0], [1, 2]))], 0);
  const scaled = tf.div(pieces, tf.add(tf.exp(tf.neg(tf.mean(x))), 1));
  return tf.add(tf.sum(tf.mul(scaled, tf.sin(mixed))), tf.mean(tf.square(tf.maximum(x, w))));
}

describe("values", () => {
  test("closed form", () => {
    const x = variable([1, -2, 3]);
    expect(numbers(() => sumOfSquares(x), [x])).toEqual({ value: 14, grads: [[2, -4, 6]] });
  });

  test("agree with central differences in float64", async () => {
    await tf.setBackend("torch-float64");
    const backend = tf.backend();
    if (!(backend instanceof TorchBackend)) throw new Error("no torch backend");
    // Odd and even multiples of 0.001: max(x, w) has no derivative where they meet.
    const grid = (offset: number): fc.Arbitrary<number[]> =>
      fc.array(
        fc.integer({ min: -900, max: 900 }).map((k) => (2 * k + offset) / 1000),
        { minLength: 6, maxLength: 6 },
      );
    const values = fc.tuple(grid(0), grid(1)).map((halves) => halves.flat());
    fc.assert(
      fc.property(values, (numbers) => {
        const at = (shift: number, i: number): tf.Tensor => {
          const shifted = Float64Array.from(numbers, (value, k) => value + (k === i ? shift : 0));
          const dataId = backend.write(shifted as unknown as Float32Array, [12], "float32");
          return tf.engine().makeTensorFromTensorInfo({ dataId, shape: [12], dtype: "float32" });
        };
        const f = (theta: tf.Tensor): tf.Scalar =>
          manyOperators(tf.slice(theta, 0, 6), tf.slice(theta, 6, 6));
        tf.tidy(() => {
          const theta = tf.variable(at(0, 0));
          const { grads } = torchValueAndGrads(() => f(theta), [theta]);
          const exact = backend.readFloat64(grads[0]);
          const step = 1e-5;
          exact.forEach((slope, i) => {
            const [up, down] = [step, -step].map((shift) => backend.readFloat64(f(at(shift, i)))[0]);
            expect(Math.abs(slope - (up - down) / (2 * step))).toBeLessThan(1e-8);
          });
          theta.dispose();
        });
      }),
      { numRuns: 15 },
    );
  });

  test("agree with tfjs's own tape", () => {
    const x = variable([0.1, -0.7, 1.3, 0.4, -1.1, 0.9]);
    const w = variable([-0.3, 0.8, 0.2, -1.2, 0.6, 0.5]);
    const f = (): tf.Scalar => manyOperators(x, w);
    const ours = numbers(f, [x, w]);
    const tape = tf.variableGrads(f, [x, w]);
    expect(ours.value).toBeCloseTo(tape.value.dataSync()[0], 6);
    [x, w].forEach(({ name }, i) => {
      tape.grads[name].dataSync().forEach((slope, k) => expect(ours.grads[i][k]).toBeCloseTo(slope, 5));
    });
    tf.dispose([tape.value, tape.grads]);
  });

  test("the same variable in two places collects both parts", () => {
    const x = variable([3]);
    expect(numbers(() => tf.sum(tf.mul(tf.clone(x), tf.square(x))), [x]).grads).toEqual([[27]]);
    expect(numbers(() => sumOfSquares(x), [x, x]).grads).toEqual([[6], [6]]);
  });
});

describe("unused variables", () => {
  test("have zero gradients of their shape", () => {
    const [x, unused] = [variable([1, 2]), tf.tidy(() => tf.variable(tf.ones([2, 3])))];
    const { value, grads } = torchValueAndGrads(() => sumOfSquares(x), [unused, x]);
    expect(grads.map(({ shape }) => shape)).toEqual([[2, 3], [2]]);
    expect([...grads[0].dataSync()]).toEqual([0, 0, 0, 0, 0, 0]);
    tf.dispose([value, ...grads]);
  });

  test("a loss that depends on none", () => {
    const x = variable([1, 2]);
    expect(numbers(() => tf.scalar(5), [x])).toEqual({ value: 5, grads: [[0, 0]] });
    expect(numbers(() => sumOfSquares(x), [])).toEqual({ value: 5, grads: [] });
  });
});

describe("variables that share data", () => {
  test("with each other are told apart", () => {
    const [a, b] = tf.tidy(() => {
      const start = tf.tensor1d([2]);
      return [tf.variable(start), tf.variable(start)];
    });
    expect(numbers(() => tf.sum(tf.mul(tf.square(a), b)), [a, b]).grads).toEqual([[8], [4]]);
  });

  test("with a constant leave it constant", () => {
    const start = tf.tensor1d([2]);
    const x = tf.variable(start);
    const clone = tf.clone(x);
    expect(numbers(() => tf.sum(tf.mul(tf.mul(x, start), clone)), [x]).grads).toEqual([[4]]);
    expect([...start.dataSync(), ...clone.dataSync()]).toEqual([2, 2]);
    tf.dispose([start, clone]);
  });

  test("what f keeps or assigns does not lead into the next graph", () => {
    const [x, y] = [variable([2]), variable([0])];
    const kept: tf.Tensor[] = [];
    const f = (): tf.Scalar => {
      y.assign(tf.square(x));
      kept.push(tf.keep(tf.square(y)));
      return tf.sum(tf.mul(y, 3));
    };
    expect(numbers(f, [x]).grads).toEqual([[12]]);
    expect(numbers(() => tf.sum(tf.mul(x, y)), [x, y]).grads).toEqual([[4], [2]]);
    expect([...kept[0].dataSync()]).toEqual([16]);
    tf.dispose(kept);
  });
});

describe("state", () => {
  test("nothing is left behind by many calls", () => {
    const x = variable([1, 2, 3, 4, 5, 6]);
    const live = addon.live();
    for (let i = 0; i < 50; i++) numbers(() => manyOperators(x, x), [x]);
    expect(addon.live()).toBe(live);
  });

  test("results are outside the graph", () => {
    const x = variable([1]);
    const backend = tf.backend() as unknown as { handle(t: tf.Tensor): number };
    const { value, grads } = torchValueAndGrads(() => sumOfSquares(x), [x]);
    for (const tensor of [value, ...grads, x]) expect(addon.requiresGrad(backend.handle(tensor))).toBe(false);
    tf.dispose([value, ...grads]);
  });

  test("an error in f passes through and cleans up", () => {
    const x = variable([1]);
    const fail = (): tf.Scalar => {
      tf.square(x);
      throw new RangeError("from f");
    };
    expect(() => torchValueAndGrads(fail, [x])).toThrow(new RangeError("from f"));
    expect(numbers(() => sumOfSquares(x), [x]).grads).toEqual([[2]]);
  });

  test("an error in the reverse pass cleans up too", () => {
    const x = variable([1, 2]);
    const spoil = (): tf.Scalar => {
      const y = tf.exp(x);
      const backend = tf.backend() as unknown as { handle(t: tf.Tensor): number };
      // exp's backward needs its output, which is changed behind its back.
      addon.callVoid(addon.op("aten::add_", "Scalar"), backend.handle(y), 1);
      return tf.sum(y);
    };
    expect(() => torchValueAndGrads(spoil, [x])).toThrow("modified by an inplace operation");
    expect(numbers(() => sumOfSquares(x), [x]).value).toBe(5);
  });
});

describe("refusals", () => {
  const refusal = (f: () => unknown): string => {
    try {
      f();
    } catch (error) {
      expect(error).toBeInstanceOf(KatlabError);
      return (error as Error).message;
    }
    return "no error";
  };

  test("nested calls", () => {
    const x = variable([1]);
    const inner = (): tf.Scalar => torchValueAndGrads(() => sumOfSquares(x), [x]).value;
    expect(refusal(() => torchValueAndGrads(inner, [x]))).toMatchInlineSnapshot(
      `"torchValueAndGrads: calls must not be nested; got a call inside another's function. Take the inner gradient before, or use a Hessian-vector product."`,
    );
    expect(numbers(() => sumOfSquares(x), [x]).value).toBe(1);
  });

  test("no scalar", () => {
    const x = variable([1, 2]);
    expect(
      refusal(() => torchValueAndGrads(() => tf.square(x) as unknown as tf.Scalar, [x])),
    ).toMatchInlineSnapshot(
      `"torchValueAndGrads: f must return a scalar; got shape [2]. Reduce it with tf.sum or tf.mean."`,
    );
  });

  test("integers", () => {
    const n = variable([1], "int32");
    expect(
      refusal(() => torchValueAndGrads(() => tf.scalar(1), [n])).replace(`(${n.name})`, "(n)"),
    ).toMatchInlineSnapshot(
      `"torchValueAndGrads: variables must be float32; got int32 (n). Leave it out: only reals have gradients."`,
    );
  });

  test("another backend", async () => {
    await tf.setBackend("cpu");
    expect(refusal(() => torchValueAndGrads(() => tf.scalar(1), []))).toMatchInlineSnapshot(
      `"torchValueAndGrads: the torch backend must be set; got "cpu". Call await tf.setBackend("torch") first."`,
    );
  });
});
