import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { syntheticImages } from "../../src/data/syntheticImages.js";
import { useEngine } from "../../src/engine.js";
import { createModel } from "../../src/models/registry.js";
import type { VisionTransformer } from "../../src/models/visionTransformer.js";
import { addonStatus } from "../../src/torch/backend.js";
import { evaluate } from "../../src/training/evaluate.js";
import { train } from "../../src/training/train.js";

const engines = ["wasm", ...(addonStatus().available ? ["torch" as const] : [])] as const;
const data = syntheticImages({ classes: 4, shape: [14, 14, 1], size: 64, testSize: 40, seed: 3 });
const quiet = { show: false, batchSize: 32, seed: 1 } as const;
const notebook = Symbol.for("jupyter.kernel");
const host = globalThis as { [key: symbol]: unknown };

describe.each(engines)("on the %s engine", (engine) => {
  let before: number;
  let model: VisionTransformer;
  beforeEach(async () => {
    await useEngine({ engine });
    before = tf.memory().numTensors;
    model = createModel("kat_test_patch7_28", { classes: 4, imageSize: 14, seed: 1 });
  });
  afterEach(() => {
    model.dispose();
    host[notebook] = undefined;
    vi.restoreAllMocks();
    expect(tf.memory().numTensors).toBe(before);
  });

  test("a KAT learns 64 images in 30 steps, and the run says what happened", async () => {
    const run = await train(model, data, { ...quiet, epochs: 15 });
    const { steps, epochs } = run.history;
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    expect(epochs).toHaveLength(15);
    const mean = (losses: number[]) => losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
    expect(mean(steps.slice(0, 2).map(({ loss }) => loss))).toBeGreaterThan(1.2);
    expect(epochs[14].trainLoss).toBeLessThan(0.7);
    expect(run.testAccuracy).toBeGreaterThan(0.9);
    expect(run.stopped).toBe(false);
    expect(JSON.parse(JSON.stringify(run))).toMatchObject({
      model: "kat_test_patch7_28",
      recipe: { epochs: 15 },
    });
    expect(String(run)).toMatch(
      /kat_test_patch7_28 on .*: finished · 15 of 15 epochs, 30 steps · test accuracy/,
    );
  });

  test("the same seed gives the same bits, another seed others", async () => {
    const losses = [];
    for (const seed of [1, 1, 2]) {
      const fresh = createModel("kat_test_patch7_28", { classes: 4, imageSize: 14, seed, dropPath: 0.2 });
      const run = await train(fresh, data, { ...quiet, epochs: 2, seed });
      losses.push(run.history.steps.map(({ loss }) => loss));
      fresh.dispose();
    }
    expect(losses[1]).toEqual(losses[0]);
    expect(losses[2]).not.toEqual(losses[0]);
  });

  test("a model learns from images that are varied and mixed, the same way for the same seed", async () => {
    const augmentation = { flip: 0.2, cropPadding: 1, erasing: 0.1, mixup: 0.2, cutmix: 0.2 };
    const run = await train(model, data, { ...quiet, epochs: 15, augmentation });
    expect(run.testAccuracy).toBeGreaterThan(0.7);
    const short = async (): Promise<unknown> => {
      const fresh = createModel("kat_test_patch7_28", { classes: 4, imageSize: 14, seed: 1 });
      const { history } = await train(fresh, data, { ...quiet, epochs: 2, augmentation });
      fresh.dispose();
      return history.steps;
    };
    expect(await short()).toEqual(await short());
  });

  test.each(["kat-imagenet", "karat-cifar"] as const)(
    "what %s does to images, the same way twice",
    async (recipe) => {
      const losses = [];
      for (let i = 0; i < 2; i++) {
        const fresh = createModel("kat_test_patch7_28", { classes: 4, imageSize: 14, seed: 1 });
        const { history } = await train(fresh, data, { recipe, ...quiet, epochs: 2, warmupEpochs: 0 });
        losses.push(history.steps.map(({ loss }) => loss));
        fresh.dispose();
      }
      expect(losses[0]).toHaveLength(4);
      expect(losses[0].every(Number.isFinite)).toBe(true);
      expect(losses[1]).toEqual(losses[0]);
    },
  );

  test("a stop ends the run after its step and keeps what there is", async () => {
    const controller = new AbortController();
    const onEpoch = () => {
      controller.abort();
    };
    const run = await train(model, data, { ...quiet, epochs: 50, signal: controller.signal, onEpoch });
    expect(run.stopped).toBe(true);
    expect(run.history.epochs).toHaveLength(1);
    expect(run.history.steps).toHaveLength(2);
    expect(String(run)).toContain("stopped · 1 of 50 epochs");
  });

  test("a stop before the first step gives an empty run", async () => {
    const run = await train(model, data, { ...quiet, signal: AbortSignal.abort() });
    expect(run).toMatchObject({ stopped: true, testAccuracy: undefined, history: { steps: [], epochs: [] } });
    expect(String(run)).toContain("no epoch finished");
  });

  test("the notebook's stop button stops it", async () => {
    const controller = new AbortController();
    host[notebook] = { signal: controller.signal };
    setTimeout(() => {
      controller.abort();
    }, 50);
    const run = await train(model, data, { ...quiet, epochs: 10_000 });
    expect(run.stopped).toBe(true);
  });

  test("a notebook gets a live chart, in one output", async () => {
    const ids: unknown[] = [];
    host[notebook] = {
      display: (_: unknown, options: { id: string }) => ids.push(options.id),
    };
    await train(model, data, { ...quiet, show: true, epochs: 2 });
    expect(ids.length).toBeGreaterThanOrEqual(2);
    expect(new Set(ids).size).toBe(1);
  });

  test("outside of notebooks and terminals it prints a line per epoch", async () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
    await train(model, data, { ...quiet, show: true, epochs: 2 });
    expect(log.mock.calls.map(([line]) => String(line))).toEqual([
      expect.stringMatching(/epoch 1\/2 {2}train loss \d\.\d{3} {2}test loss \d\.\d{3} {2}test accuracy/),
      expect.stringContaining("epoch 2/2"),
    ]);
  });

  test("an error in a step leaves nothing behind and names what is wrong", async () => {
    const wrong = syntheticImages({ classes: 4, shape: [28, 28, 1], size: 8, testSize: 8, seed: 3 });
    await expect(train(model, wrong, quiet)).rejects.toThrow(/images/);
    const many = syntheticImages({ classes: 5, shape: [14, 14, 1], size: 10, testSize: 10, seed: 3 });
    await expect(train(model, many, quiet)).rejects.toThrow("Create it with { classes: 5 }.");
    await expect(train(model, data, { ...quiet, epoch: 2 } as object)).rejects.toThrow(
      'Did you mean "epochs"?',
    );
  });

  test("evaluate counts what it predicts, whatever the batch size", async () => {
    const whole = await evaluate(model, data.test, { batchSize: 40 });
    const parts = await evaluate(model, data.test, { batchSize: 7 });
    expect(parts.predictions).toEqual(whole.predictions);
    expect(parts.loss).toBeCloseTo(whole.loss, 5);
    const right = whole.predictions.filter((prediction, i) => prediction === data.test.labels[i]).length;
    expect(whole.accuracy).toBe(right / 40);
    expect(whole.confusion.flat().reduce((sum, n) => sum + n, 0)).toBe(40);
    expect(whole.confusion.map((row) => row.reduce((sum, n) => sum + n, 0))).toEqual([10, 10, 10, 10]);
    await expect(evaluate(model, data.test, { batchSize: 0 })).rejects.toThrow("batchSize must be");
  });
});
