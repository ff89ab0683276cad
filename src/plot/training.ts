import { mustBe } from "../errors.js";
import { checkNotEmpty } from "./checks.js";
import { Figure } from "./figure.js";
import { rounded, type Json, type JsonObject } from "./spec.js";
import { colours } from "./theme.js";

/** One optimiser step of a run. */
export interface TrainingStep {
  /** Count of steps so far, from 1 or 0, rising. */
  step: number;
  /** Epoch the step belongs to. */
  epoch: number;
  /** Training loss of the step's batch; a diverged run may hold NaN. */
  loss: number;
  /** Learning rate the step was taken with. */
  learningRate: number;
}

/** One finished epoch of a run. */
export interface TrainingEpoch {
  /** Number of the epoch, rising. */
  epoch: number;
  /** Mean training loss over the epoch. */
  trainLoss: number;
  /** Mean loss on the test images. */
  testLoss: number;
  /** Share of test images classified rightly, 0 to 1. */
  testAccuracy: number;
  /** Time the epoch took, in seconds. */
  seconds: number;
}

/** The history of a run, finished or not. */
export interface TrainingHistory {
  /** Every optimiser step. */
  steps: readonly TrainingStep[];
  /** Every finished epoch; may be empty. */
  epochs: readonly TrainingEpoch[];
}

/** Settings of {@link plotTraining}. */
export interface TrainingPlotOptions {
  /** Line above the chart; default "Training". */
  title?: string;
  /** Steps of the whole run, so that a live chart keeps its axis; default: those there are. */
  totalSteps?: number;
  /** Epochs of the whole run; default: those there are. */
  totalEpochs?: number;
  /** Whether to draw the learning rate as well; default false. */
  learningRate?: boolean;
}

const subject = "plotTraining";
const mostPoints = 300;
const lossNames = ["batch", "smoothed", "test"];

/**
 * Draws a training run: the loss of each step and its running mean, the test loss after each epoch, the test
 * accuracy by epoch, and on request the learning rate.
 *
 * The running mean is exponential with a memory of 1 % of the steps, at least 5, and unbiased at the start.
 * Steps whose loss is not finite are left out and counted in the subtitle.
 *
 * @throws KatlabError `invalid` without a step or with steps that do not rise
 */
export function plotTraining(history: TrainingHistory, options: TrainingPlotOptions = {}): Figure {
  const { steps, epochs } = history;
  checkNotEmpty(subject, "step", steps.length);
  checkRising(steps);
  const smooth = runningMean(steps);
  const last = steps[steps.length - 1];
  const totalSteps = Math.max(options.totalSteps ?? 0, last.step);
  const totalEpochs = Math.max(options.totalEpochs ?? 0, epochs.length, 1);
  const panels: Json[] = [
    lossPanel(thinned(steps, smooth), testLosses(steps, epochs), totalSteps),
    accuracyPanel(epochs, totalEpochs),
  ];
  if (options.learningRate === true) panels.push(learningRatePanel(steps, totalSteps));
  return new Figure({
    chart: {
      title: { text: options.title ?? "Training", subtitle: subtitle(history, smooth) },
      hconcat: panels,
      resolve: { scale: { color: "independent" } },
    },
    text: summary(history, smooth, options.title ?? "Training"),
  });
}

function checkRising(steps: readonly TrainingStep[]): void {
  for (let i = 0; i < steps.length; i++) {
    const rises = Number.isFinite(steps[i].step) && (i === 0 || steps[i].step > steps[i - 1].step);
    if (rises) continue;
    throw mustBe({
      subject,
      must: "step numbers must be finite and rise",
      got: `${steps[i].step} at index ${i}`,
      remedy: "Pass the steps of one run in the order they were taken.",
    });
  }
}

/** Exponential running mean of the finite losses; NaN where none came yet. */
function runningMean(steps: readonly TrainingStep[]): number[] {
  const keep = 1 - 1 / Math.max(5, steps.length * 0.01);
  let sum = 0;
  let weight = 0;
  return steps.map(({ loss }) => {
    if (Number.isFinite(loss)) {
      sum = keep * sum + (1 - keep) * loss;
      weight = keep * weight + (1 - keep);
    }
    return sum / weight;
  });
}

/** At most `mostPoints` steps at equal distances, the last one always among them. */
function thinned(steps: readonly TrainingStep[], smooth: readonly number[]): Json[] {
  const stride = Math.ceil(steps.length / mostPoints);
  const rows: Json[] = [];
  for (let i = steps.length - 1; i >= 0; i -= stride) {
    rows.push({ step: steps[i].step, loss: rounded(steps[i].loss), smooth: rounded(smooth[i]) });
  }
  return rows.reverse();
}

function testLosses(steps: readonly TrainingStep[], epochs: readonly TrainingEpoch[]): Json[] {
  const lastStepOf = new Map(steps.map(({ step, epoch }) => [epoch, step]));
  return epochs.map(({ epoch, testLoss }) => ({
    step: lastStepOf.get(epoch) ?? null,
    test: rounded(testLoss),
  }));
}

function lossPanel(rows: Json[], tests: Json[], totalSteps: number): JsonObject {
  const x: JsonObject = {
    field: "step",
    type: "quantitative",
    title: "optimiser step",
    scale: { domain: [0, totalSteps], nice: false },
    axis: { grid: false, tickCount: 6 },
  };
  const y = (field: string): JsonObject => ({
    field,
    type: "quantitative",
    title: "loss (nats per image)",
    scale: { zero: false, nice: true },
  });
  const colour = (name: string): JsonObject => ({
    datum: name,
    type: "nominal",
    title: null,
    scale: { domain: lossNames, range: [colours.paleBlue, colours.blue, colours.vermilion] },
    legend: { orient: "top-right", fillColor: colours.paper, padding: 4, symbolType: "stroke" },
  });
  return {
    width: 400,
    height: 240,
    layer: [
      {
        data: { values: rows },
        mark: { type: "line", strokeWidth: 1 },
        encoding: { x, y: y("loss"), color: colour("batch") },
      },
      {
        data: { values: rows },
        mark: { type: "line", strokeWidth: 2.2 },
        encoding: {
          x,
          y: y("smooth"),
          color: colour("smoothed"),
          tooltip: [
            { field: "step", type: "quantitative" },
            { field: "smooth", type: "quantitative", title: "smoothed loss" },
          ],
        },
      },
      {
        data: { values: tests },
        mark: { type: "line", strokeWidth: 1.5, point: { filled: true, size: 45 } },
        encoding: {
          x,
          y: y("test"),
          color: colour("test"),
          tooltip: [{ field: "test", type: "quantitative", title: "test loss" }],
        },
      },
    ],
  };
}

function accuracyPanel(epochs: readonly TrainingEpoch[], totalEpochs: number): JsonObject {
  const values = epochs.map(({ testAccuracy }, i) => ({ epoch: i + 1, accuracy: rounded(testAccuracy) }));
  const lowest = Math.min(0.8, ...epochs.map((epoch) => epoch.testAccuracy).filter(Number.isFinite));
  const x: JsonObject = {
    field: "epoch",
    type: "quantitative",
    title: "epoch",
    scale: { domain: [0.7, totalEpochs + 0.3], nice: false },
    axis: { grid: false, format: "d", values: epochTicks(totalEpochs) },
  };
  const y: JsonObject = {
    field: "accuracy",
    type: "quantitative",
    title: "test accuracy (% of images)",
    scale: { domain: [Math.max(0, Math.floor(lowest * 10 - 0.3) / 10), 1], nice: false },
    axis: { format: ".0%", tickCount: 5 },
  };
  const line: JsonObject = { type: "line", color: colours.green, strokeWidth: 2.2 };
  return {
    width: 220,
    height: 240,
    data: { values },
    layer: [
      { mark: { ...line, point: { filled: true, size: 50, color: colours.green } }, encoding: { x, y } },
      {
        transform: [{ filter: { field: "epoch", equal: epochs.length } }],
        mark: {
          type: "text",
          dy: -12,
          align: "center",
          fontSize: 12,
          fontWeight: "bold",
          color: colours.green,
        },
        encoding: { x, y, text: { field: "accuracy", type: "quantitative", format: ".1%" } },
      },
    ],
  };
}

function epochTicks(totalEpochs: number): number[] {
  const stride = Math.ceil(totalEpochs / 10);
  return Array.from({ length: Math.floor(totalEpochs / stride) }, (_, i) => (i + 1) * stride);
}

function learningRatePanel(steps: readonly TrainingStep[], totalSteps: number): JsonObject {
  const stride = Math.ceil(steps.length / 100);
  const values = steps
    .filter((_, i) => i % stride === 0 || i === steps.length - 1)
    .map(({ step, learningRate }) => ({ step, rate: rounded(learningRate) }));
  return {
    width: 160,
    height: 240,
    data: { values },
    mark: { type: "line", color: colours.muted, strokeWidth: 2 },
    encoding: {
      x: {
        field: "step",
        type: "quantitative",
        title: "optimiser step",
        scale: { domain: [0, totalSteps], nice: false },
        axis: { grid: false, tickCount: 3 },
      },
      y: {
        field: "rate",
        type: "quantitative",
        title: "learning rate",
        scale: { zero: true },
        axis: { tickCount: 5, format: "~g" },
      },
    },
  };
}

function subtitle(history: TrainingHistory, smooth: readonly number[]): string {
  const { steps, epochs } = history;
  const parts = [`step ${steps[steps.length - 1].step}`, `loss ${shown(smooth[smooth.length - 1])}`];
  if (epochs.length > 0) {
    const seconds = epochs.reduce((sum, epoch) => sum + epoch.seconds, 0);
    parts.push(`test accuracy ${percent(epochs[epochs.length - 1].testAccuracy)}`, `${seconds.toFixed(0)} s`);
  }
  const lost = steps.filter(({ loss }) => !Number.isFinite(loss)).length;
  if (lost > 0) parts.push(`${lost} steps with a loss that is not finite`);
  return parts.join(" · ");
}

function summary(history: TrainingHistory, smooth: readonly number[], title: string): string {
  const lines = [`${title}: ${subtitle(history, smooth)}`];
  if (history.epochs.length > 0) lines.push("epoch  train loss  test loss  test accuracy  seconds");
  for (const { epoch, trainLoss, testLoss, testAccuracy, seconds } of history.epochs) {
    lines.push(
      [
        String(epoch).padStart(5),
        shown(trainLoss).padStart(10),
        shown(testLoss).padStart(9),
        percent(testAccuracy).padStart(13),
        seconds.toFixed(1).padStart(7),
      ].join("  "),
    );
  }
  return lines.join("\n");
}

function shown(loss: number): string {
  return Number.isFinite(loss) ? loss.toFixed(3) : "not finite";
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
