import { parentPort, workerData } from "node:worker_threads";
import * as tf from "@tensorflow/tfjs-core";
import { valueAndGrads } from "../../src/autodiff/valueAndGrads.js";
import { useEngine } from "../../src/engine.js";
import { loadAddon } from "../../src/torch/addon.js";

/** What a worker is told. */
export interface WorkerTask {
  seed: number;
  threads: number;
  /** A handle of the thread that started it. */
  foreignHandle: number;
}

/** What it answers. */
export interface WorkerAnswer {
  liveAtStart: number;
  liveAtEnd: number;
  threads: number | null;
  losses: number[];
  foreign: string;
  error: string;
  outOfMemory: string;
}

const { seed, threads, foreignHandle } = workerData as WorkerTask;
const addon = loadAddon();

function messageOf(f: () => unknown): string {
  try {
    f();
  } catch (error) {
    return (error as Error).message;
  }
  return "no error";
}

const liveAtStart = addon.live();
const foreign = messageOf(() => addon.read(foreignHandle));
const engine = await useEngine({ engine: "torch", device: "cpu", threads });
const weights = tf.tidy(() => tf.variable(tf.randomNormal([8, 8], 0, 1, "float32", seed)));
const inputs = tf.randomNormal([16, 8], 0, 1, "float32", 1);
const losses: number[] = [];
for (let step = 0; step < 30; step++) {
  const { value, grads } = valueAndGrads(
    () => tf.mean<tf.Scalar>(tf.square(tf.sub(tf.matMul(inputs, weights), inputs))),
    [weights],
  );
  losses.push(value.dataSync()[0]);
  tf.tidy(() => weights.assign(tf.sub(weights, tf.mul(grads[0], 0.5))));
  tf.dispose([value, grads]);
}
const error = messageOf(() => tf.tidy(() => tf.reshape(tf.matMul(inputs, inputs), [3])));
const outOfMemory = messageOf(() => addon.call(addon.op("aten::zeros"), [2 ** 48]));
weights.dispose();
// The inputs are left to the end of the thread.
const answer: WorkerAnswer = {
  ...{ liveAtStart, liveAtEnd: addon.live(), threads: engine.threads, losses, foreign, error, outOfMemory },
};
parentPort?.postMessage(answer);
