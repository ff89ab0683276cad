import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { useEngine } from "../../src/engine.js";
import type { KatlabError } from "../../src/errors.js";
import { createModel } from "../../src/models/registry.js";
import { Random } from "../../src/random.js";
import { loadAddon } from "../../src/torch/backend.js";
import { AdamW } from "../../src/training/adamw.js";
import { trainingStep } from "../../src/training/step.js";

test("a training step that finds no memory changes nothing, and training goes on with less", async () => {
  const engine = await useEngine({ engine: "torch", device: "cpu" });
  const addon = loadAddon();
  const before = { tensors: engine.memory().tensors, handles: addon.live() };
  const model = createModel("kat_test_patch7_28", { seed: 1, classes: 4 });
  const settings = { weightDecay: 0.05, coefficientWeightDecay: 0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
  const optimizer = new AdamW([...model.parameters()], settings);
  const images = tf.randomUniform<tf.Rank.R4>([8, ...model.inputShape], -1, 1, "float32", 1);
  const labels = tf.tensor1d([0, 1, 2, 3, 0, 1, 2, 3], "int32");
  const step = (): number =>
    tf.tidy(() => {
      const loss = trainingStep({
        ...{ model, optimizer, images, labels, random: new Random(1) },
        ...{ learningRate: 1e-3, labelSmoothing: 0, clipNorm: 1 },
      });
      return loss.dataSync()[0];
    });
  /** Lets the model compare as many pairs at the end of its forward pass. */
  const forward = model.forward.bind(model);
  const comparePairs = (count: number): void => {
    model.forward = (...input) => {
      const logits = forward(...input);
      const pairs = tf.add(tf.zeros([count, 1]), tf.zeros([1, count]));
      return tf.add(logits, tf.mean(pairs));
    };
  };

  comparePairs(4);
  const first = step();
  const state = (): unknown => ({
    weights: model.parameters().map(({ variable }) => [...variable.dataSync().slice(0, 4)]),
    memory: { tensors: engine.memory().tensors, handles: addon.live() },
  });
  const afterFirst = state();
  const allocated = Number(engine.memory().allocated);

  let error: KatlabError | undefined;
  try {
    comparePairs(2 ** 24);
    step();
  } catch (fault) {
    error = fault as KatlabError;
  }
  expect(error).toMatchObject({ name: "KatlabError", code: "out-of-memory" });
  expect(error?.message).toMatch(
    /^torch: 1\.00 PiB more must be free on the CPU; got .+\. Use a smaller batch/,
  );
  expect(state()).toEqual(afterFirst);
  expect(Number(engine.memory().allocated)).toBe(allocated);

  comparePairs(4);
  let last = first;
  for (let i = 0; i < 10; i++) last = step();
  expect(last).toBeLessThan(first / 2);

  optimizer.dispose();
  model.dispose();
  tf.dispose([images, labels]);
  expect({ tensors: engine.memory().tensors, handles: addon.live() }).toEqual(before);
});
