import { setImmediate } from "node:timers/promises";
import * as tf from "@tensorflow/tfjs-core";
import { autocast } from "../autocast.js";
import type { Split } from "../data/dataset.js";
import { loadedBatches, type LoadedBatch } from "../data/loadedBatches.js";
import { mustBe } from "../errors.js";
import type { Module } from "../layers/module.js";
import { softmaxCrossEntropy } from "../ops/softmaxCrossEntropy.js";
import { stopSignal } from "./stopSignal.js";

/** What a model makes of a set of images. */
export interface Evaluation {
  /** Mean cross-entropy, nats per image, without label smoothing. */
  readonly loss: number;
  /** Share of images classified rightly, 0 to 1. */
  readonly accuracy: number;
  /** Class of highest logit of each image, in the order of the split. */
  readonly predictions: Int32Array;
  /** Images by true class (row) and predicted class (column). */
  readonly confusion: readonly (readonly number[])[];
}

/** Settings of {@link evaluate}. */
export interface EvaluateOptions {
  /** Images per forward pass, at least 1; default 500. */
  readonly batchSize?: number;
  /** Stops between two batches. The stop button of a notebook does the same. */
  readonly signal?: AbortSignal;
}

/**
 * Loss, accuracy and predictions of a model on images, in evaluation mode and the engine's precision. Gives way to other work after every batch.
 *
 * @throws KatlabError `invalid` for a batch size below 1 or an empty split; the signal's reason when it is stopped
 */
export async function evaluate(
  model: Module,
  split: Split,
  { batchSize = 500, signal }: EvaluateOptions = {},
): Promise<Evaluation> {
  checkEvaluation(split, batchSize);
  const stop = stopSignal(signal);
  const predictions = new Int32Array(split.size);
  let loss = 0;
  let confusion: number[][] = [];
  const batches = Array.from({ length: Math.ceil(split.size / batchSize) }, (_, i) =>
    Int32Array.from(
      { length: Math.min(batchSize, split.size - i * batchSize) },
      (__, j) => i * batchSize + j,
    ),
  );
  let start = 0;
  for await (const loaded of loadedBatches(split, batches, { signal: stop })) {
    stop.throwIfAborted();
    const batch = evaluateBatch(model, loaded);
    loss += batch.loss * loaded.indices.length;
    predictions.set(batch.predictions, start);
    if (start === 0)
      confusion = Array.from({ length: batch.classes }, () => Array<number>(batch.classes).fill(0));
    start += loaded.indices.length;
    await setImmediate();
  }
  if (start < split.size) stop.throwIfAborted();
  predictions.forEach((prediction, i) => confusion[split.labels[i]][prediction]++);
  const right = confusion.reduce((sum, row, label) => sum + row[label], 0);
  return { loss: loss / split.size, accuracy: right / split.size, predictions, confusion };
}

function evaluateBatch(
  model: Module,
  { split, indices }: LoadedBatch,
): { loss: number; predictions: Int32Array; classes: number } {
  return autocast(() => {
    const { images, labels } = split.batch(indices);
    const logits = model.forward(images) as tf.Tensor2D;
    return {
      loss: softmaxCrossEntropy(logits, labels).dataSync()[0],
      predictions: tf.argMax(logits, 1).dataSync() as Int32Array,
      classes: logits.shape[1],
    };
  });
}

function checkEvaluation(split: Split, batchSize: number): void {
  if (!(Number.isInteger(batchSize) && batchSize >= 1)) {
    throw mustBe({
      subject: "evaluate",
      must: "batchSize must be an integer of at least 1",
      got: String(batchSize),
      remedy: "500 suits a CPU.",
    });
  }
  if (split.size === 0) {
    throw mustBe({
      subject: "evaluate",
      must: "the split must have images",
      got: "none",
      remedy: "Pass data.test or a part of it.",
    });
  }
}
