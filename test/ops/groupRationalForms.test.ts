import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rationalDerivatives } from "../../src/bases/rational.js";
import { useEngine } from "../../src/engine.js";
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

const forms: GroupRationalForm[] = ["A", "B", "C", "N"];

/** Any degrees to 8/8, any groups from one to one a channel, dividing or not, channels last or first, rank 1 to 4. */
function anyCase(form: GroupRationalForm): fc.Arbitrary<GroupRationalCase> {
  const size = fc.integer({ min: 1, max: 4 });
  return fc
    .record({
      channels: fc.constantFrom("last" as const, "first" as const),
      dim: fc.integer({ min: 1, max: 17 }),
      others: fc.array(size, { maxLength: 3 }),
      numerator: fc.double({ min: 0, max: 1, noNaN: true }),
      denominator: fc.double({ min: 0, max: 1, noNaN: true }),
      degrees: fc.tuple(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 1, max: 8 })),
      seed: fc.nat(),
    })
    .map(({ channels, dim, others, numerator, denominator, degrees, seed }) => {
      const [batch = 2, ...inner] = others;
      const shape = channels === "first" ? [batch, dim, ...inner] : [...others, dim];
      const groups = (share: number): number => Math.max(1, Math.ceil(share * dim));
      const settings = { form, channels, uneven: true, degrees };
      return drawCase(shape, groups(numerator), groups(denominator), new Random(seed), settings);
    });
}

/** Cases of every layout and some degrees. */
function draws(form: GroupRationalForm): GroupRationalCase[] {
  const layouts: [number[], number, number, "last" | "first"][] = [
    [[4, 6, 24], 1, 8, "last"],
    [[3, 13], 5, 2, "last"],
    [[3, 8, 4, 5], 1, 8, "first"],
    [[2, 7, 9], 7, 3, "first"],
  ];
  const degrees: [number, number][] = [
    [5, 4],
    [8, 8],
    [3, 1],
  ];
  return layouts.flatMap(([shape, upper, lower, channels], i) =>
    degrees.flatMap((each, j) =>
      [0, 1].map((seed) =>
        drawCase(shape, upper, lower, new Random(100 * i + 10 * j + seed), {
          form,
          channels,
          uneven: true,
          degrees: each,
        }),
      ),
    ),
  );
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

  test.each(forms)("form %s is the reference, whatever the degrees, groups and layout", (form) => {
    fc.assert(
      fc.property(anyCase(form), (drawn) => {
        const [results, plain, exact] = [tapeResults(drawn), plainResults(drawn), exactResults(drawn)];
        results.forEach((values, output) => {
          expect(values).toHaveLength(exact[output].length);
          const error = (of: readonly number[]): number =>
            Math.max(...of.map((value, i) => Math.abs(value - exact[output][i])));
          const largest = Math.max(...exact[output].map(Math.abs));
          expect(error(values)).toBeLessThanOrEqual(4 * error(plain[output]) + 16 * 2 ** -23 * largest);
        });
      }),
      { numRuns: 40 },
    );
  });

  test.each(forms)("form %s: as accurate as plain float32", (form) => {
    expectAsAccurate(
      draws(form).map((drawn) => ({
        results: tapeResults(drawn),
        plain: engine === "torch" ? composed(() => tapeResults(drawn)) : plainResults(drawn),
        exact: exactResults(drawn),
      })),
    );
  });

  test.each(forms)("form %s: the tape differentiates twice", (form) => {
    const { x, numerator, denominator } = drawCase([12], 1, 1, new Random(3), { form, degrees: [4, 3] });
    const second = tf.tidy(() => {
      const tables = [tf.tensor2d(numerator), tf.tensor2d(denominator)] as const;
      const slope = tf.grad((t) => groupRational(t, ...tables, { form }));
      return tf.grad(slope)(tf.tensor1d(x)).dataSync();
    });
    const coefficients = { numerator: numerator[0], denominator: denominator[0], form };
    const exact = x.map((value) => rationalDerivatives(value, coefficients).second);
    const largest = Math.max(...exact.map(Math.abs));
    exact.forEach((value, i) => expect(Math.abs(second[i] - value)).toBeLessThan(1e-4 * largest));
  });

  test.each(forms)("form %s: the tape differentiates twice by every input, in uneven groups", (form) => {
    const settings = { form, channels: "first", uneven: true } as const;
    const drawn = drawCase([3, 5, 2], 2, 3, new Random(4), { ...settings, degrees: [3, 2] });
    const { tape, difference } = secondAlongRay(drawn, 1 / 256);
    expect(tape / difference).toBeCloseTo(1, 2);
  });

  test.each(forms)("form %s: at zero the derivative of the bars is +1", (form) => {
    const zeros = form === "C" ? [0, 0, 0] : [0, 0];
    const drawn = { shape: [2], x: [0, 2], dy: [1, 1], numerator: [[1, 1]], denominator: [zeros] };
    const [, dx, , dDenominator] = tapeResults({ ...drawn, settings: { form } });
    const exact = exactResults({ ...drawn, settings: { form } });
    dx.forEach((value, i) => expect(value).toBeCloseTo(exact[1][i], 4));
    dDenominator.forEach((value, i) => expect(value / exact[3][i]).toBeCloseTo(1, 5));
  });

  test.each(forms)("form %s: NaN, infinity and empty tensors", (form) => {
    const drawn = drawCase([2, 6, 2], 1, 4, new Random(5), { form, channels: "first", uneven: true });
    const [clean] = tapeResults(drawn);
    const [y] = tapeResults({ ...drawn, x: drawn.x.with(3, NaN).with(20, Infinity) });
    expect(y[3]).toBeNaN();
    expect(Number.isFinite(y[20])).toBe(false);
    expect(y.filter((_, i) => i !== 3 && i !== 20)).toEqual(clean.filter((_, i) => i !== 3 && i !== 20));
    for (const shape of [
      [0, 6, 2],
      [2, 6, 0],
    ]) {
      const [none, , ...tables] = tapeResults({ ...drawn, shape, x: [], dy: [] });
      expect(none).toEqual([]);
      expect(tables.flat().every((value) => value === 0)).toBe(true);
    }
  });

  test.each(forms)("form %s: leaks nothing, keeps the shape", (form) => {
    const settings = { form, channels: "first", uneven: true } as const;
    const drawn = drawCase([2, 5, 3], 2, 5, new Random(6), settings);
    const inputs = [
      tf.tensor(drawn.x, [2, 5, 3]),
      tf.tensor2d(drawn.numerator),
      tf.tensor2d(drawn.denominator),
    ];
    const f = (...t: tf.Tensor[]): tf.Tensor =>
      groupRational(t[0], t[1] as tf.Tensor2D, t[2] as tf.Tensor2D, settings);
    const before = tf.memory().numTensors;
    const results = [f(...inputs), ...tf.grads(f)(inputs)];
    expect(results.map(({ shape }) => shape)).toEqual([[2, 5, 3], ...inputs.map(({ shape }) => shape)]);
    tf.dispose(results);
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose(inputs);
  });
});

describe.skipIf(!addonStatus().available)("groupRational in float64", () => {
  beforeAll(async () => {
    registerTorchBackend({ name: "torch-float64", float: "float64", device: "cpu" });
    await tf.setBackend("torch-float64");
  });
  afterAll(() => tf.removeBackend("torch-float64"));

  test.each(forms)("form %s: fused and composed are the reference", (form) => {
    for (const drawn of draws(form)) {
      const exact = exactResults(drawn);
      for (const results of [tapeResults(drawn), composed(() => tapeResults(drawn))]) {
        results.forEach((values, i) => {
          const largest = Math.max(...exact[i].map(Math.abs));
          values.forEach((value, k) => expect(Math.abs(value - exact[i][k])).toBeLessThan(1e-12 * largest));
        });
      }
    }
  });
});

test("form N is infinite at a pole", async () => {
  await useEngine({ engine: "cpu" });
  const y = tf.tidy(() =>
    groupRational(tf.tensor1d([2, -1]), tf.tensor2d([[1]]), tf.tensor2d([[-0.5]]), { form: "N" }).dataSync(),
  );
  expect([...y]).toEqual([Infinity, Math.fround(2 / 3)]);
});
