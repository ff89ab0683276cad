import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { learnedActivations } from "../../src/analysis/activations.js";
import { syntheticImages } from "../../src/data/syntheticImages.js";
import { useEngine } from "../../src/engine.js";
import { createModel } from "../../src/models/registry.js";
import type { VisionTransformer } from "../../src/models/visionTransformer.js";
import { plotActivations } from "../../src/plot/plotActivations.js";
import { addonStatus } from "../../src/torch/backend.js";

const data = syntheticImages({ classes: 4, shape: [14, 14, 1], size: 8, testSize: 12, seed: 1 });
const engines = ["cpu", "wasm", ...(addonStatus().available ? ["torch" as const] : [])] as const;

describe.each(engines)("learnedActivations on the %s engine", (engine) => {
  let before: number;
  let model: VisionTransformer;
  beforeEach(async () => {
    await useEngine({ engine });
    before = tf.memory().numTensors;
    model = createModel("kat_test_patch7_28", { classes: 4, imageSize: 14, seed: 1 });
  });
  afterEach(() => {
    model.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test("finds every layer by its path, and a fresh model at its start", () => {
    const { model: name, activations } = learnedActivations(model, { inputs: data.test });
    expect(name).toBe("kat_test_patch7_28");
    expect(activations.map(({ layer, start }) => `${layer} ${start}`)).toEqual(
      [0, 1, 2, 3].flatMap((i) => [`blocks.${i}.mlp.act1 identity`, `blocks.${i}.mlp.act2 silu`]),
    );
    for (const { start, groups } of activations) {
      expect(groups.map(({ group }) => group)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      for (const { x, y, startY } of groups) {
        expect(x).toHaveLength(201);
        x.forEach((value, i) => {
          expect(y[i]).toBeCloseTo(startY[i], 5);
          if (start === "identity") expect(y[i]).toBe(value);
        });
      }
    }
  });

  test.each([
    ["form B, P per group", { form: "B", sharing: { numerator: "group" } }, 8, 8],
    ["form C, all shared", { form: "C", sharing: { denominator: "shared" } }, 1, 1],
    ["form N, 3/2, uneven", { form: "N", degrees: [3, 2], groups: 7, uneven: true }, 7, 7],
    ["Q per channel", { sharing: { denominator: "channel" } }, 96, 384],
  ] as const)("%s: a curve for each function, a fresh one at its start", (_, options, first, second) => {
    const other = createModel("kat_test_patch7_28", { ...options, classes: 4, imageSize: 14 });
    const { activations } = learnedActivations(other, { inputs: data.test, samples: 2 });
    expect(activations.map(({ groups }) => groups.length)).toEqual(
      [0, 1, 2, 3].flatMap(() => [first, second]),
    );
    const [act1] = activations;
    const inputs = act1.groups.reduce(
      (sum, { histogram }) => sum + histogram.counts.reduce((a, n) => a + n, 0),
      0,
    );
    expect(inputs).toBeGreaterThan(0.95 * 2 * 5 * 96);
    for (const { groups } of activations) {
      for (const { y, startY } of groups) y.forEach((value, i) => expect(value).toBeCloseTo(startY[i], 5));
    }
    other.dispose();
  });

  test("counts the middle 99.8 % of the inputs, by group", () => {
    const [first] = learnedActivations(model, { inputs: data.test, samples: 12, bins: 7 }).activations;
    const tokens = 12 * 5;
    const values = tokens * (96 / 8);
    for (const { x, histogram } of first.groups) {
      const counted = histogram.counts.reduce((sum, n) => sum + n, 0);
      expect(counted).toBe(values);
      expect(histogram.edges).toHaveLength(8);
      expect([histogram.edges[0], histogram.edges[7]]).toEqual([x[0], x.at(-1)]);
    }
    tf.tidy(() => {
      const spread = data.test.batch([0, 4, 8]).images;
      const fromTensor = learnedActivations(model, { inputs: spread, bins: 7 });
      expect(fromTensor).toEqual(learnedActivations(model, { inputs: data.test, samples: 3, bins: 7 }));
    });
  });

  test("draws what was learned: y = 2x + 1 in one group's numerator shows as such", () => {
    tf.tidy(() => {
      const numerator = model.namedParameters().get("blocks.1.mlp.act1.weight_numerator");
      numerator?.assign(tf.tensor2d([[1, 2, 0, 0, 0, 0]]));
    });
    const learned = learnedActivations(model, { inputs: data.test });
    const found = learned.activations.find(({ layer: path }) => path === "blocks.1.mlp.act1");
    for (const { x, y, startY } of found?.groups ?? []) {
      x.forEach((value, i) => {
        expect(y[i]).toBeCloseTo(2 * value + 1, 12);
        expect(startY[i]).toBe(value);
      });
    }
    expect(plotActivations(learned).text).toContain("blocks.1.mlp.act1");
  });

  test("says what is wrong", () => {
    const vit = createModel("vit_test_patch7_28", { classes: 4, imageSize: 14 });
    const refuses = (): unknown => learnedActivations(vit, { inputs: data.test });
    expect(refuses).toThrow("the model must have learned activations");
    vit.dispose();
    expect(() => learnedActivations(model, { inputs: data.test, samples: 0 })).toThrow("samples must be");
    expect(() => learnedActivations(model, { inputs: data.test, points: 1 })).toThrow("points must be");
    tf.tidy(() => {
      expect(() => learnedActivations(model, { inputs: tf.zeros([0, 14, 14, 1]) })).toThrow(
        "there must be an image to look at",
      );
      expect(() => learnedActivations(model, { inputs: tf.zeros([1, 28, 28, 1]) })).toThrow(/images/);
      const nan = tf.fill<tf.Rank.R4>([1, 14, 14, 1], NaN);
      expect(() => learnedActivations(model, { inputs: nan })).toThrow("must be finite");
    });
  });
});
