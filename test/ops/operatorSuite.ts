import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { valueAndGrads } from "../../src/autodiff/valueAndGrads.js";
import { useEngine } from "../../src/engine.js";
import { Random } from "../../src/random.js";
import { sizeOf } from "../../src/shape.js";
import { TorchBackend } from "../../src/torch/backend.js";
import { onEveryEngine } from "../presentEngines.js";

/** Numbers with a shape, row-major. */
export interface Numbers {
  shape: readonly number[];
  values: readonly number[];
}

/** A differentiable operator, as the suite sees it. */
export interface TestedOperator {
  name: string;
  /** Its fused tfjs kernel, where there may be one. */
  kernel?: string;
  /** Shapes of its inputs, one list per case. */
  cases: readonly (readonly (readonly number[])[])[];
  /** The same for a batch of none, where it may be one. */
  empty?: readonly (readonly number[])[];
  run: (...inputs: tf.Tensor[]) => tf.Tensor;
  /** The same in float64, straight from the formula. */
  reference: (...inputs: Numbers[]) => number[];
}

/** The result and the gradient by each input of Σ weights·result. */
type Results = ArrayLike<number>[];

/**
 * Values and gradients of an operator on every engine, against the formula in float64 and its differences.
 *
 * A fused tfjs kernel may be off by twice what the composed definition is off by in the same precision, plus one
 * unit in the last place of the largest value.
 */
export function testOperator(operator: TestedOperator): void {
  onEveryEngine(operator.name, ({ options }) => {
    beforeAll(async () => {
      await useEngine(options);
    });

    test.each(operator.cases.map((shapes) => [JSON.stringify(shapes), shapes] as const))(
      "inputs %s",
      (_, shapes) => {
        const drawn = Array.from({ length: 4 }, (_, seed) => draw(shapes, new Random(seed)));
        const errors = drawn.map((inputs) => {
          const weights = drawWeights(operator, inputs);
          const exact = exactResults(operator, inputs, weights);
          const composed = withoutKernel(operator.kernel, () => engineResults(operator, inputs, weights));
          const run = engineResults(operator, inputs, weights);
          return exact.map((values, i) => ({
            size: largest(values),
            composed: distance(composed[i], values),
            run: distance(run[i], values),
          }));
        });
        errors[0].forEach((_, i) => {
          const worst = (of: "size" | "composed" | "run"): number =>
            Math.max(...errors.map((draw) => draw[i][of]));
          const allowed = allowedErrors(options.precision, worst("size"), worst("composed"));
          expect(worst("composed")).toBeLessThanOrEqual(allowed.composed);
          expect(worst("run")).toBeLessThanOrEqual(allowed.run);
        });
      },
    );

    const { empty } = operator;
    if (empty !== undefined)
      test("an empty batch", () => {
        const inputs = draw(empty, new Random(1));
        const results = engineResults(operator, inputs, []);
        const sizes = [0, ...inputs.map(({ shape }) => sizeOf(shape))];
        expect(results.map(({ length }) => length)).toEqual(sizes);
        for (const values of results) expect(Array.from(values).every((value) => value === 0)).toBe(true);
      });

    test("tfjs's tape gives the gradients of valueAndGrads, and nothing is left behind", () => {
      const inputs = draw(operator.cases[0], new Random(2));
      const weights = drawWeights(operator, inputs);
      const before = tf.memory().numTensors;
      const ours = engineResults(operator, inputs, weights);
      const tape = tf.tidy(() => {
        const tensors = inputs.map(toTensor);
        const y = operator.run(...tensors);
        const dy = tf.tensor(weights, y.shape);
        return tf
          .grads(operator.run)(tensors, dy)
          .map((grad) => Array.from(readValues(grad)));
      });
      expect(tf.memory().numTensors).toBe(before);
      tape.forEach((values, i) => {
        expect(distance(values, ours[i + 1])).toBeLessThanOrEqual(1e-5 * largest(ours[i + 1]));
      });
    });
  });
}

/** By the largest value, and by what the composed definition is off by. */
function allowedErrors(
  float: "float32" | "float64" = "float32",
  size: number,
  composed: number,
): { composed: number; run: number } {
  const ulp = 2 ** -23 * size;
  const differences = 1e-10;
  return float === "float32"
    ? { composed: 32 * ulp + differences, run: 2 * composed + ulp + differences }
    : // tfjs passes the constants of the composed definition through float32.
      { composed: 2 * ulp + differences, run: 1e-8 * size + differences };
}

function engineResults({ run }: TestedOperator, inputs: Numbers[], weights: number[]): Results {
  let results: Results = [];
  tf.tidy(() => {
    const variables = inputs.map((input) => tf.variable(toTensor(input)));
    const y = run(...variables);
    const loss = (): tf.Scalar => tf.sum(tf.mul(run(...variables), tf.tensor(weights, y.shape)));
    const { grads } = valueAndGrads(loss, variables);
    results = [y, ...grads].map(readValues);
    tf.dispose(variables);
  });
  return results;
}

/** The formula, and central differences of it with Richardson's correction. */
function exactResults({ reference }: TestedOperator, inputs: Numbers[], weights: number[]): Results {
  const loss = (changed: Numbers[]): number =>
    reference(...changed).reduce((sum, value, i) => sum + value * weights[i], 0);
  const difference = (input: number, at: number, step: number): number => {
    const moved = (by: number): Numbers[] =>
      inputs.map((numbers, i) =>
        i === input
          ? { ...numbers, values: numbers.values.map((value, k) => (k === at ? value + by : value)) }
          : numbers,
      );
    return (loss(moved(step)) - loss(moved(-step))) / (2 * step);
  };
  const gradients = inputs.map(({ values }, input) =>
    values.map((_, at) => (4 * difference(input, at, 5e-4) - difference(input, at, 1e-3)) / 3),
  );
  return [reference(...inputs), ...gradients];
}

/** Runs `f` as if the engine in use had no fused tfjs kernel. */
function withoutKernel<T>(name: string | undefined, f: () => T): T {
  const backend = tf.getBackend();
  const kernel =
    name === undefined ? undefined : (tf.getKernel(name, backend) as tf.KernelConfig | undefined);
  if (kernel === undefined) return f();
  tf.unregisterKernel(kernel.kernelName, backend);
  try {
    return f();
  } finally {
    tf.registerKernel(kernel);
  }
}

function draw(shapes: readonly (readonly number[])[], random: Random): Numbers[] {
  return shapes.map((shape) => ({ shape, values: normals(sizeOf(shape), random) }));
}

function drawWeights({ reference }: TestedOperator, inputs: Numbers[]): number[] {
  return normals(reference(...inputs).length, new Random(3));
}

/** Numbers that float32 holds exactly. */
function normals(count: number, random: Random): number[] {
  return Array.from({ length: count }, () => Math.fround(random.normal()));
}

function toTensor({ values, shape }: Numbers): tf.Tensor {
  return tf.tensor([...values], [...shape], "float32");
}

/** Values as the engine stores them: in full precision where that is float64. */
export function readValues(t: tf.Tensor): ArrayLike<number> {
  const backend = tf.backend();
  return backend instanceof TorchBackend ? backend.readFloat64(t) : t.dataSync();
}

function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i])), 0);
}

function largest(values: ArrayLike<number>): number {
  return Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}
