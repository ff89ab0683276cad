import { setImmediate } from "node:timers/promises";
import * as tf from "@tensorflow/tfjs-core";
import type { Dataset } from "../data/dataset.js";
import { describeEngine } from "../engine.js";
import { mustBe } from "../errors.js";
import type { VisionTransformer } from "../models/visionTransformer.js";
import type { TrainingEpoch, TrainingStep } from "../plot/trainingData.js";
import { Random } from "../random.js";
import { AdamW } from "./adamw.js";
import { evaluate } from "./evaluate.js";
import { createProgress, noProgress, type Progress } from "./progress.js";
import { completeRecipe, type Recipe } from "./recipe.js";
import { Run } from "./run.js";
import { warmupCosine } from "./schedule.js";
import { stopSignal } from "./stopSignal.js";
import { TrainingSteps } from "./trainingSteps.js";

/** Settings of a run that are not part of the recipe. */
export interface TrainOptions {
  /** Stops the run after the step it is at. The stop button of a notebook does the same. */
  readonly signal?: AbortSignal;
  /** Whether to show progress: a live chart, a bar or lines; default true. */
  readonly show?: boolean;
  /** Whether steps may be captured as a CUDA graph, which gives the same weights sooner. Default true. */
  readonly compile?: boolean;
  /** Called after an epoch's evaluation. */
  readonly onEpoch?: (epoch: TrainingEpoch) => void;
}

/** Losses wait on the device for at most this long: reading each at once would make a GPU wait for the host. */
const readEveryMs = 200;

/**
 * Trains a classifier and evaluates it on the test images after every epoch.
 *
 * Steps give way to the event loop, so a notebook stays alive. A stop returns what there is, the model as trained so
 * far. On the CPU the same seed, threads and build give the same bits.
 *
 * @param model its parameters are updated in place
 * @param data its training images are drawn in a new random order every epoch
 * @param settings of the recipe, and of the run
 * @throws KatlabError `unknown` or `invalid` for a wrong setting or data that do not fit the model
 * Source: AdamW with warm-up and cosine as in Touvron et al., "DeiT", 2021, table 9, sized for small images.
 */
export async function train(
  model: VisionTransformer,
  data: Dataset,
  settings: Partial<Recipe> & TrainOptions = {},
): Promise<Run> {
  const { signal, show = true, compile = true, onEpoch, ...given } = settings;
  const recipe = await completeRecipe(given);
  checkFits(model, data);
  return new Training(model, data, recipe, stopSignal(signal), onEpoch).run(show, compile);
}

class Training {
  readonly #steps: TrainingStep[] = [];
  readonly #epochs: TrainingEpoch[] = [];
  readonly #stepsPerEpoch: number;
  readonly #batchSize: number;
  readonly #random: Random;
  #waiting: { step: Omit<TrainingStep, "loss">; loss: tf.Scalar }[] = [];
  #readAt = performance.now();
  #trainingSeconds = 0;

  constructor(
    readonly model: VisionTransformer,
    readonly data: Dataset,
    readonly recipe: Recipe,
    readonly stop: AbortSignal,
    readonly onEpoch: TrainOptions["onEpoch"],
  ) {
    this.#batchSize = Math.min(recipe.batchSize, data.train.size);
    this.#stepsPerEpoch = Math.floor(data.train.size / this.#batchSize);
    this.#random = new Random(recipe.seed).split("training");
  }

  async run(show: boolean, compile: boolean): Promise<Run> {
    const start = performance.now();
    const progress = show ? this.#progress() : noProgress;
    const { model, recipe } = this;
    const optimizer = new AdamW(model.parameters(), recipe);
    const { labelSmoothing, clipNorm } = recipe;
    const steps = new TrainingSteps({ model, optimizer, labelSmoothing, clipNorm }, compile);
    try {
      for (let epoch = 1; epoch <= recipe.epochs && !this.stop.aborted; epoch++) {
        await this.#epoch(epoch, steps, progress);
      }
    } finally {
      tf.dispose(this.#waiting.map(({ loss }) => loss));
      steps.dispose();
      optimizer.dispose();
      await progress.finish();
    }
    return new Run({
      model: this.model.name,
      data: this.data.name,
      engine: describeEngine().toString(),
      recipe: this.recipe,
      history: { steps: this.#steps, epochs: this.#epochs },
      seconds: (performance.now() - start) / 1000,
      imagesPerSecond: (this.#steps.length * this.#batchSize) / this.#trainingSeconds,
      stopped: this.#epochs.length < this.recipe.epochs,
    });
  }

  async #epoch(epoch: number, steps: TrainingSteps, progress: Progress): Promise<void> {
    const start = performance.now();
    const firstStep = this.#steps.length;
    const order = this.#random.split("order").split(epoch).permutation(this.data.train.size);
    for (let i = 0; i < this.#stepsPerEpoch && !this.stop.aborted; i++) {
      this.#step(epoch, order.subarray(i * this.#batchSize, (i + 1) * this.#batchSize), steps);
      if (performance.now() - this.#readAt > readEveryMs) await this.#readLosses(progress);
      await setImmediate();
    }
    await this.#readLosses(progress);
    this.#trainingSeconds += (performance.now() - start) / 1000;
    if (this.stop.aborted) return;
    const test = await this.#evaluate();
    if (test === undefined) return;
    const losses = this.#steps.slice(firstStep).map(({ loss }) => loss);
    const finished = {
      epoch,
      trainLoss: losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
      testLoss: test.loss,
      testAccuracy: test.accuracy,
      seconds: (performance.now() - start) / 1000,
    };
    this.#epochs.push(finished);
    progress.update();
    this.onEpoch?.(finished);
  }

  #step(epoch: number, indices: Int32Array, steps: TrainingSteps): void {
    const taken = this.#steps.length + this.#waiting.length;
    const learningRate = warmupCosine(taken, this.#stepsPerEpoch, this.recipe);
    const { images, labels } = this.data.train.batch(indices);
    try {
      const random = this.#random.split("step").split(taken);
      const loss = steps.take({ images, labels, learningRate, random });
      this.#waiting.push({ step: { step: taken + 1, epoch, learningRate }, loss });
    } finally {
      tf.dispose([images, labels]);
    }
  }

  async #readLosses(progress: Progress): Promise<void> {
    this.#readAt = performance.now();
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    const stacked = tf.stack(waiting.map(({ loss }) => loss));
    tf.dispose(waiting.map(({ loss }) => loss));
    const losses = await stacked.data();
    stacked.dispose();
    waiting.forEach(({ step }, i) => this.#steps.push({ ...step, loss: losses[i] }));
    progress.update();
  }

  /** undefined when it was stopped. */
  async #evaluate(): Promise<{ loss: number; accuracy: number } | undefined> {
    try {
      return await evaluate(this.model, this.data.test, {
        batchSize: this.recipe.evaluationBatchSize,
        signal: this.stop,
      });
    } catch (error) {
      if (this.stop.aborted) return undefined;
      throw error;
    }
  }

  #progress(): Progress {
    return createProgress({
      title: `${this.model.name} on ${this.data.name}`,
      history: { steps: this.#steps, epochs: this.#epochs },
      totalSteps: this.recipe.epochs * this.#stepsPerEpoch,
      totalEpochs: this.recipe.epochs,
    });
  }
}

function checkFits(model: VisionTransformer, data: Dataset): void {
  if (model.classes === data.classes.length) return;
  throw mustBe({
    subject: "train",
    must: `the model must have as many classes as ${data.name} (${data.classes.length})`,
    got: String(model.classes),
    remedy: `Create it with { classes: ${data.classes.length} }.`,
  });
}
