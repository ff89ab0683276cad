import type { Figure } from "../plot/figure.js";
import type { MimeBundle } from "../plot/spec.js";
import { plotTraining } from "../plot/plotTraining.js";
import type { TrainingHistory } from "../plot/trainingData.js";
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
  /** Whether it was stopped before its last epoch. */
  readonly stopped: boolean;
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

  constructor(record: RunRecord) {
    this.model = record.model;
    this.data = record.data;
    this.engine = record.engine;
    this.recipe = record.recipe;
    this.history = record.history;
    this.seconds = record.seconds;
    this.imagesPerSecond = record.imagesPerSecond;
    this.stopped = record.stopped;
  }

  /** Share of test images classified rightly after the last finished epoch, 0 to 1; undefined before the first. */
  get testAccuracy(): number | undefined {
    return this.history.epochs.at(-1)?.testAccuracy;
  }

  /** Loss and accuracy over the run. */
  figure(): Figure {
    return plotTraining(this.history, { title: `${this.model} on ${this.data}` });
  }

  /** Plain data, for JSON. */
  toJSON(): RunRecord {
    const { model, data, engine, recipe, history, seconds, imagesPerSecond, stopped } = this;
    return { model, data, engine, recipe, history, seconds, imagesPerSecond, stopped };
  }

  toString(): string {
    const accuracy = this.testAccuracy;
    return [
      `${this.model} on ${this.data}, seed ${this.recipe.seed}: ${this.stopped ? "stopped" : "finished"}`,
      `${this.history.epochs.length} of ${this.recipe.epochs} epochs, ${this.history.steps.length} steps`,
      accuracy === undefined ? "no epoch finished" : `test accuracy ${(100 * accuracy).toFixed(2)} %`,
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
