import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { valueAndGrads } from "../src/autodiff/valueAndGrads.js";
import { useEngine } from "../src/engine.js";
import { createModel, listModels, type ModelName } from "../src/models/registry.js";
import { softmaxCrossEntropy } from "../src/ops/softmaxCrossEntropy.js";
import { Random } from "../src/random.js";
import { AdamW } from "../src/training/adamw.js";
import { trainingStep } from "../src/training/step.js";
import { onEveryEngine } from "./presentEngines.js";
import { readValues } from "./ops/operatorSuite.js";

const models = listModels().filter((name) => name.includes("_test_"));

/** tfjs's cpu backend is slow, and slower on a busy machine. */
const minutes = 120_000;

interface Batch {
  readonly images: tf.Tensor4D;
  readonly labels: tf.Tensor1D;
}

/** One image of each class, of noise; each is brighter than the one before. */
function batch([height, width, channels]: readonly [number, number, number], classes: number): Batch {
  const random = new Random(11);
  const labels = Int32Array.from({ length: classes }, (_, i) => i);
  const pixels = Array.from(labels, (label) =>
    Array.from({ length: height * width * channels }, () => label / classes + 0.5 * random.normal()),
  );
  return {
    images: tf.tensor4d(pixels.flat(), [classes, height, width, channels]),
    labels: tf.tensor1d(labels, "int32"),
  };
}

/** Gradients by name, of a model whose weights depend on the seed alone. */
function gradients(name: ModelName): Map<string, number[]> {
  const model = createModel(name, { seed: 3 });
  const { images, labels } = batch(model.inputShape, model.classes);
  const parameters = [...model.namedParameters()];
  const { value, grads } = valueAndGrads(
    () => softmaxCrossEntropy(model.forward(images), labels),
    parameters.map(([, { variable }]) => variable),
  );
  const byName = new Map(parameters.map(([name], i) => [name, Array.from(readValues(grads[i]))]));
  tf.dispose([images, labels, value, ...grads]);
  model.dispose();
  return byName;
}

const norm = (values: readonly number[]): number => Math.hypot(...values);

/** PyTorch's autograd in float64. */
const reference = new Map<ModelName, Map<string, number[]>>();
beforeAll(async () => {
  await useEngine({ engine: "torch", device: "cpu", precision: "float64" });
  for (const name of models) reference.set(name, gradients(name));
});

onEveryEngine("test-size models", ({ options }) => {
  beforeAll(async () => {
    await useEngine(options);
  });

  describe.each(models)("%s", (name) => {
    test("has the gradients of torch in float64", { timeout: minutes }, () => {
      const before = tf.memory().numTensors;
      const [exact, own] = [reference.get(name), gradients(name)];
      if (exact === undefined) throw new Error("no reference");
      expect([...own.keys()]).toEqual([...exact.keys()]);
      const largest = Math.max(...[...exact.values()].map(norm));
      for (const [parameter, values] of exact) {
        const apart = norm(values.map((value, i) => value - (own.get(parameter) as number[])[i]));
        expect(apart, parameter).toBeLessThanOrEqual(1e-4 * norm(values) + 1e-6 * largest);
      }
      expect(tf.memory().numTensors).toBe(before);
    });

    test("learns", { timeout: minutes }, () => {
      const before = tf.memory().numTensors;
      const model = createModel(name, { seed: 3 });
      const optimizer = new AdamW(model.parameters(), {
        weightDecay: 0.05,
        coefficientWeightDecay: 0,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
      });
      const data = batch(model.inputShape, model.classes);
      const settings = { learningRate: 3e-3, labelSmoothing: 0, clipNorm: 1, random: new Random(1) };
      const losses = Array.from({ length: 4 }, () => {
        const loss = trainingStep({ model, optimizer, ...data, ...settings });
        const [value] = loss.dataSync();
        loss.dispose();
        return value;
      });
      expect(losses[3]).toBeLessThan(0.95 * losses[0]);
      tf.dispose([data.images, data.labels]);
      optimizer.dispose();
      model.dispose();
      expect(tf.memory().numTensors).toBe(before);
    });
  });
});

test("there are such models", () => {
  expect(models.length).toBeGreaterThanOrEqual(2);
});
