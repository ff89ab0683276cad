import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { valueAndGrads } from "../../src/autodiff/valueAndGrads.js";
import { rationalDerivatives } from "../../src/bases/rational.js";
import { useEngine } from "../../src/engine.js";
import { KatlabError } from "../../src/errors.js";
import { groupRational, type GroupRationalForm } from "../../src/ops/groupRational.js";
import { Random } from "../../src/random.js";
import { addonStatus, registerTorchBackend } from "../../src/torch/backend.js";
import { composed, engines, missing, secondAlongRay, tapeResults } from "./groupRationalEngines.js";
import {
  drawCase,
  exactResults,
  expectAsAccurate,
  type GroupRationalCase,
  plainResults,
} from "./groupRationalReference.js";

// Shape of x, groups of the numerator, groups of the denominator: KAT's sharing, one group a channel, groups of which
// neither number divides the other, a dim of 1, rank 1 to 4.
const layouts: [number[], number, number][] = [
  [[4, 6, 24], 1, 8],
  [[2, 3, 4, 12], 4, 3],
  [[20, 6], 2, 3],
  [[5, 7], 7, 1],
  [[40], 1, 4],
  [[9, 1], 1, 1],
];

function draws(layout: (typeof layouts)[number], count = 6): GroupRationalCase[] {
  return Array.from({ length: count }, (_, seed) => drawCase(...layout, new Random(seed)));
}

describe.each(engines)("groupRational on %s", (engine) => {
  const absent = missing.get(engine);
  if (absent !== undefined) {
    test.skip(absent, () => undefined);
    return;
  }
  beforeAll(async () => {
    await useEngine({ engine });
  });

  test.each(layouts)("shape %j, groups %i and %i: as accurate as plain float32", (...layout) => {
    const cases = draws(layout);
    const fused = engine === "torch";
    expectAsAccurate(
      cases.map((drawn) => ({
        results: tapeResults(drawn),
        plain: fused ? composed(() => tapeResults(drawn)) : plainResults(drawn),
        exact: exactResults(drawn),
      })),
    );
  });

  test("valueAndGrads gives the gradients of the tape", () => {
    const drawn = drawCase([6, 12], 1, 4, new Random(7));
    const [, dx, dNumerator, dDenominator] = tapeResults(drawn);
    const variables = [
      tf.variable(tf.tensor(drawn.x, drawn.shape)),
      tf.variable(tf.tensor2d(drawn.numerator)),
      tf.variable(tf.tensor2d(drawn.denominator)),
    ];
    const { value, grads } = valueAndGrads(
      () =>
        tf.sum(
          tf.mul(
            groupRational(variables[0], variables[1] as tf.Tensor2D, variables[2] as tf.Tensor2D),
            tf.tensor(drawn.dy, drawn.shape),
          ),
        ),
      variables,
    );
    expect(grads.map((grad) => Array.from(grad.dataSync()))).toEqual([dx, dNumerator, dDenominator]);
    tf.dispose([value, ...grads, ...variables]);
  });

  test.each([0, -0])("at %d derivatives are those from the right", (zero) => {
    const kink = { numerator: [[1, 2, 0, 0, 0, 0]], denominator: [[0.5, zero, zero, zero]] };
    const drawn = { shape: [3], x: [zero, 1, -1], dy: [1, 1, 1], ...kink };
    tapeResults(drawn).forEach((values, i) =>
      values.forEach((value, k) => expect(value).toBeCloseTo(exactResults(drawn)[i][k], 6)),
    );
    const identity = { numerator: [[0, 1, 0, 0, 0, 0]], denominator: [[zero, zero, zero, zero]] };
    const [y, , , dDenominator] = tapeResults({ shape: [1], x: [2], dy: [1], ...identity });
    expect(y).toEqual([2]);
    expect(dDenominator).toEqual([-4, -8, -16, -32]);
  });

  test("the tape differentiates twice", () => {
    const coefficients = { numerator: [0.3, -1, 0.5, 0.2, -0.1, 0.05], denominator: [0.5, -0.2, 0, 0.1] };
    const xs = [-2, -0.7, -0.1, 0.4, 1.3, 2.5];
    const second = tf.tidy(() => {
      const [numerator, denominator] = [
        tf.tensor2d([coefficients.numerator]),
        tf.tensor2d([coefficients.denominator]),
      ];
      const slope = tf.grad((x) => groupRational(x, numerator, denominator));
      return tf.grad(slope)(tf.tensor1d(xs)).dataSync();
    });
    xs.forEach((x, i) => expect(second[i]).toBeCloseTo(rationalDerivatives(x, coefficients).second, 4));
  });

  test.each([0, 1, 2, 3])("the tape differentiates twice by every input, draw %i", (seed) => {
    const drawn = drawCase([3, 4], 2, 1, new Random(seed));
    const { tape, difference } = secondAlongRay(drawn, 1 / 128);
    expect(tape / difference).toBeCloseTo(1, 2);
  });

  test.each([[[0, 8]], [[2, 0, 8]], [[3, 0]]])("empty tensors: %j", (shape) => {
    const tables = { numerator: [[0, 1, 0, 0, 0, 0]], denominator: [[0, 0, 0, 0]] };
    const [y, dx, dNumerator, dDenominator] = tapeResults({ shape, x: [], dy: [], ...tables });
    expect([y, dx]).toEqual([[], []]);
    expect([dNumerator, dDenominator]).toEqual([
      [0, 0, 0, 0, 0, 0],
      [0, 0, 0, 0],
    ]);
  });

  test("NaN and infinity stay where they are", () => {
    const drawn = drawCase([2, 8], 1, 2, new Random(1));
    const [clean] = tapeResults(drawn);
    const x = drawn.x.with(3, NaN).with(12, Infinity);
    const [y] = tapeResults({ ...drawn, x });
    expect(y[3]).toBeNaN();
    expect(Number.isFinite(y[12])).toBe(false);
    expect(y.filter((_, i) => i !== 3 && i !== 12)).toEqual(clean.filter((_, i) => i !== 3 && i !== 12));
  });

  test("keeps the shape and leaks nothing", () => {
    const drawn = drawCase([2, 3, 4], 2, 4, new Random(2));
    const [numerator, denominator] = [tf.tensor2d(drawn.numerator), tf.tensor2d(drawn.denominator)];
    const x = tf.tensor3d(drawn.x, [2, 3, 4]);
    const before = tf.memory().numTensors;
    for (let i = 0; i < 3; i++) {
      const y: tf.Tensor3D = groupRational(x, numerator, denominator);
      const gradients = tf.grads((...t: tf.Tensor[]) =>
        groupRational(t[0], t[1] as tf.Tensor2D, t[2] as tf.Tensor2D),
      )([x, numerator, denominator]);
      expect(y.shape).toEqual([2, 3, 4]);
      tf.dispose([y, ...gradients]);
    }
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([x, numerator, denominator]);
  });
});

describe.skipIf(!addonStatus().available)("groupRational in float64", () => {
  beforeAll(async () => {
    registerTorchBackend({ name: "torch-float64", float: "float64", device: "cpu" });
    await tf.setBackend("torch-float64");
  });
  afterAll(() => tf.removeBackend("torch-float64"));

  test.each(layouts)("shape %j, groups %i and %i: fused and composed are the reference", (...layout) => {
    for (const drawn of draws(layout, 2)) {
      const exact = exactResults(drawn);
      for (const results of [tapeResults(drawn), composed(() => tapeResults(drawn))]) {
        results.forEach((values, i) => {
          const largest = Math.max(...exact[i].map(Math.abs));
          values.forEach((value, k) => expect(Math.abs(value - exact[i][k])).toBeLessThan(1e-13 * largest));
        });
      }
    }
  });
});

describe("groupRational refuses", () => {
  const x = (...shape: number[]): tf.Tensor => tf.zeros(shape);
  const table = (groups: number, terms: number): tf.Tensor2D => tf.zeros([groups, terms]);
  const cases: [string, string, () => tf.Tensor][] = [
    ["a scalar", "shape", () => groupRational(tf.scalar(1), table(1, 6), table(1, 4))],
    ["a numerator of degree 9", "shape", () => groupRational(x(2, 8), table(1, 10), table(1, 4))],
    ["a denominator of degree 9", "shape", () => groupRational(x(2, 8), table(1, 6), table(1, 9))],
    ["form C likewise", "shape", () => groupRational(x(2, 8), table(1, 6), table(1, 10), { form: "C" })],
    ["a denominator of no terms", "shape", () => groupRational(x(2, 8), table(1, 6), table(1, 0))],
    [
      "another form",
      "unknown",
      () => groupRational(x(2, 8), table(1, 6), table(1, 4), { form: "D" as GroupRationalForm }),
    ],
    [
      "channels elsewhere",
      "unknown",
      () => groupRational(x(2, 8), table(1, 6), table(1, 4), { channels: "frist" as "first" }),
    ],
    [
      "rank 1 with channels first",
      "shape",
      () => groupRational(x(8), table(1, 6), table(1, 4), { channels: "first" }),
    ],
    [
      "channels first that groups do not divide",
      "indivisible",
      () => groupRational(x(2, 6, 8), table(1, 6), table(8, 4), { channels: "first" }),
    ],
    [
      "more groups than channels",
      "invalid",
      () => groupRational(x(2, 6), table(7, 6), table(1, 4), { uneven: true }),
    ],
    ["no groups", "shape", () => groupRational(x(2, 8), table(0, 6), table(1, 4))],
    [
      "a table of rank 1",
      "shape",
      () => groupRational(x(2, 8), tf.zeros<tf.Rank.R1>([6]) as tf.Tensor as tf.Tensor2D, table(1, 4)),
    ],
    ["groups that do not divide dim", "indivisible", () => groupRational(x(2, 9), table(1, 6), table(8, 4))],
    ["numerator groups likewise", "indivisible", () => groupRational(x(255), table(8, 6), table(1, 4))],
    ["integers", "invalid", () => groupRational(tf.zeros([8], "int32"), table(1, 6), table(1, 4))],
  ];
  test.each(cases)("%s", (_, code, call) => {
    let error: unknown;
    tf.tidy(() => {
      try {
        call();
      } catch (caught) {
        error = caught;
      }
    });
    expect(error).toBeInstanceOf(KatlabError);
    expect((error as KatlabError).code).toBe(code);
    expect((error as KatlabError).message).toMatchSnapshot();
  });
});
