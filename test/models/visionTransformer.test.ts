import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { useEngine } from "../../src/engine.js";
import { loadWeights, saveWeights } from "../../src/io/checkpoint.js";
import { createModel } from "../../src/models/registry.js";
import type { VisionTransformer } from "../../src/models/visionTransformer.js";
import { Random } from "../../src/random.js";
import { sizeOf } from "../../src/shape.js";
import { onEveryEngine } from "../presentEngines.js";

const golden = JSON.parse(readFileSync(new URL("../golden/models/logits.json", import.meta.url), "utf8")) as {
  logits: Record<"vit" | "kat" | "mean" | "wide", number[][]>;
};

/** The weights of golden/models/make.py. */
function formula(name: string, shape: readonly number[]): Float32Array {
  const values = Float64Array.from(
    { length: sizeOf(shape) },
    (_, i) => 0.1 * Math.sin(0.37 * i + name.length) + (/(^|\.)norm\d?\.weight$/.test(name) ? 1 : 0),
  );
  if (name.endsWith("weight_numerator")) values[1] += 1;
  return Float32Array.from(values);
}

function fill(model: VisionTransformer): void {
  tf.tidy(() => {
    for (const [name, parameter] of model.namedParameters()) {
      parameter.assign(tf.tensor(formula(name, parameter.shape), [...parameter.shape]));
    }
  });
}

onEveryEngine("VisionTransformer", ({ options }) => {
  let before: number;
  beforeEach(async () => {
    await useEngine(options);
    before = tf.memory().numTensors;
  });
  afterEach(() => {
    expect(tf.memory().numTensors).toBe(before);
  });

  test.each([
    ["vit", "vit_test_patch7_28", {}],
    ["kat", "kat_test_patch7_28", {}],
    ["mean", "vit_test_patch7_28", { layerScale: 1e-4, pooling: "mean" }],
    ["wide", "kat_test_patch7_28", { imageSize: [14, 32], patchSize: [7, 4] }],
  ] as const)("%s: the logits of PyTorch's own layers", (family, name, chosen) => {
    const model = createModel(name, chosen);
    fill(model);
    tf.tidy(() => {
      const shape: [number, number, number, number] = [2, ...model.inputShape];
      const pixels = Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(0.01 * i ** 2));
      const logits = model.forward(tf.tensor4d(pixels, shape)).arraySync();
      golden.logits[family].flat().forEach((value, i) => {
        expect(Math.abs(logits.flat()[i] - value)).toBeLessThan(1e-5);
      });
    });
    model.dispose();
  });

  test("an empty batch has no logits, another image size is refused by name", () => {
    const model = createModel("kat_test_patch7_28");
    tf.tidy(() => {
      expect(model.forward(tf.zeros([0, 28, 28, 1])).shape).toEqual([0, 10]);
      expect(() => model.forward(tf.zeros([1, 32, 32, 1]))).toThrow(/kat_test_patch7_28: images/);
    });
    model.dispose();
  });

  test("drop path acts in training alone, and by its seed", () => {
    const model = createModel("kat_test_patch7_28", { dropPath: 0.5 });
    tf.tidy(() => {
      const images = tf.ones<tf.Rank.R4>([8, 28, 28, 1]);
      const run = (seed?: number): Float32Array =>
        model
          .forward(images, seed === undefined ? {} : { training: true, random: new Random(seed) })
          .dataSync<"float32">();
      expect(run()).toEqual(run());
      expect(run(1)).toEqual(run(1));
      expect(run(1)).not.toEqual(run(2));
      expect(run(1)).not.toEqual(run());
    });
    model.dispose();
  });

  test("a KAT that takes over a ViT's weights starts as that ViT, up to the fit of gelu", () => {
    const twin = createModel("vit_test_patch7_28", { seed: 1 });
    const model = createModel("kat_test_patch7_28", { seed: 2, starts: ["identity", "gelu"] });
    const { missing, unexpected } = model.loadWeights(twin.weights(), { strict: false });
    expect(unexpected).toEqual([]);
    expect(missing.every((name) => /\.act[12]\.weight_(numerator|denominator)$/.test(name))).toBe(true);
    tf.tidy(() => {
      // At their start hidden values are near 0, where a badly fitted gelu would pass, too.
      for (const of of [twin, model]) {
        for (const [name, parameter] of of.namedParameters()) {
          if (name.endsWith("fc1.weight")) parameter.assign(tf.mul(parameter.variable, 5));
        }
      }
      const images = tf.randomNormal<tf.Rank.R4>([4, 28, 28, 1], 0, 1, "float32", 3);
      const distance = tf.max(tf.abs(tf.sub(model.forward(images), twin.forward(images)))).dataSync()[0];
      // Gelu in form A is off by at most 2.9e-3, in four blocks; "upstream-gelu" makes it 0.13.
      expect(distance).toBeLessThan(0.01);
      expect(distance).toBeGreaterThan(0);
    });
    twin.dispose();
    model.dispose();
  });

  test("weights in a file go into a model for larger images, when they are resized", async () => {
    const folder = mkdtempSync(join(tmpdir(), "katlab-weights-"));
    const file = join(folder, "weights.safetensors");
    const small = createModel("kat_test_patch7_28", { seed: 1 });
    const large = createModel("kat_test_patch7_28", { seed: 2, imageSize: 42 });
    await saveWeights(small, file);
    await expect(loadWeights(large, file)).rejects.toThrow(/pos_embed: shape must be/);
    await loadWeights(large, file, { resizePositions: true });
    const [own, given] = [large, small].map(({ head }) => head.weight.variable.dataSync());
    expect(own).toEqual(given);
    expect(large.posEmbed.shape).toEqual([1, 37, 96]);
    small.dispose();
    large.dispose();
    rmSync(folder, { recursive: true });
  });
});
