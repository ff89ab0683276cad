import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { parquetReadObjects } from "hyparquet";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Dataset } from "../../src/data/dataset.js";
import { syntheticImages } from "../../src/data/syntheticImages.js";
import { useEngine } from "../../src/engine.js";
import { loadSafetensors, saveSafetensors } from "../../src/io/safetensors.js";
import { loadWeights, saveWeights } from "../../src/io/checkpoint.js";
import { createModel } from "../../src/models/registry.js";
import type { VisionTransformer } from "../../src/models/visionTransformer.js";
import { addonStatus, loadAddon } from "../../src/torch/backend.js";
import { evaluate } from "../../src/training/evaluate.js";
import { train } from "../../src/training/train.js";

const engine = addonStatus().available ? "torch" : "wasm";
const synthetic = syntheticImages({ classes: 4, shape: [14, 14, 1], size: 80, testSize: 40, seed: 3 });
const data: Dataset = { ...synthetic, validation: synthetic.train.take(20) };
const quiet = { show: false, batchSize: 15, seed: 1, epochs: 3, emaDecay: 0.8 } as const;

let folder: string;
let before: number;
let models: VisionTransformer[] = [];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "katlab-resume-"));
  await useEngine({ engine });
  before = tf.memory().numTensors;
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  for (const model of models) model.dispose();
  models = [];
  expect(tf.memory().numTensors).toBe(before);
});

function fresh(name: "kat_test_patch7_28" | "vit_test_patch7_28" = "kat_test_patch7_28"): VisionTransformer {
  const model = createModel(name, { classes: 4, imageSize: 14, seed: 1, dropPath: 0.3 });
  models.push(model);
  return model;
}

function bits(model: VisionTransformer): Float32Array[] {
  return model.parameters().map(({ variable }) => variable.dataSync<"float32">().slice());
}

describe("a run that is resumed", () => {
  test.each([
    ["in the middle of an epoch", 2],
    ["between the last step of an epoch and its evaluation", 5],
    ["before the first checkpoint", 0],
  ])("%s ends with the bits of one that was not stopped", async (_, stopAfter) => {
    const whole = fresh();
    const run = await train(whole, data, quiet);
    const checkpoint = { folder: join(folder, "checkpoints"), every: { steps: 4 } };
    const controller = new AbortController();
    if (stopAfter === 0) controller.abort();
    let batches = 0; // of 15 images, which nothing else takes
    const counting = {
      ...data.train,
      batch: (indices: ArrayLike<number>) => {
        if (indices.length === 15 && ++batches === stopAfter) controller.abort();
        return data.train.batch(indices);
      },
      size: data.train.size,
    } as Dataset["train"];
    const stopped = await train(
      fresh(),
      { ...data, train: counting },
      { ...quiet, checkpoint, signal: controller.signal },
    );
    expect(stopped).toMatchObject({ stopped: true, test: null, divergence: null });
    expect(stopped.history.steps).toHaveLength(stopAfter);
    const resumed = fresh();
    const rest = await train(resumed, data, { ...quiet, checkpoint, resume: true });
    expect(bits(resumed)).toEqual(bits(whole));
    expect(rest.history.steps).toEqual(run.history.steps);
    const timeless = ({ history }: typeof run): unknown =>
      history.epochs.map((epoch) => ({ ...epoch, seconds: 0 }));
    expect(timeless(rest)).toEqual(timeless(run));
    expect(rest.test).toEqual(run.test);
  });

  test("after its end just gives its result again", async () => {
    const checkpoint = { folder };
    const run = await train(fresh(), data, { ...quiet, checkpoint });
    const again = fresh();
    const result = await train(again, data, { ...quiet, checkpoint, resume: true });
    expect(bits(again)).toEqual(bits(models[0]));
    expect(result.test).toEqual(run.test);
    expect(readdirSync(folder).sort()).toEqual([
      "best.safetensors",
      "step-00000010.safetensors",
      "step-00000015.safetensors",
    ]);
  });

  test("must be the same run: model, recipe and data", async () => {
    const checkpoint = { folder };
    await train(fresh(), data, { ...quiet, epochs: 1, checkpoint });
    const state = join(folder, "step-00000005.safetensors");
    const same = { ...quiet, epochs: 1, checkpoint, resume: true };
    const model = fresh();
    const initial = bits(model);
    await expect(train(model, data, { ...same, learningRate: 0.1 })).rejects.toThrow(
      `${state}: recipe.learningRate must be 0.002, as in the run that wrote it; got 0.1. Train with the same`,
    );
    await expect(train(fresh("vit_test_patch7_28"), data, same)).rejects.toThrow(
      `${state}: model.name must be "kat_test_patch7_28"`,
    );
    const others = syntheticImages({ classes: 4, shape: [14, 14, 1], size: 80, testSize: 40, seed: 4 });
    await expect(train(model, { ...data, train: others.train }, same)).rejects.toThrow(
      /data\.train\.sha256 must be/,
    );
    await expect(train(model, synthetic, same)).rejects.toThrow(/data\.validation must be .*; got absent/);
    await expect(train(model, data, { ...same, resume: false })).rejects.toThrow("must hold no checkpoints");
    await expect(train(model, data, { ...quiet, resume: true })).rejects.toThrow(
      "must have a checkpoint folder",
    );
    const weights = join(folder, "weights.safetensors");
    await saveWeights(model, weights);
    await expect(train(model, data, { ...same, resume: weights })).rejects.toThrow(
      'must be a training state ("katlab training 1"); got a file of weights only',
    );
    const { tensors, metadata } = await loadSafetensors(state);
    const without = (name: string): typeof tensors =>
      Object.fromEntries(Object.entries(tensors).filter(([own]) => own !== name));
    await saveSafetensors(weights, without("losses"), metadata);
    await expect(train(model, data, { ...same, resume: weights })).rejects.toThrow(
      "training state with its losses",
    );
    await saveSafetensors(weights, tensors, { ...metadata, position: "{" });
    await expect(train(model, data, { ...same, resume: weights })).rejects.toThrow(
      "training state with its position",
    );
    await saveSafetensors(weights, without("optimizer.mean.norm.bias"), metadata);
    await expect(train(model, data, { ...same, resume: weights })).rejects.toThrow(
      "must hold mean.norm.bias",
    );
    tf.dispose(tensors);
    expect(bits(model)).toEqual(initial);
  });
});

test("validation images judge the epochs, test images the end; averaged weights are what remains", async () => {
  const model = fresh();
  const run = await train(model, data, { ...quiet, checkpoint: { folder }, log: folder });
  for (const epoch of run.history.epochs) {
    expect(Object.keys(epoch).sort()).toEqual([
      "emaAccuracy",
      "emaLoss",
      "epoch",
      "seconds",
      "trainLoss",
      "validationAccuracy",
      "validationLoss",
    ]);
  }
  const { loss, accuracy } = await evaluate(model, data.test);
  expect(run.test).toEqual({ loss, accuracy });
  expect(run.testAccuracy).toBe(accuracy);
  expect(String(run)).toMatch(/finished .* validation accuracy \d+\.\d\d % · test accuracy \d+\.\d\d %/);
  expect(run.figure().text).toContain("validation accuracy");
  const best = Math.max(...run.history.epochs.map(({ emaAccuracy = NaN }) => emaAccuracy));
  const kept = fresh();
  const metadata = await loadWeights(kept, join(folder, "best.safetensors"));
  expect(Number(metadata.validationAccuracy)).toBe(best);
  expect((await evaluate(kept, data.validation as Dataset["test"])).accuracy).toBe(best);
});

test("the log has every step and epoch, as lines and as tables", async () => {
  const run = await train(fresh(), synthetic, { ...quiet, emaDecay: null, log: folder });
  const lines = readFileSync(join(folder, "run.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { kind: string });
  const of = (kind: string): unknown[] =>
    lines.filter((line) => line.kind === kind).map((line) => ({ ...line, kind: undefined }));
  expect(lines[0]).toMatchObject({ kind: "run", model: "kat_test_patch7_28", recipe: { epochs: 3 } });
  expect(of("step")).toEqual(run.history.steps.map((step) => ({ ...step, kind: undefined })));
  expect(of("epoch")).toEqual(run.history.epochs.map((epoch) => ({ ...epoch, kind: undefined })));
  const table = (name: string): Promise<Record<string, unknown>[]> => {
    const { buffer, byteOffset, byteLength } = readFileSync(join(folder, name));
    return parquetReadObjects({ file: buffer.slice(byteOffset, byteOffset + byteLength) });
  };
  expect(await table("steps.parquet")).toEqual(run.history.steps);
  const epochs = await table("epochs.parquet");
  expect(epochs).toHaveLength(3);
  expect(epochs[2]).toMatchObject({ ...run.history.epochs[2], validationLoss: null, emaAccuracy: null });
  expect(JSON.parse(readFileSync(join(folder, "run.json"), "utf8"))).toMatchObject({
    stopped: false,
    test: run.test,
  });
});

test("a run that diverges ends, with weights that are numbers", async () => {
  const model = fresh();
  const run = await train(model, synthetic, {
    ...quiet,
    epochs: 50,
    learningRate: 1e20,
    clipNorm: null,
    warmupEpochs: 0,
  });
  expect(run.divergence?.reason).toMatch(/^loss (NaN|Infinity)/);
  expect(run).toMatchObject({ stopped: true, test: null });
  expect(String(run)).toContain("the last good weights kept");
  for (const values of bits(model)) expect(values.every(Number.isFinite)).toBe(true);
  expect((await evaluate(model, data.test)).loss).toBeLessThan(10);
});

test("a state holds what the run needs and nothing of others", async () => {
  await train(fresh(), data, { ...quiet, epochs: 1, checkpoint: { folder } });
  const { tensors, metadata } = await loadSafetensors(join(folder, "step-00000005.safetensors"));
  const count = models[0].parameters().length;
  const kinds = Object.keys(tensors).map((name) => name.split(".")[0]);
  const times = (kind: string): number => kinds.filter((one) => one === kind).length;
  expect([times("model"), times("optimizer"), times("average"), times("losses")]).toEqual([
    count,
    2 * count,
    count,
    1,
  ]);
  expect(JSON.parse(metadata.position)).toMatchObject({ epochs: [{ epoch: 1 }] });
  tf.dispose(tensors);
});

describe.skipIf(engine !== "torch")("under float64", () => {
  test("checkpoints are refused: they would round", async () => {
    await useEngine({ engine: "torch", device: "cpu", precision: "float64" });
    before = tf.memory().numTensors;
    const run = train(fresh(), data, { ...quiet, epochs: 1, checkpoint: { folder } });
    await expect(run).rejects.toThrow(
      "checkpoint: the precision must be one whose weights float32 holds; got float64",
    );
    expect(readdirSync(folder)).toEqual([]);
  });
});

const onGpu = addonStatus().available && loadAddon().accelerator()?.type === "cuda";

describe.skipIf(!onGpu)("on a GPU", () => {
  test("captured steps, averages and a resumed run give the bits of a run step by step", async () => {
    await useEngine({ engine: "torch", device: "cuda", deterministic: true });
    before = tf.memory().numTensors;
    const [eager, captured, resumed] = [fresh(), fresh(), fresh()];
    await train(eager, data, { ...quiet, accumulate: 3, compile: false });
    const checkpoint = { folder, every: { steps: 4 }, keep: 10 };
    await train(captured, data, { ...quiet, accumulate: 3, checkpoint });
    const rest = {
      resume: join(folder, "step-00000008.safetensors"),
      checkpoint: { folder: join(folder, "rest") },
    };
    await train(resumed, data, { ...quiet, accumulate: 3, ...rest });
    expect(bits(captured)).toEqual(bits(eager));
    expect(bits(resumed)).toEqual(bits(eager));
  });
});
