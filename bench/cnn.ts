/**
 * A small convolutional network by tf.layers, as a tfjs user writes it, on Fashion-MNIST: a training step on the torch
 * engine beside the wasm engine, taking turns. tfjs's plain JavaScript (cpu) is added where asked for.
 *
 *     node --import tsx bench/cnn.ts [batch] [rounds] [cpu]
 *
 * tfjs's own wasm backend trains no such network, for it has no gradient of a convolution by its filter; katlab's wasm
 * engine adds one made of its matrix products.
 */
import * as kl from "katlab";
import { tf } from "katlab";
import * as tfl from "@tensorflow/tfjs-layers";

const [batch = 64, rounds = 8] = process.argv.slice(2, 4).map(Number);
const engines: kl.EngineName[] = ["torch", "wasm", ...(process.argv[4] === "cpu" ? (["cpu"] as const) : [])];

function network(): tfl.Sequential {
  const relu = { kernelSize: 3, padding: "same", activation: "relu" } as const;
  const model = tfl.sequential({
    layers: [
      tfl.layers.conv2d({ ...relu, inputShape: [28, 28, 1], filters: 16 }),
      tfl.layers.maxPooling2d({ poolSize: 2 }),
      tfl.layers.conv2d({ ...relu, filters: 32 }),
      tfl.layers.maxPooling2d({ poolSize: 2 }),
      tfl.layers.flatten(),
      tfl.layers.dense({ units: 10, activation: "softmax" }),
    ],
  });
  model.compile({ optimizer: "adam", loss: "categoricalCrossentropy" });
  const random = new kl.Random(3);
  tf.tidy(() =>
    model.setWeights(
      model.weights.map(({ shape }) => {
        const sizes = shape as number[];
        const fanIn = sizes.slice(0, -1).reduce((a, b) => a * b, 1);
        const scale = sizes.length === 1 ? 0 : Math.sqrt(2 / fanIn);
        const size = sizes.reduce((a, b) => a * b, 1);
        return tf.tensor(
          Float32Array.from({ length: size }, () => scale * random.normal()),
          sizes,
        );
      }),
    ),
  );
  return model;
}

/** Each engine with a network of its own, and the images where it computes. */
async function contestant(engine: kl.EngineName) {
  await kl.useEngine({ engine, device: "cpu" });
  const model = network();
  const { images, labels } = data.train.batch(Int32Array.from({ length: batch }, (_, i) => i));
  const targets = tf.tidy(() => tf.cast(tf.oneHot(labels, 10), "float32"));
  const losses: number[] = [];
  const times: number[] = [];
  return {
    engine,
    losses,
    times,
    step: async (counts: boolean): Promise<void> => {
      await kl.useEngine({ engine, device: "cpu" });
      const start = performance.now();
      const loss = await model.trainOnBatch(images, targets); // reads the loss: the step is done
      if (counts) times.push(performance.now() - start);
      losses.push(loss as number);
    },
  };
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

const data = await kl.loadDataset("fashion-mnist", { limit: { train: batch, test: 10 } });
const contestants = [];
for (const engine of engines) contestants.push(await contestant(engine));
for (let round = -2; round < rounds; round++) {
  for (const { step } of contestants) {
    // Two steps in a row: the first after the others may find cold caches.
    await step(false);
    await step(round >= 0);
  }
}
const [{ times }] = contestants;
const fastest = median(times);
for (const { engine, times, losses } of contestants) {
  const ms = median(times);
  const [first, last] = [losses[0], losses[losses.length - 1]].map((loss) => loss.toFixed(4));
  console.log(
    `${engine.padEnd(6)} ${ms.toFixed(1).padStart(8)} ms/step, ${(ms / fastest).toFixed(2)} × torch, loss ${first} → ${last}`,
  );
}
