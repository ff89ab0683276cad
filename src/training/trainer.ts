import { setImmediate } from "node:timers/promises";
import * as tf from "@tensorflow/tfjs-core";
import { augmentedBatch } from "../data/augment/augmentedBatch.js";
import type { Dataset, Split } from "../data/dataset.js";
import { loadedBatches, type LoadedBatch } from "../data/loadedBatches.js";
import { describeEngine } from "../engine.js";
import { saveSafetensors } from "../io/safetensors.js";
import type { VisionTransformer } from "../models/visionTransformer.js";
import { epochEvaluation, type TrainingEpoch, type TrainingStep } from "../plot/trainingData.js";
import { Random } from "../random.js";
import { AdamW } from "./adamw.js";
import { CheckpointFolder, type CheckpointOptions } from "./checkpointFolder.js";
import { type Divergence, DivergenceGuard } from "./divergenceGuard.js";
import { evaluate } from "./evaluate.js";
import { createProgress, noProgress, type Progress } from "./progress.js";
import type { Recipe } from "./recipe.js";
import { Run, type TestResult } from "./run.js";
import { identifyRun, type RunIdentity } from "./runIdentity.js";
import { RunLog } from "./runLog.js";
import { warmupCosine } from "./schedule.js";
import { Stopwatch } from "./stopwatch.js";
import {
  loadTrainingState,
  mustKeepPrecision,
  saveTrainingState,
  type TrainedParts,
} from "./trainingState.js";
import { TrainingSteps } from "./trainingSteps.js";
import { WeightAverage } from "./weightAverage.js";

/** How a run is watched, shown and kept. */
export interface TrainerOptions {
  readonly stop: AbortSignal;
  readonly show: boolean;
  readonly compile: boolean;
  readonly onEpoch: ((epoch: TrainingEpoch) => void) | undefined;
  readonly checkpoint: CheckpointOptions | undefined;
  readonly log: string | undefined;
}

/** Losses wait on the device for at most this long: reading each at once would make a GPU wait for the host. */
const readEveryMs = 200;

/** One run, from its first step or from a checkpoint to its end. */
export class Trainer {
  readonly #model: VisionTransformer;
  readonly #data: Dataset;
  readonly #recipe: Recipe;
  readonly #options: TrainerOptions;
  readonly #checkpoints: CheckpointFolder | undefined;
  readonly #log: RunLog | undefined;
  readonly #parts: TrainedParts;
  readonly #guard: DivergenceGuard;
  readonly #train: TrainingSteps;
  readonly #stepsPerEpoch: number;
  readonly #batchSize: number;
  readonly #random: Random;
  readonly #steps: TrainingStep[] = [];
  readonly #epochs: TrainingEpoch[] = [];
  #waiting: { step: Omit<TrainingStep, "loss">; loss: tf.Scalar }[] = [];
  #progress: Progress = noProgress;
  #readAt = performance.now();
  #divergence: Divergence | undefined;
  #identified: RunIdentity | undefined;
  #savedSteps = 0;
  #savedEpochs = 0;
  #runTime = new Stopwatch();
  #trainingTime = new Stopwatch();
  #epochTime = new Stopwatch();

  constructor(model: VisionTransformer, data: Dataset, recipe: Recipe, options: TrainerOptions) {
    this.#model = model;
    this.#data = data;
    this.#recipe = recipe;
    this.#options = options;
    this.#checkpoints = options.checkpoint && new CheckpointFolder(options.checkpoint);
    this.#log = options.log === undefined ? undefined : new RunLog(options.log);
    this.#batchSize = Math.min(recipe.batchSize, data.train.size);
    this.#stepsPerEpoch = Math.floor(data.train.size / this.#batchSize);
    this.#random = new Random(recipe.seed).split("training");
    const parameters = model.parameters();
    const average = recipe.emaDecay === null ? undefined : new WeightAverage(parameters, recipe.emaDecay);
    this.#parts = { model, optimizer: new AdamW(parameters, recipe), average };
    const watched = [
      ...parameters.map(({ variable }) => variable),
      ...Object.values(average?.weights() ?? {}),
    ];
    this.#guard = new DivergenceGuard(watched, model.classes, recipe.divergenceFactor);
    const { labelSmoothing, clipNorm, accumulate } = recipe;
    const common = { labelSmoothing, clipNorm, accumulate, ...(average && { average }) };
    this.#train = new TrainingSteps({ ...this.#parts, ...common }, options.compile);
  }

  /** Trains to the end, or to a stop or a divergence. */
  async run(resume: boolean | string): Promise<Run> {
    this.#runTime.start();
    if (this.#checkpoints !== undefined) {
      mustKeepPrecision();
      await this.#checkpoints.open(resume === false);
    }
    if (resume !== false) await this.#resume(resume);
    await this.#log?.open(this.#head(), this.#history());
    if (this.#options.show) this.#progress = this.#createProgress();
    try {
      while (this.#epochs.length < this.#recipe.epochs && !this.#over()) await this.#epoch();
      if (this.#divergence === undefined) await this.#save();
    } finally {
      await this.#progress.finish();
    }
    this.#parts.average?.apply();
    const test = this.#over() ? undefined : await this.#test();
    this.#runTime.stop();
    const run = new Run({
      ...this.#head(),
      history: this.#history(),
      seconds: this.#runTime.seconds,
      imagesPerSecond: (this.#steps.length * this.#batchSize) / this.#trainingTime.seconds,
      stopped: this.#epochs.length < this.#recipe.epochs || test === undefined,
      divergence: this.#divergence ?? null,
      test: test ?? null,
    });
    await this.#log?.close(run);
    return run;
  }

  /** Frees what the run has on the device, but for the model. */
  dispose(): void {
    tf.dispose(this.#waiting.map(({ loss }) => loss));
    this.#train.dispose();
    this.#guard.dispose();
    this.#parts.average?.dispose();
    this.#parts.optimizer.dispose();
  }

  #over(): boolean {
    return this.#options.stop.aborted || this.#divergence !== undefined;
  }

  #taken(): number {
    return this.#steps.length + this.#waiting.length;
  }

  async #epoch(): Promise<void> {
    const epoch = this.#epochs.length + 1;
    const firstStep = (epoch - 1) * this.#stepsPerEpoch;
    this.#epochTime.start();
    this.#trainingTime.start();
    const order = this.#random.split("order").split(epoch).permutation(this.#data.train.size);
    const size = this.#batchSize;
    const rest = Array.from({ length: firstStep + this.#stepsPerEpoch - this.#taken() }, (_, i) => {
      const from = (this.#taken() - firstStep + i) * size;
      return order.subarray(from, from + size);
    });
    for await (const batch of loadedBatches(this.#data.train, rest, { signal: this.#options.stop })) {
      if (this.#over()) break;
      this.#step(epoch, batch);
      if (performance.now() - this.#readAt > readEveryMs) await this.#readLosses();
      if (this.#checkpoints?.dueAtStep(this.#taken()) === true) {
        await this.#readLosses();
        if (this.#divergence === undefined) await this.#save();
      }
      await setImmediate();
    }
    await this.#readLosses();
    this.#trainingTime.stop();
    if (!this.#over()) await this.#finishEpoch(epoch, firstStep);
    this.#epochTime.stop();
  }

  async #finishEpoch(epoch: number, firstStep: number): Promise<void> {
    const evaluation = await this.#evaluateEpoch();
    if (evaluation === undefined) return;
    const losses = this.#steps.slice(firstStep).map(({ loss }) => loss);
    const finished = {
      epoch,
      trainLoss: losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
      ...evaluation,
      seconds: this.#epochTime.seconds,
    };
    this.#epochs.push(finished);
    this.#epochTime = new Stopwatch();
    this.#progress.update();
    await this.#log?.epoch(finished);
    if (isBest(this.#epochs)) await this.#saveBest(finished);
    if (this.#checkpoints?.dueAtEpoch(epoch) === true) await this.#save();
    this.#options.onEpoch?.(finished);
  }

  #step(epoch: number, { split, indices }: LoadedBatch): void {
    const taken = this.#taken();
    const learningRate = warmupCosine(taken, this.#stepsPerEpoch, this.#recipe);
    const { classes, mean, std } = this.#data;
    const { images, labels } = augmentedBatch(split, indices, this.#recipe.augmentation, {
      ...{ classes: classes.length, mean, std },
      random: this.#random.split("augmentation").split(taken),
    });
    try {
      const random = this.#random.split("step").split(taken);
      const loss = this.#train.take({ images, labels, learningRate, random });
      this.#waiting.push({ step: { step: taken + 1, epoch, learningRate }, loss });
      this.#guard.stepTaken(taken + 1);
    } finally {
      tf.dispose([images, labels]);
    }
  }

  async #readLosses(): Promise<void> {
    this.#readAt = performance.now();
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    const stacked = tf.stack(waiting.map(({ loss }) => loss));
    tf.dispose(waiting.map(({ loss }) => loss));
    const losses = await stacked.data();
    stacked.dispose();
    const read = waiting.map(({ step }, i) => ({ ...step, loss: losses[i] }));
    this.#steps.push(...read);
    this.#divergence ??= this.#guard.judge(read);
    await this.#log?.steps(read);
    this.#progress.update();
  }

  /** By the names an epoch keeps them under; undefined when it was stopped. */
  async #evaluateEpoch(): Promise<Partial<TrainingEpoch> | undefined> {
    const { validation, test } = this.#data;
    const split = validation ?? test;
    const own = await this.#evaluate(split);
    const { average } = this.#parts;
    const averaged = own && (await average?.during(() => this.#evaluate(split)));
    if (own === undefined || (average !== undefined && averaged === undefined)) return undefined;
    return {
      ...(validation === undefined
        ? { testLoss: own.loss, testAccuracy: own.accuracy }
        : { validationLoss: own.loss, validationAccuracy: own.accuracy }),
      ...(averaged && { emaLoss: averaged.loss, emaAccuracy: averaged.accuracy }),
    };
  }

  /** How the model as it ends does on the test images, which the last epoch may have told already. */
  async #test(): Promise<TestResult | undefined> {
    if (this.#data.validation !== undefined) return this.#evaluate(this.#data.test);
    const {
      testLoss = NaN,
      testAccuracy = NaN,
      emaLoss,
      emaAccuracy,
    } = this.#epochs[this.#epochs.length - 1];
    return { loss: emaLoss ?? testLoss, accuracy: emaAccuracy ?? testAccuracy };
  }

  /** undefined when it was stopped. */
  async #evaluate(split: Split): Promise<TestResult | undefined> {
    try {
      const { loss, accuracy } = await evaluate(this.#model, split, {
        batchSize: this.#recipe.evaluationBatchSize,
        signal: this.#options.stop,
      });
      return { loss, accuracy };
    } catch (error) {
      if (this.#options.stop.aborted) return undefined;
      throw error;
    }
  }

  async #resume(resume: true | string): Promise<void> {
    const path = resume === true ? await this.#checkpoints?.newest() : resume;
    if (path === undefined) return;
    const { losses, epochs, seconds } = await loadTrainingState(path, this.#parts, await this.#identity());
    losses.forEach((loss, i) => {
      const learningRate = warmupCosine(i, this.#stepsPerEpoch, this.#recipe);
      this.#steps.push({ step: i + 1, epoch: Math.floor(i / this.#stepsPerEpoch) + 1, loss, learningRate });
    });
    this.#epochs.push(...epochs);
    this.#guard.resume(losses);
    [this.#savedSteps, this.#savedEpochs] = [losses.length, epochs.length];
    this.#runTime = new Stopwatch(seconds.run);
    this.#runTime.start();
    this.#trainingTime = new Stopwatch(seconds.training);
    this.#epochTime = new Stopwatch(seconds.epoch);
  }

  /** Writes a checkpoint of what is new; all losses must have been read. */
  async #save(): Promise<void> {
    const [steps, epochs] = [this.#steps.length, this.#epochs.length];
    if (this.#checkpoints === undefined || (steps === this.#savedSteps && epochs === this.#savedEpochs))
      return;
    const training = this.#trainingTime;
    training.stop();
    const seconds = {
      run: this.#runTime.seconds,
      training: training.seconds,
      epoch: this.#epochTime.seconds,
    };
    await saveTrainingState(
      this.#checkpoints.pathOf(steps),
      this.#parts,
      { losses: this.#steps.map(({ loss }) => loss), epochs: this.#epochs, seconds },
      await this.#identity(),
    );
    [this.#savedSteps, this.#savedEpochs] = [steps, epochs];
    await this.#checkpoints.prune();
    training.start();
  }

  /** Weights only: those that were judged, averaged ones where weights are averaged. */
  async #saveBest({ epoch, ...rest }: TrainingEpoch): Promise<void> {
    if (this.#checkpoints === undefined) return;
    const weights = this.#parts.average?.weights() ?? this.#model.weights();
    const { on } = epochEvaluation({ epoch, ...rest });
    const accuracy = String(judged({ epoch, ...rest }));
    await saveSafetensors(this.#checkpoints.best, weights, {
      model: this.#model.name,
      epoch: String(epoch),
      [`${on}Accuracy`]: accuracy,
    });
  }

  /** Told once: it looks at all labels. */
  async #identity(): Promise<RunIdentity> {
    return (this.#identified ??= await identifyRun(this.#model, this.#recipe, this.#data));
  }

  #head(): Pick<Run, "model" | "data" | "engine" | "recipe"> {
    const engine = describeEngine().toString();
    return { model: this.#model.name, data: this.#data.name, engine, recipe: this.#recipe };
  }

  #history(): { steps: TrainingStep[]; epochs: TrainingEpoch[] } {
    return { steps: this.#steps, epochs: this.#epochs };
  }

  #createProgress(): Progress {
    return createProgress({
      title: `${this.#model.name} on ${this.#data.name}`,
      history: this.#history(),
      totalSteps: this.#recipe.epochs * this.#stepsPerEpoch,
      totalEpochs: this.#recipe.epochs,
    });
  }
}

/** Accuracy of the weights that the run would end with. */
function judged(epoch: TrainingEpoch): number {
  return epoch.emaAccuracy ?? epochEvaluation(epoch).accuracy;
}

/** Whether the last epoch is better than all before. */
function isBest(epochs: readonly TrainingEpoch[]): boolean {
  const accuracies = epochs.map(judged);
  const last = accuracies[accuracies.length - 1];
  return accuracies.slice(0, -1).every((accuracy) => accuracy < last);
}
