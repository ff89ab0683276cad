import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { rational } from "../../src/bases/rational.js";
import { rationalPreset } from "../../src/bases/rationalPreset.js";
import { useEngine } from "../../src/engine.js";
import { GroupRational, type GroupRationalOptions } from "../../src/layers/groupRational.js";
import { Scope } from "../../src/layers/scope.js";
import { onEveryEngine } from "../presentEngines.js";

const create = (options: Partial<GroupRationalOptions> = {}): GroupRational =>
  new GroupRational(new Scope(), { dim: 24, start: "silu", ...options });

const choices: [string, Partial<GroupRationalOptions>, numerator: number[], denominator: number[]][] = [
  ["KAT's", {}, [1, 6], [8, 4]],
  ["form B, P per group", { form: "B", sharing: { numerator: "group" } }, [8, 6], [8, 4]],
  ["form C 3/2", { form: "C", degrees: [3, 2], start: "gelu" }, [1, 4], [8, 3]],
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
    [{ degrees: [5.5, 4] }, "degrees must be two whole numbers"],
    [{ form: "D" }, "GroupRational: form: must be one of A, B, C, N"],
    [{ start: "sillu" }, 'Did you mean "silu"?'],
    [
      { sharing: { numerator: "groups" } },
      'sharing of the numerator: must be one of shared, group, channel; got "groups"',
    ],
  ])("refuses %o", (options, message) => {
    expect(() => create(options)).toThrow(message);
  });
});
