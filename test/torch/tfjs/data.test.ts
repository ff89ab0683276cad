import * as tf from "@tensorflow/tfjs-core";
import * as tfd from "@tensorflow/tfjs-data";
import * as tfl from "@tensorflow/tfjs-layers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { useEngine } from "../../../src/engine.js";
import { loadAddon } from "../../../src/torch/backend.js";

const addon = loadAddon();

let before = { numTensors: 0, handles: 0 };
beforeEach(async () => {
  await useEngine({ engine: "torch", device: "cpu" });
  before = { numTensors: tf.memory().numTensors, handles: addon.live() };
});
afterEach(() => {
  expect({ numTensors: tf.memory().numTensors, handles: addon.live() }).toEqual(before);
});

/** Points on the line y = 3x − 1, as a program of its own would give them out. */
function* line(): Generator<{ xs: number[]; ys: number[] }> {
  for (let i = 0; i < 40; i++) {
    const x = ((i * 7) % 40) / 20 - 1;
    yield { xs: [x], ys: [3 * x - 1] };
  }
}

type LayersDataset = Parameters<tfl.LayersModel["evaluateDataset"]>[0];

/** tfjs-layers declares the class of tfjs-data once more. */
const forLayers = (data: unknown): LayersDataset => data as LayersDataset;

test("fitDataset learns from a generator, in shuffled batches", async () => {
  const data = forLayers(tfd.generator(line).shuffle(40, "seed").batch(8).prefetch(1));
  const model = tfl.sequential({ layers: [tfl.layers.dense({ inputShape: [1], units: 1 })] });
  const optimizer = tf.train.sgd(0.3);
  model.compile({ optimizer, loss: "meanSquaredError" });
  await model.fitDataset(data, { epochs: 12 });
  const [weight, bias] = model.getWeights().map((tensor) => tensor.dataSync()[0]);
  expect(Math.abs(weight - 3)).toBeLessThan(1e-3);
  expect(Math.abs(bias + 1)).toBeLessThan(1e-3);
  const loss = (await model.evaluateDataset(data, {})) as tf.Scalar;
  expect(loss.dataSync()[0]).toBeLessThan(1e-5);
  loss.dispose();
  model.dispose();
  optimizer.dispose();
});

test("a dataset of tensors is mapped, filtered and batched on torch", async () => {
  const data = tfd
    .array([1, 2, 3, 4, 5])
    .filter((value) => value !== 3)
    .map((value) => tf.tidy(() => tf.square(tf.tensor1d([value, -value]))))
    .batch(3);
  const batches: number[][] = [];
  await data.forEachAsync((batch) => {
    batches.push([...(batch as tf.Tensor).dataSync()]);
    tf.dispose(batch);
  });
  expect(batches).toEqual([
    [1, 1, 4, 4, 16, 16],
    [25, 25],
  ]);
});
