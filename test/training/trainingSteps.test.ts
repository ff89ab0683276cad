import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { useEngine } from "../../src/engine.js";
import { createModel } from "../../src/models/registry.js";
import { Random } from "../../src/random.js";
import { addonStatus, loadAddon } from "../../src/torch/backend.js";
import { AdamW } from "../../src/training/adamw.js";
import { WeightAverage } from "../../src/training/weightAverage.js";
import { trainingStep } from "../../src/training/step.js";
import { TrainingSteps } from "../../src/training/trainingSteps.js";

const available = addonStatus().available;
const onGpu = available && loadAddon().accelerator()?.type === "cuda";
const settings = { weightDecay: 0.05, coefficientWeightDecay: 0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
const common = { labelSmoothing: 0.1, clipNorm: 1 };

type Take = (batch: Parameters<TrainingSteps["take"]>[0]) => tf.Scalar;

/** Losses, and final weights, of a small KAT with drop path on batches of two sizes. */
function run(
  count: number,
  start: (parts: Pick<Parameters<typeof trainingStep>[0], "model" | "optimizer">) => Take,
) {
  const model = createModel("kat_test_patch7_28", {
    classes: 4,
    imageSize: 14,
    seed: 1,
    dropPath: 0.3,
    form: ["A", "D"],
  });
  const optimizer = new AdamW(model.parameters(), settings);
  const take = start({ model, optimizer });
  const random = new Random(5);
  const losses = Array.from({ length: count }, (_, i) => {
    const batch = i % 3 === 2 ? 4 : 8;
    const pixels = Float32Array.from({ length: batch * 14 * 14 }, () => random.normal());
    const classes = Int32Array.from({ length: batch }, () => random.integer(4));
    const images = tf.tensor4d(pixels, [batch, 14, 14, 1]);
    const labels = tf.tensor1d(classes, "int32");
    const loss = take({
      images,
      labels,
      learningRate: 1e-3 / (1 + i),
      random: random.split("step").split(i),
    });
    const [value] = loss.dataSync();
    tf.dispose([images, labels, loss]);
    return value;
  });
  const weights = model.parameters().map(({ variable }) => variable.dataSync<"float32">());
  optimizer.dispose();
  model.dispose();
  return { losses, weights };
}

let tensors: number;
beforeEach(async () => {
  await useEngine({ engine: available ? "torch" : "cpu", device: "cpu" });
  tensors = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(tensors);
});

describe.skipIf(!available)("on the CPU", () => {
  test.each([true, false])("steps (compile: %s) are those of trainingStep, bit for bit", (compile) => {
    const plain = run(7, (parts) => (batch) => trainingStep({ ...parts, ...common, ...batch }));
    let steps: TrainingSteps | undefined;
    const taken = run(7, (parts) => {
      steps = new TrainingSteps({ ...parts, ...common }, compile);
      return (batch) => (steps as TrainingSteps).take(batch);
    });
    expect(taken).toEqual(plain);
    expect(new Set(plain.losses).size).toBe(7);
    expect(steps?.status()).toBeUndefined();
    steps?.dispose();
  });
});

describe.skipIf(!onGpu)("on a GPU", () => {
  test("captured steps of two batch sizes are those of trainingStep, bit for bit", async () => {
    await useEngine({ engine: "torch", device: "cuda", deterministic: true });
    tensors = tf.memory().numTensors;
    const eager = run(20, (parts) => {
      const steps = new TrainingSteps({ ...parts, ...common }, false);
      return (batch) => steps.take(batch);
    });
    let steps: TrainingSteps | undefined;
    const captured = run(20, (parts) => {
      steps = new TrainingSteps({ ...parts, ...common }, true);
      return (batch) => (steps as TrainingSteps).take(batch);
    });
    expect(captured).toEqual(eager);
    expect(steps?.status()).toMatchObject({ captured: 2, reason: null });
    steps?.dispose();
  });

  test("so are captured steps in parts, of soft targets, with averaged weights", async () => {
    await useEngine({ engine: "torch", device: "cuda", deterministic: true });
    tensors = tf.memory().numTensors;
    const results = [false, true].map((compile) => {
      const parts: { average?: WeightAverage; steps?: TrainingSteps } = {};
      const result = run(20, ({ model, optimizer }) => {
        const average = new WeightAverage(model.parameters(), 0.9);
        const steps = new TrainingSteps({ model, optimizer, average, ...common, accumulate: 2 }, compile);
        Object.assign(parts, { average, steps });
        return ({ labels, ...batch }) =>
          tf.tidy(() => {
            const targets = tf.cast(tf.oneHot(labels as tf.Tensor1D, 4), "float32");
            return steps.take({ ...batch, labels: targets as tf.Tensor2D });
          });
      });
      const averages = Object.values(parts.average?.weights() ?? {}).map((tensor) => tensor.dataSync());
      const status = parts.steps?.status();
      parts.steps?.dispose();
      parts.average?.dispose();
      return { result, averages, status };
    });
    expect(results[1].result).toEqual(results[0].result);
    expect(results[1].averages).toEqual(results[0].averages);
    expect(results[1].status).toMatchObject({ captured: 2, reason: null });
  });
});
