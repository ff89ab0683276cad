import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { useEngine } from "../../../src/engine.js";
import { loadAddon } from "../../../src/torch/backend.js";

const addon = loadAddon();

const optimizers: Record<string, () => tf.Optimizer> = {
  sgd: () => tf.train.sgd(0.1),
  momentum: () => tf.train.momentum(0.05, 0.9),
  "momentum, Nesterov's": () => tf.train.momentum(0.05, 0.9, true),
  adagrad: () => tf.train.adagrad(0.1, 0.2),
  adadelta: () => tf.train.adadelta(0.05, 0.9, 1e-4),
  adam: () => tf.train.adam(0.05, 0.8, 0.95, 1e-7),
  adamax: () => tf.train.adamax(0.05, 0.8, 0.95, 1e-7, 0.01),
  rmsprop: () => tf.train.rmsprop(0.05, 0.9, 0.5, 1e-7),
  "rmsprop, centred": () => tf.train.rmsprop(0.05, 0.9, 0.5, 1e-7, true),
};

test("all of tf.train are here", () => {
  const tested = new Set(Object.keys(optimizers).map((name) => name.split(",")[0]));
  expect([...tested].sort()).toEqual(Object.keys(tf.train).sort());
});

const steps = 12;

interface Trained {
  /** The loss of each step, then the weights. */
  readonly numbers: number[];
  /** Tensors that tfjs's optimizer does not give back. */
  readonly left: number;
}

/** A small regression. */
async function trained(engine: "torch" | "cpu", make: () => tf.Optimizer): Promise<Trained> {
  await useEngine({ engine, device: "cpu" });
  const before = tf.memory().numTensors;
  const inputs = tf.tensor2d([[0.5, -1, 2], [1, 0.25, -0.5], [-2, 1, 0], [0, -0.75, 1.5]]); // prettier-ignore
  const targets = tf.tensor2d([[1], [-1], [0.5], [2]]);
  const hidden = tf.tidy(() => tf.variable(tf.tensor2d([[0.1, -0.4], [0.3, 0.2], [-0.2, 0.6]]))); // prettier-ignore
  const weight = tf.tidy(() => tf.variable(tf.tensor2d([[0.7], [-0.3]])));
  const bias = tf.tidy(() => tf.variable(tf.scalar(0.1)));
  const optimizer = make();
  const numbers: number[] = [];
  for (let step = 0; step < steps; step++) {
    const loss = optimizer.minimize(
      () => {
        const predicted = tf.add(tf.matMul(tf.tanh(tf.matMul(inputs, hidden)), weight), bias);
        return tf.losses.meanSquaredError(targets, predicted);
      },
      true,
      [hidden, weight, bias],
    );
    numbers.push(...(loss?.dataSync() ?? []));
    loss?.dispose();
  }
  numbers.push(...[hidden, weight, bias].flatMap((variable) => [...variable.dataSync()]));
  optimizer.dispose();
  tf.dispose([inputs, targets, hidden, weight, bias]);
  return { numbers, left: tf.memory().numTensors - before };
}

test.each(Object.entries(optimizers))("%s: as on tfjs's cpu backend", async (_, make) => {
  const live = addon.live();
  const torch = await trained("torch", make);
  expect(addon.live() - live).toBe(torch.left);
  const cpu = await trained("cpu", make);
  expect(torch.left).toBe(cpu.left);
  expect(torch.numbers).toHaveLength(cpu.numbers.length);
  expect(torch.numbers[steps - 1]).toBeLessThan(torch.numbers[0]);
  torch.numbers.forEach((value, i) => {
    const bound = 1e-5 * Math.max(1, Math.abs(cpu.numbers[i]));
    expect(Math.abs(value - cpu.numbers[i])).toBeLessThanOrEqual(bound);
  });
});
