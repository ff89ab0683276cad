import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { numeratorNoise } from "../../src/bases/numeratorNoise.js";
import { rational } from "../../src/bases/rational.js";
import { rationalPreset } from "../../src/bases/rationalPreset.js";
import { useEngine } from "../../src/engine.js";
import { GroupRational, type GroupRationalOptions } from "../../src/layers/groupRational.js";
import { Scope } from "../../src/layers/scope.js";
import { type RandomSource, UniformNumbers } from "../../src/ops/uniformNumbers.js";
import { Random } from "../../src/random.js";
import { onEveryEngine } from "../presentEngines.js";

const create = (options: Partial<GroupRationalOptions> = {}): GroupRational =>
  new GroupRational(new Scope(), { dim: 24, start: "silu", ...options });

const choices: [string, Partial<GroupRationalOptions>, numerator: number[], denominator: number[]][] = [
  ["KAT's", {}, [1, 6], [8, 4]],
  ["form B, P per group", { form: "B", sharing: { numerator: "group" } }, [8, 6], [8, 4]],
  ["form C 3/2", { form: "C", degrees: [3, 2], start: "gelu" }, [1, 4], [8, 3]],
  ["form D", { form: "D", sharing: { numerator: "group" } }, [8, 6], [8, 4]],
  ["form N, all shared", { form: "N", sharing: { denominator: "shared" } }, [1, 6], [1, 4]],
  ["P per channel", { sharing: { numerator: "channel" } }, [24, 6], [8, 4]],
  [
    "Q per channel, P per group",
    { sharing: { numerator: "group", denominator: "channel" } },
    [8, 6],
    [24, 4],
  ],
  ["uneven groups", { groups: 7, uneven: true, sharing: { numerator: "group" } }, [7, 6], [7, 4]],
];

onEveryEngine("GroupRational", ({ options }) => {
  let before: number;
  beforeEach(async () => {
    await useEngine(options);
    before = tf.memory().numTensors;
  });
  afterEach(() => {
    expect(tf.memory().numTensors).toBe(before);
  });

  test.each(choices)("%s: shapes, start and each block's own function", (_, chosen, a, b) => {
    const layer = create(chosen);
    expect([layer.numerator.shape, layer.denominator.shape]).toEqual([a, b]);
    const { form = "A", degrees = [5, 4] } = chosen;
    const preset = rationalPreset(layer.start, { form, degrees });
    expect(layer.preset).toEqual(preset);
    tf.tidy(() => {
      const x = tf.linspace(-3, 3, 5 * 24).reshape([5, 24]);
      const points = x.dataSync();
      layer
        .forward(x)
        .dataSync()
        .forEach((y, i) => expect(y).toBeCloseTo(rational(points[i], preset), 5));
      // Every row different: a channel's value shows which rows it takes.
      for (const parameter of [layer.numerator, layer.denominator]) {
        const step = tf.mul(tf.range(0, parameter.shape[0]).reshape([-1, 1]), 0.01);
        parameter.assign(tf.add(parameter.variable, step));
      }
      const rowOf = (table: tf.Tensor, channel: number): number[] =>
        (table.arraySync() as number[][])[Math.floor((channel * table.shape[0]) / 24)];
      const y = layer.forward(x).dataSync();
      points.forEach((value, i) => {
        const numerator = rowOf(layer.numerator.variable, i % 24);
        const denominator = rowOf(layer.denominator.variable, i % 24);
        expect(y[i]).toBeCloseTo(rational(value, { numerator, denominator, form }), 4);
      });
    });
    layer.dispose();
  });
});

onEveryEngine("GroupRational of form D", ({ options }) => {
  let before: number;
  beforeEach(async () => {
    await useEngine(options);
    before = tf.memory().numTensors;
  });
  afterEach(() => {
    expect(tf.memory().numTensors).toBe(before);
  });

  const pair = (): { b: GroupRational; d: GroupRational; x: tf.Tensor } => {
    const sharing = { numerator: "group" } as const;
    const x = tf.linspace(-3, 3, 5 * 24).reshape([5, 24]);
    return { b: create({ form: "B", sharing }), d: create({ form: "D", sharing }), x };
  };

  test("in evaluation it is form B to the bit, whatever the source", () => {
    tf.tidy(() => {
      const { b, d, x } = pair();
      const expected = b.forward(x).dataSync();
      expect(d.forward(x).dataSync()).toEqual(expected);
      expect(d.forward(x, { random: new Random(1) }).dataSync()).toEqual(expected);
      for (const layer of [b, d]) layer.dispose();
    });
  });

  test("in training it is form B with every coefficient times its own factor", () => {
    tf.tidy(() => {
      const { b, d, x } = pair();
      const train = (random: RandomSource): tf.TypedArray =>
        d.forward(x, { training: true, random }).dataSync();
      const { numerator, denominator, form } = d.preset;
      const source = new Random(3);
      const rows = Array.from({ length: 8 }, () =>
        numeratorNoise(6, source).map((factor, i) => factor * numerator[i]),
      );
      const y = train(new Random(3));
      x.dataSync().forEach((value, i) => {
        const row = rows[Math.floor((i % 24) / 3)];
        expect(y[i]).toBeCloseTo(rational(value, { numerator: row, denominator, form }), 5);
      });
      // Drawn ahead, as a captured step draws, the numbers are the same; drawn again they are others.
      const ahead = new Random(3);
      expect(
        train(new UniformNumbers(tf.tensor1d(Array.from({ length: 48 }, () => ahead.uniform())))),
      ).toEqual(y);
      const again = new Random(3);
      expect(train(again)).toEqual(y);
      expect(train(again)).not.toEqual(y);
      expect(() => d.forward(x, { training: true })).toThrow(
        "GroupRational: training with form D needs a source of random numbers; got none.",
      );
      for (const layer of [b, d]) layer.dispose();
    });
  });

  test("its coefficients learn through their noise", () => {
    tf.tidy(() => {
      const { b, d, x } = pair();
      const gradient = (layer: GroupRational, training: boolean): tf.Tensor => {
        const { grads } = tf.variableGrads(
          () => tf.sum(layer.forward(x, { training, random: new Random(3) })),
          [layer.numerator.variable],
        );
        return Object.values(grads)[0];
      };
      const source = new Random(3);
      const factors = tf.tensor2d(Array.from({ length: 8 }, () => numeratorNoise(6, source)));
      // y is linear in the numerator: the factors are all that the noise adds to its gradient.
      const expected = tf.mul(gradient(b, true), factors).dataSync();
      gradient(d, true)
        .dataSync()
        .forEach((value, i) =>
          expect(Math.abs(value - expected[i])).toBeLessThan(1e-5 * (1 + Math.abs(value))),
        );
      for (const layer of [b, d]) layer.dispose();
    });
  });
});

describe("GroupRational, without computing", () => {
  test("blocks of channels with a function of their own", () => {
    expect(create().blocks).toEqual([0, 3, 6, 9, 12, 15, 18, 21]);
    expect(create({ sharing: { denominator: "shared" } }).blocks).toEqual([0]);
    expect(create({ sharing: { numerator: "channel" } }).blocks).toHaveLength(24);
    expect(create({ groups: 5, uneven: true }).blocks).toEqual([0, 5, 10, 15, 20]);
  });

  test("costs 2m + 2n + 3 a value, and says where it is not KAT's", () => {
    expect(create().outline([7, 24])).toMatchObject({ layer: "GroupRational", multiplyAdds: 21 * 7 * 24 });
    const other = create({
      form: "B",
      degrees: [3, 2],
      sharing: { numerator: "group", denominator: "shared" },
    });
    expect(other.outline([7, 24])).toMatchObject({
      layer: "GroupRational, form B, degrees 3/2, P per group, Q shared",
      multiplyAdds: 13 * 7 * 24,
      parameters: 8 * 4 + 2,
    });
  });

  test.each<[object, string]>([
    [{ groups: 7 }, "dim (24) must be a multiple of groups (7)"],
    [{ groups: 25, uneven: true }, "groups must be a whole number from 1 to dim (24); got 25"],
    [{ groups: 2.5 }, "groups must be a whole number from 1 to dim (24); got 2.5"],
    [{ degrees: [9, 4] }, "degrees must be at most 8, and that of the denominator at least 1; got [9, 4]"],
    [{ degrees: [5, 0] }, "at least 1; got [5, 0]"],
    [{ degrees: 5 }, "degrees must be a pair [m, n]; got 5"],
    [{ degrees: [5, 4, 3] }, "degrees must be a pair [m, n]; got [5,4,3]"],
    [
      { sharing: { numerators: "group" } },
      'sharing: must be one of numerator, denominator; got "numerators"',
    ],
    [{ degrees: [5.5, 4] }, "degrees must be two whole numbers"],
    [{ form: "E" }, "GroupRational: form: must be one of A, B, C, D, N"],
    [{ start: "sillu" }, 'Did you mean "silu"?'],
    [
      { sharing: { numerator: "groups" } },
      'sharing of the numerator: must be one of shared, group, channel; got "groups"',
    ],
  ])("refuses %o", (options, message) => {
    expect(() => create(options)).toThrow(message);
  });
});
