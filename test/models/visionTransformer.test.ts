import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { rationalPreset } from "../../src/bases/rationalPreset.js";
import { useEngine } from "../../src/engine.js";
import { loadWeights, saveWeights } from "../../src/io/checkpoint.js";
import { loadSafetensors } from "../../src/io/safetensors.js";
import { Mlp } from "../../src/layers/mlp.js";
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

  describe("a KAT from its ViT twin", () => {
    const functions = /\.act[12]\.weight_(numerator|denominator)$/;
    /** At their start hidden values are near 0, where a badly fitted gelu would pass, too. */
    const spread = (twin: VisionTransformer): void => {
      tf.tidy(() => {
        for (const { mlp } of twin.blocks) {
          if (mlp instanceof Mlp) mlp.fc1.weight.assign(tf.mul(mlp.fc1.weight.variable, 5));
        }
      });
    };
    const images = (): tf.Tensor4D => tf.randomNormal([4, 28, 28, 1], 0, 1, "float32", 3);

    test("has everything but its functions, each block as close as its gelu's stored error allows", () => {
      const twin = createModel("vit_test_patch7_28", { seed: 1 });
      const model = createModel("kat_test_patch7_28", { seed: 2, starts: ["identity", "gelu"] });
      spread(twin);
      const { loaded, kept, missing, unexpected } = model.loadWeights(twin.weights(), {
        keep: "coefficient",
      });
      expect([missing, unexpected]).toEqual([[], []]);
      expect(loaded).toEqual([...twin.namedParameters().keys()]);
      expect(kept).toEqual([...model.namedParameters().keys()].filter((name) => functions.test(name)));
      expect(kept).toHaveLength(4 * 4);
      tf.tidy(() => {
        const x = images();
        // W₂ takes an error of at most ε of every hidden value to at most ε·Σⱼ|W₂ᵢⱼ|.
        const { maxError, interval } = rationalPreset("gelu");
        twin.forward(x, {
          observe: ({ module, input, output }) => {
            if (!(module instanceof Mlp)) return;
            const hidden = module.fc1.forward(input);
            expect(tf.max(tf.abs(hidden)).dataSync()[0]).toBeLessThan(interval[1]);
            const { mlp } = model.blocks[Number(module.path.split(".")[1])];
            const error = tf.max(tf.abs(tf.sub(mlp.forward(input), output))).dataSync()[0];
            const rows = tf.max(tf.sum(tf.abs(module.fc2.weight.variable), 1)).dataSync()[0];
            expect(error).toBeLessThan(maxError * rows + 1e-5);
            expect(error).toBeGreaterThan(0);
          },
        });
        const distance = tf.max(tf.abs(tf.sub(model.forward(x), twin.forward(x)))).dataSync()[0];
        expect(distance).toBeLessThan(0.01); // "upstream-gelu" makes it 0.13
        expect(distance).toBeGreaterThan(0);
      });
      twin.dispose();
      model.dispose();
    });

    test("comes from a file of its twin's", async () => {
      const folder = mkdtempSync(join(tmpdir(), "katlab-twin-"));
      const file = join(folder, "twin.safetensors");
      const twin = createModel("vit_test_patch7_28", { seed: 1 });
      const model = createModel("kat_test_patch7_28", { seed: 2 });
      await saveWeights(twin, file);
      const { tensors } = await loadSafetensors(file);
      const { loaded } = model.loadWeights(tensors, { keep: "coefficient" });
      const [own, given] = [model.weights(), twin.weights()];
      expect(loaded).toEqual(Object.keys(given));
      for (const name of loaded) expect(own[name].dataSync()).toEqual(given[name].dataSync());
      tf.dispose(tensors);
      for (const each of [twin, model]) each.dispose();
      rmSync(folder, { recursive: true });
    });

    test("is it to the bit where its functions are off and a true gelu", () => {
      const twin = createModel("vit_test_patch7_28", { seed: 1 });
      const model = createModel("kat_test_patch7_28", { seed: 2, starts: ["identity", "gelu"], fixed: true });
      spread(twin);
      model.loadWeights(twin.weights());
      tf.tidy(() => {
        expect(model.forward(images()).dataSync()).toEqual(twin.forward(images()).dataSync());
      });
      twin.dispose();
      model.dispose();
    });

    test("takes no less and no more than its twin's weights, and positions of other images", () => {
      const model = createModel("kat_test_patch7_28");
      const twin = createModel("vit_test_patch7_28", { imageSize: 42 });
      const less = twin.weights();
      delete less["norm.bias"];
      const load = (weights: Record<string, tf.Tensor>, options = {}): unknown =>
        model.loadWeights(weights, { keep: "coefficient", ...options });
      expect(() => load(less)).toThrow('got 1 missing ("norm.bias")');
      expect(() => load(model.weights())).toThrow('16 unexpected ("blocks.0.mlp.act1.weight_numerator", ');
      expect(() => load(twin.weights())).toThrow("pos_embed: shape must be");
      expect(load(twin.weights(), { resizePositions: true })).toMatchObject({ missing: [], unexpected: [] });
      twin.dispose();
      model.dispose();
    });
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
