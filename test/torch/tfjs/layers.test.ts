import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { useEngine } from "../../../src/engine.js";
import { Random } from "../../../src/random.js";
import { loadAddon } from "../../../src/torch/backend.js";

const addon = loadAddon();

let folder: string;
let before = { numTensors: 0, handles: 0 };
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "katlab-layers-"));
  await useEngine({ engine: "torch", device: "cpu" });
  before = { numTensors: tf.memory().numTensors, handles: addon.live() };
});
afterEach(async () => {
  await rm(folder, { recursive: true });
  await useEngine({ engine: "torch", device: "cpu" });
  expect({ numTensors: tf.memory().numTensors, handles: addon.live() }).toEqual(before);
});

/** Values that depend on nothing but the seed: tfjs's own initialisers take theirs from Math.random. */
function draw(shape: number[], seed: number): tf.Tensor {
  const random = new Random(seed);
  const size = shape.reduce((product, length) => product * length, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, () => 0.3 * random.normal()),
    shape,
  );
}

/** Images whose class is the quarter that is bright. */
function quarters(count: number): { images: tf.Tensor4D; labels: tf.Tensor2D } {
  const random = new Random(5);
  const classes = Int32Array.from({ length: count }, (_, i) => i % 4);
  const pixels = new Float32Array(count * 64);
  pixels.forEach((_, i) => {
    const [image, y, x] = [Math.floor(i / 64), Math.floor((i % 64) / 8), i % 8];
    const inside = (y < 4 ? 0 : 2) + (x < 4 ? 0 : 1) === classes[image];
    pixels[i] = (inside ? 1 : 0) + 0.3 * random.normal();
  });
  return tf.tidy(() => ({
    images: tf.tensor4d(pixels, [count, 8, 8, 1]),
    labels: tf.oneHot(tf.tensor1d(classes, "int32"), 4) as tf.Tensor2D,
  }));
}

function convolutional(): tfl.Sequential {
  return tfl.sequential({
    layers: [
      tfl.layers.conv2d({ inputShape: [8, 8, 1], filters: 4, kernelSize: 3, padding: "same" }),
      tfl.layers.batchNormalization(),
      tfl.layers.activation({ activation: "relu" }),
      tfl.layers.maxPooling2d({ poolSize: 2 }),
      tfl.layers.separableConv2d({ filters: 6, kernelSize: 3, activation: "elu" }),
      tfl.layers.flatten(),
      tfl.layers.dense({ units: 4, activation: "softmax" }),
    ],
  });
}

function recurrent(): tfl.Sequential {
  return tfl.sequential({
    layers: [
      tfl.layers.reshape({ inputShape: [8, 8, 1], targetShape: [8, 8] }),
      tfl.layers.bidirectional({
        layer: tfl.layers.lstm({ units: 3, returnSequences: true }),
        mergeMode: "concat",
      }),
      tfl.layers.gru({ units: 5 }),
      tfl.layers.layerNormalization(),
      tfl.layers.dense({ units: 4, activation: "softmax" }),
    ],
  });
}

const make: Record<string, () => tfl.Sequential> = { convolutional, recurrent };

/** The model with weights that are the same on every engine. */
function made(name: string): tfl.Sequential {
  const model = make[name]();
  const weights = model.weights.map((weight, i) => {
    const shape = weight.shape as number[];
    return /variance|gamma/.test(weight.name) ? tf.tidy(() => tf.ones(shape)) : draw(shape, i);
  });
  model.setWeights(weights);
  tf.dispose(weights);
  return model;
}

/** Trains on the engine in use; losses and accuracies of the epochs, then predictions. */
async function trained(name: string): Promise<number[]> {
  const model = made(name);
  // Adam would enlarge the rounding of gradients that are zero, such as that of a bias before batch normalisation.
  const optimizer = tf.train.sgd(0.2);
  model.compile({ optimizer, loss: "categoricalCrossentropy", metrics: ["accuracy"] });
  const { images, labels } = quarters(32);
  const settings = { epochs: 6, batchSize: 8, shuffle: false } as const;
  const { history } = await model.fit(images, labels, settings);
  const predictions = tf.tidy(() => [...(model.predict(images) as tf.Tensor).dataSync()]);
  const evaluated = model.evaluate(images, labels, { batchSize: 32 }) as tf.Scalar[];
  const numbers = [history["loss"], history["acc"], evaluated.map((value) => value.dataSync()[0])].flat();
  tf.dispose([images, labels, evaluated]);
  model.dispose();
  optimizer.dispose();
  return [...(numbers as number[]), ...predictions];
}

describe.each(Object.keys(make))("a %s model", (name) => {
  test("learns, step by step as on tfjs's cpu backend", async () => {
    const torch = await trained(name);
    expect(torch[5]).toBeLessThan(0.8 * torch[0]);
    await useEngine({ engine: "cpu" });
    const cpu = await trained(name);
    expect(torch).toHaveLength(cpu.length);
    torch.forEach((value, i) => expect(Math.abs(value - cpu[i])).toBeLessThan(1e-4));
  });

  test("is saved to a file and loaded with its training, and learns on", async () => {
    const model = made(name);
    model.compile({ optimizer: "adam", loss: "categoricalCrossentropy" });
    const { images, labels } = quarters(16);
    await model.fit(images, labels, { epochs: 1, shuffle: false });
    const url = `file://${join(folder, "model")}`;
    tf.engine().startScope(); // tfjs leaves a copy of the optimizer's counter behind
    await model.save(url, { includeOptimizer: true });
    tf.engine().endScope();
    const loaded = await tfl.loadLayersModel(`${url}/model.json`);
    const predict = (model: tfl.LayersModel): number[] =>
      tf.tidy(() => [...(model.predict(images) as tf.Tensor).dataSync()]);
    expect(predict(loaded)).toEqual(predict(model));
    const next = async (model: tfl.LayersModel): Promise<unknown> => {
      const { history } = await model.fit(images, labels, { epochs: 2, shuffle: false });
      return history["loss"];
    };
    expect(await next(loaded)).toEqual(await next(model));
    tf.dispose([images, labels]);
    model.dispose();
    loaded.optimizer.dispose(); // not the model's, as tfjs sees it
    loaded.dispose();
  });
});

test("a model of several inputs, with dropout, an embedding and a custom layer", async () => {
  class Halved extends tfl.layers.Layer {
    static readonly className = "Halved";
    override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
      return tf.div([inputs].flat()[0], 2);
    }
  }
  const seeded = tfl.initializers.randomUniform({ minval: -0.5, maxval: 0.5, seed: 1 });
  const words = tfl.input({ shape: [3] });
  const numbers = tfl.input({ shape: [2] });
  const embedded = tfl.layers
    .embedding({ inputDim: 5, outputDim: 4, embeddingsInitializer: seeded })
    .apply(words) as tfl.SymbolicTensor;
  const flat = tfl.layers.flatten().apply(embedded) as tfl.SymbolicTensor;
  const both = tfl.layers.concatenate().apply([flat, numbers]) as tfl.SymbolicTensor;
  const dropped = tfl.layers.dropout({ rate: 0.2, seed: 1 }).apply(both) as tfl.SymbolicTensor;
  const halved = new Halved().apply(dropped) as tfl.SymbolicTensor;
  const output = tfl.layers
    .dense({ units: 1, kernelInitializer: seeded })
    .apply(halved) as tfl.SymbolicTensor;
  const model = tfl.model({ inputs: [words, numbers], outputs: output });
  model.compile({ optimizer: "rmsprop", loss: "meanSquaredError" });
  const inputs = [tf.tensor2d([[0, 1, 4], [2, 2, 3]], [2, 3], "int32"), tf.tensor2d([[1, 0], [0, 1]])]; // prettier-ignore
  const targets = tf.tensor2d([[1], [-1]]);
  const { history } = await model.fit(inputs, targets, { epochs: 60 });
  const losses = history["loss"] as number[];
  expect(losses[59]).toBeLessThan(losses[0]);
  tf.dispose([inputs, targets]);
  model.dispose();
});
