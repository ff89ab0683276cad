import * as tf from "@tensorflow/tfjs-core";
import { describeEngine } from "../engine.js";
import { type KatlabError, mustBe } from "../errors.js";
import { loadSafetensors, saveSafetensors } from "../io/safetensors.js";
import type { Module } from "../layers/module.js";
import type { TrainingEpoch } from "../plot/trainingData.js";
import type { AdamW } from "./adamw.js";
import { mustBeSameRun, type RunIdentity } from "./runIdentity.js";
import type { WeightAverage } from "./weightAverage.js";

/** What of a run lives on the device. */
export interface TrainedParts {
  readonly model: Module;
  readonly optimizer: AdamW;
  /** Where weights are averaged. */
  readonly average: WeightAverage | undefined;
}

/**
 * How far a run is. The order of images and every random number follow from the recipe's seed and the number of steps, so
 * this is the position in the data and the state of the random streams, too.
 */
export interface TrainingPosition {
  /** Loss of every step taken, float32. */
  readonly losses: readonly number[];
  /** Every finished epoch. */
  readonly epochs: readonly TrainingEpoch[];
  /** Wall-clock seconds of the run, of its training alone, and of the epoch that is not finished. */
  readonly seconds: { readonly run: number; readonly training: number; readonly epoch: number };
}

const format = "katlab training 1";

/** @throws KatlabError `invalid` under the precision float64, whose weights the file would round */
export function mustKeepPrecision(): void {
  if (describeEngine().precision === "float64") {
    throw mustBe({
      subject: "checkpoint",
      must: "the precision must be one whose weights float32 holds",
      got: "float64",
      remedy: 'Train without checkpoints, or by useEngine({ precision: "float32" }).',
    });
  }
}

/**
 * Writes all that a run needs to go on, in one safetensors file, which appears only when it is complete: weights
 * (`model.…`), running means of AdamW (`optimizer.…`), averaged weights (`average.…`), losses, and in its metadata the
 * identity of the run and its epochs.
 */
export async function saveTrainingState(
  path: string,
  { model, optimizer, average }: TrainedParts,
  { losses, epochs, seconds }: TrainingPosition,
  identity: RunIdentity,
): Promise<void> {
  const history = tf.tensor1d([...losses], "float32");
  try {
    await saveSafetensors(
      path,
      {
        ...prefixed("model", model.weights()),
        ...prefixed("optimizer", optimizer.state()),
        ...prefixed("average", average?.weights() ?? {}),
        losses: history,
      },
      { format, identity: JSON.stringify(identity), position: JSON.stringify({ epochs, seconds }) },
    );
  } finally {
    history.dispose();
  }
}

/**
 * Puts a run where another one of the same identity was.
 *
 * @returns how far it was
 * @throws KatlabError `unavailable` or `invalid` for a file that is not there or no training state; `invalid` with what
 *   differs for one of another run. The model is as it was then.
 */
export async function loadTrainingState(
  path: string,
  { model, optimizer, average }: TrainedParts,
  identity: RunIdentity,
): Promise<TrainingPosition> {
  const { tensors, metadata } = await loadSafetensors(path);
  const written = (metadata as Partial<Record<string, string>>).format;
  try {
    if (written !== format) {
      throw mustBe({
        subject: path,
        must: `must be a training state ("${format}")`,
        got: written === undefined ? "a file of weights only" : JSON.stringify(written),
        remedy: "Load weights by loadWeights, and train from there.",
      });
    }
    mustBeSameRun(path, parsed(path, metadata, "identity") as RunIdentity, identity);
    const position = parsed(path, metadata, "position") as Omit<TrainingPosition, "losses">;
    const history = (tensors as Partial<typeof tensors>).losses;
    if (history === undefined) throw damaged(path, "losses");
    const losses = [...(await history.data<"float32">())];
    optimizer.restore(unprefixed("optimizer", tensors), losses.length);
    average?.restore(unprefixed("average", tensors));
    model.loadWeights(unprefixed("model", tensors)); // last: the model is the caller's
    return { losses, ...position };
  } finally {
    tf.dispose(tensors);
  }
}

function parsed(path: string, metadata: Readonly<Record<string, string>>, part: string): unknown {
  try {
    return JSON.parse(metadata[part]);
  } catch {
    throw damaged(path, part);
  }
}

function damaged(path: string, part: string): KatlabError {
  return mustBe({
    subject: path,
    must: `must be a whole training state with its ${part}`,
    got: "one without, or with something else there",
    remedy: "Resume from another checkpoint of the folder.",
  });
}

function prefixed(prefix: string, tensors: Readonly<Record<string, tf.Tensor>>): Record<string, tf.Tensor> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [`${prefix}.${name}`, tensor]));
}

function unprefixed(prefix: string, tensors: Readonly<Record<string, tf.Tensor>>): Record<string, tf.Tensor> {
  const own = Object.entries(tensors).filter(([name]) => name.startsWith(`${prefix}.`));
  return Object.fromEntries(own.map(([name, tensor]) => [name.slice(prefix.length + 1), tensor]));
}
