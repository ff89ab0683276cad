import type { Figure } from "../plot/figure.js";
import type { MimeBundle } from "../plot/spec.js";
import { plotTraining } from "../plot/plotTraining.js";
import type { TrainingHistory } from "../plot/trainingData.js";
import type { Divergence } from "./divergenceGuard.js";
import type { Recipe } from "./recipe.js";

const jupyterDisplay: unique symbol = Symbol.for("Jupyter.display");
const nodeInspect: unique symbol = Symbol.for("nodejs.util.inspect.custom");

/** A run as plain data. */
export interface RunRecord {
  /** Name of the model. */
  readonly model: string;
  /** Name of the data set. */
  readonly data: string;
  /** Engine and device it ran on, in words. */
  readonly engine: string;
  /** Every setting, defaults included. */
  readonly recipe: Recipe;
  /** Every step and every finished epoch. */
  readonly history: TrainingHistory;
  /** Wall-clock time of training and evaluation, in seconds. */
  readonly seconds: number;
  /** Training images per second, evaluations not counted. */
  readonly imagesPerSecond: number;
  /** Whether it ended before its last epoch, by a stop or because it diverged. */
  readonly stopped: boolean;
  /** The loss that ended the run, where it diverged; the model then has the last good weights. */
  readonly divergence: Divergence | null;
  /**
   * How the model as it ended does on the test images; `null` for a run that was stopped. Where validation images judge
   * the epochs, this is the only time that test images are looked at.
   */
  readonly test: TestResult | null;
}

/** How a model does on the test images. */
export interface TestResult {
  /** Mean loss, nats per image. */
  readonly loss: number;
  /** Share classified rightly, 0 to 1. */
  readonly accuracy: number;
}

/** What `train` returns, also when it was stopped: everything up to there. */
export class Run implements RunRecord {
  readonly model: string;
  readonly data: string;
  readonly engine: string;
  readonly recipe: Recipe;
  readonly history: TrainingHistory;
  readonly seconds: number;
  readonly imagesPerSecond: number;
  readonly stopped: boolean;
  readonly divergence: Divergence | null;
  readonly test: TestResult | null;

  constructor(record: RunRecord) {
    this.model = record.model;
    this.data = record.data;
    this.engine = record.engine;
    this.recipe = record.recipe;
    this.history = record.history;
    this.seconds = record.seconds;
    this.imagesPerSecond = record.imagesPerSecond;
    this.stopped = record.stopped;
    this.divergence = record.divergence;
    this.test = record.test;
  }

  /**
   * Share of test images classified rightly, 0 to 1: at the end of the run; of one that was stopped, after its last finished
   * epoch, where test images judge the epochs. Otherwise undefined.
   */
  get testAccuracy(): number | undefined {
    return this.test?.accuracy ?? this.history.epochs.at(-1)?.testAccuracy;
  }

  /** Share of validation images classified rightly after the last finished epoch, 0 to 1; undefined without any. */
  get validationAccuracy(): number | undefined {
    return this.history.epochs.at(-1)?.validationAccuracy;
  }

  /** Loss and accuracy over the run. */
  figure(): Figure {
    return plotTraining(this.history, { title: `${this.model} on ${this.data}` });
  }

  /** Plain data, for JSON. */
  toJSON(): RunRecord {
    const { model, data, engine, recipe, history, seconds, imagesPerSecond, stopped, divergence, test } =
      this;
    return { model, data, engine, recipe, history, seconds, imagesPerSecond, stopped, divergence, test };
  }

  toString(): string {
    const accuracies = [...shown("validation", this.validationAccuracy), ...shown("test", this.testAccuracy)];
    const { divergence } = this;
    const ending =
      divergence !== null
        ? `diverged at step ${divergence.step} (${divergence.reason}), the last good weights kept`
        : this.stopped
          ? "stopped"
          : "finished";
    return [
      `${this.model} on ${this.data}, seed ${this.recipe.seed}: ${ending}`,
      `${this.history.epochs.length} of ${this.recipe.epochs} epochs, ${this.history.steps.length} steps`,
      ...(accuracies.length === 0 ? ["no epoch finished"] : accuracies),
      `${this.seconds.toFixed(1)} s, ${Math.round(this.imagesPerSecond).toLocaleString("en-US")} images/s`,
      this.engine,
    ].join(" · ");
  }

  /** What Jupyter shows: the run in one line. */
  [jupyterDisplay](): MimeBundle {
    return { "text/plain": this.toString() };
  }

  /** What `console.log` shows: the same. */
  [nodeInspect](): string {
    return this.toString();
  }
}

function shown(on: string, accuracy: number | undefined): string[] {
  return accuracy === undefined ? [] : [`${on} accuracy ${(100 * accuracy).toFixed(2)} %`];
}
