import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type EngineName, useEngine } from "../../../src/engine.js";
import { loadAddon } from "../../../src/torch/backend.js";

const engines = ["torch", "cpu", "wasm"] as const satisfies EngineName[];

beforeAll(async () => {
  // Starts each; from then on tf.setBackend is all that a user of tfjs calls.
  for (const engine of engines) await useEngine({ engine, device: "cpu" });
});

let before = { numTensors: 0, handles: 0 };
beforeEach(() => {
  before = { numTensors: tf.memory().numTensors, handles: loadAddon().live() };
});
afterEach(() => {
  expect({ numTensors: tf.memory().numTensors, handles: loadAddon().live() }).toEqual(before);
});

test("tensors and variables go along, whichever backend computes next", async () => {
  await tf.setBackend("torch");
  const x = tf.tidy(() => tf.variable(tf.tensor2d([[1, 2], [3, 4]]))); // prettier-ignore
  let expected = 1;
  for (const backend of [...engines, ...engines].reverse()) {
    await tf.setBackend(backend);
    tf.tidy(() => {
      x.assign(tf.mul(x, 2));
    });
    expected *= 2;
    expect(tf.getBackend()).toBe(backend);
    expect([...x.dataSync()]).toEqual([1, 2, 3, 4].map((value) => value * expected));
  }
  await tf.setBackend("torch");
  x.dispose();
});

test("bool, int32 and string tensors keep values and dtype", async () => {
  await tf.setBackend("torch");
  const made = tf.tidy(() => [
    tf.greater(tf.tensor1d([1, -1]), 0),
    tf.cast(tf.tensor1d([1.7, -1.7]), "int32"),
    tf.tensor1d(["a", "ü"]),
  ]);
  const read = (): unknown[] => made.map((x) => [x.dtype, x.shape, [...x.dataSync()]]);
  const values = read();
  for (const backend of ["cpu", "torch", "cpu"]) {
    await tf.setBackend(backend);
    tf.dispose(made.map((x) => tf.reshape(x, [1, 2]))); // brings the data here
    expect(read()).toEqual(values);
  }
  tf.dispose(made);
});

test("complex64 tensors come to torch; tfjs's cpu backend cannot take any over", async () => {
  await tf.setBackend("cpu");
  const x = tf.tidy(() => tf.complex(tf.tensor1d([1, 2]), tf.tensor1d([3, 4])));
  await tf.setBackend("torch");
  const y = tf.tidy(() => tf.mul(x, x));
  expect([...y.dataSync()]).toEqual([-8, 6, -12, 16]);
  tf.dispose([x, y]);
});

test("a model of tf.layers is trained by turns", async () => {
  await tf.setBackend("torch");
  const seeded = tfl.initializers.glorotNormal({ seed: 1 });
  const model = tfl.sequential({
    layers: [
      tfl.layers.dense({ inputShape: [2], units: 3, activation: "tanh", kernelInitializer: seeded }),
      tfl.layers.dense({ units: 1, kernelInitializer: seeded }),
    ],
  });
  const optimizer = tf.train.sgd(0.1);
  model.compile({ optimizer, loss: "meanSquaredError" });
  const inputs = tf.tensor2d([[0, 0], [0, 1], [1, 0], [1, 1]]); // prettier-ignore
  const targets = tf.tensor2d([[0], [1], [1], [2]]);
  const losses: number[] = [];
  for (const backend of ["torch", "wasm", "torch", "cpu", "torch"]) {
    await tf.setBackend(backend);
    const { history } = await model.fit(inputs, targets, { epochs: 25, shuffle: false });
    losses.push(...(history["loss"] as number[]).slice(-1));
  }
  for (let i = 1; i < losses.length; i++) expect(losses[i]).toBeLessThan(losses[i - 1]);
  tf.dispose([inputs, targets]);
  optimizer.dispose();
  model.dispose();
});
