import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Dataset, Split } from "../../src/data/dataset.js";
import { activationVariance } from "../../src/analysis/activationVariance.js";
import { imageFolder } from "../../src/data/imageFolder.js";
import { syntheticImages } from "../../src/data/syntheticImages.js";
import { useEngine } from "../../src/engine.js";
import { createModel } from "../../src/models/registry.js";
import type { VisionTransformer } from "../../src/models/visionTransformer.js";
import { addonStatus } from "../../src/torch/backend.js";
import { evaluate } from "../../src/training/evaluate.js";
import { train } from "../../src/training/train.js";

let folder: string;
let inMemory: Dataset;
let streamed: Dataset;
let cached: Dataset;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "katlab-streamed-"));
  const { train: some, test: other } = syntheticImages({
    classes: 3,
    shape: [14, 14, 3],
    size: 48,
    testSize: 18,
  });
  for (const [part, { images, labels }] of Object.entries({ train: some, test: other })) {
    for (let i = 0; i < labels.length; i++) {
      const path = join(folder, part, `class ${labels[i]}`);
      mkdirSync(path, { recursive: true });
      const raw = { width: 14, height: 14, channels: 3 } as const;
      await sharp(images.subarray(588 * i, 588 * (i + 1)), { raw }).toFile(join(path, `${i}.png`));
    }
  }
  const options = { validation: 9 };
  inMemory = await imageFolder(folder, options);
  streamed = await imageFolder(folder, { ...options, streamed: true });
  cached = await imageFolder(folder, { ...options, streamed: true, cache: join(folder, "cache") });
});
afterAll(() => rmSync(folder, { recursive: true }));

let before: number;
let models: VisionTransformer[] = [];
beforeEach(async () => {
  await useEngine({ engine: addonStatus().available ? "torch" : "wasm" });
  before = tf.memory().numTensors;
});
afterEach(() => {
  for (const model of models) model.dispose();
  models = [];
  expect(tf.memory().numTensors).toBe(before);
});

function fresh(): VisionTransformer {
  const model = createModel("kat_test_patch7_28", { classes: 3, imageSize: 14, channels: 3, seed: 1 });
  models.push(model);
  return model;
}

const recipe = {
  show: false,
  batchSize: 7,
  seed: 1,
  epochs: 2,
  augmentation: { flip: 0.5, cropPadding: 1 },
} as const;

function bits(model: VisionTransformer): Float32Array[] {
  return model.parameters().map(({ variable }) => variable.dataSync<"float32">().slice());
}

/** A split of which the `n`th loading of a batch calls `then`. */
function loading(split: Split, n: number, then: () => void): Split {
  let loads = 0;
  return new Proxy(split, {
    get: (target, name) => {
      if (name !== "load") return Reflect.get(target, name, target) as unknown;
      return (indices: Int32Array, signal: AbortSignal) => {
        if (indices.length === recipe.batchSize && ++loads === n) then();
        return target.load?.(indices, signal);
      };
    },
  });
}

describe("training on pictures that are streamed", () => {
  test("gives the bits of training on pictures in memory", async () => {
    const runs = [];
    for (const data of [inMemory, streamed, cached]) {
      const model = fresh();
      const { history, test: result } = await train(model, data, recipe);
      const epochs = history.epochs.map(
        ({ seconds, ...epoch }) => (expect(seconds).toBeGreaterThan(0), epoch),
      );
      runs.push({ bits: bits(model), steps: history.steps, epochs, result });
    }
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[2]).toEqual(runs[0]);
  });

  test("is resumed with the same bits, also from one kind to the other", async () => {
    const whole = fresh();
    await train(whole, inMemory, recipe);
    for (const second of [streamed, inMemory]) {
      const checkpoint = { folder: join(folder, `checkpoints ${models.length}`), every: { steps: 3 } };
      const controller = new AbortController();
      const { signal } = controller;
      const data = { ...streamed, train: loading(streamed.train, 8, () => controller.abort()) };
      const stopped = await train(fresh(), data, { ...recipe, checkpoint, signal });
      expect(stopped.stopped).toBe(true);
      const model = fresh();
      const { history } = await train(model, second, { ...recipe, checkpoint, resume: true });
      expect(history.steps).toHaveLength(10);
      expect(bits(model)).toEqual(bits(whole));
    }
  });

  test("ends with the name of a picture that is broken", async () => {
    const path = join(folder, "train", "class 0", "broken.png");
    const statistics = { mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2] };
    writeFileSync(path, "broken");
    const data = await imageFolder(folder, { streamed: true, size: 14, statistics });
    await expect(train(fresh(), data, recipe)).rejects.toThrow(
      /broken\.png: must be a picture that can be decoded/,
    );
    rmSync(path);
  });

  test("evaluate sees the same images, and stops", async () => {
    const model = fresh();
    const own = await evaluate(model, streamed.test, { batchSize: 5 });
    expect(own).toEqual(await evaluate(model, inMemory.test, { batchSize: 5 }));
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(evaluate(model, streamed.test, { signal })).rejects.toThrow("enough");
  });

  test("analyses say that they want images in memory, and take those that were loaded", async () => {
    const model = fresh();
    expect(() => activationVariance(model, { inputs: streamed.test })).toThrow(
      /images must be in memory.* Load some first/,
    );
    const loaded = await streamed.test.load?.();
    expect(activationVariance(model, { inputs: loaded ?? inMemory.train })).toEqual(
      activationVariance(model, { inputs: inMemory.test }),
    );
  });
});
