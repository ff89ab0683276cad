import { percent, roundedAll } from "./numbers.js";
import type { JsonObject } from "./spec.js";
import { table } from "./table.js";
import { colours } from "./theme.js";
import { envelope, everyNth } from "./thinning.js";
import {
  epochEvaluation,
  evaluatedOn,
  type TrainingEpoch,
  type TrainingHistory,
  type TrainingStep,
} from "./trainingData.js";

const height = 240;
const mostLosses = 300;
const mostMeans = 200;
const mostRates = 100;
/** Past this many epochs the dots would touch. */
const mostDots = 25;

/** Loss by optimiser step: every batch, their running mean, and the evaluation after each epoch. */
export function lossPanel(
  { steps, epochs }: TrainingHistory,
  smooth: readonly number[],
  { totalSteps, width }: { totalSteps: number; width: number },
): JsonObject {
  const kept = envelope(
    steps.map(({ loss }) => loss),
    mostLosses,
  );
  const batches = table({
    step: kept.map((i) => steps[i].step),
    loss: roundedAll(kept.map((i) => steps[i].loss)),
  });
  const evenly = everyNth(steps.length, mostMeans);
  const means = table({
    step: evenly.map((i) => steps[i].step),
    mean: roundedAll(evenly.map((i) => smooth[i])),
  });
  const lastStepOf = new Map(steps.map(({ step, epoch }) => [epoch, step]));
  const evaluations = epochs.map(epochEvaluation);
  const on = evaluatedOn(epochs);
  const tested = table({
    step: epochs.map(({ epoch }) => lastStepOf.get(epoch) ?? null),
    test: roundedAll(evaluations.map(({ loss }) => loss)),
  });
  const x = stepAxis(totalSteps, 6);
  // A line through one point is invisible.
  const alone = steps.length === 1;
  return {
    width,
    height,
    layer: [
      {
        ...batches,
        mark: { type: "line", strokeWidth: 1, point: alone && dot(30) },
        encoding: { x, y: lossAxis("loss"), color: lossColour("each batch", on) },
      },
      {
        ...means,
        mark: { type: "line", strokeWidth: 2.2 },
        encoding: {
          x,
          y: lossAxis("mean"),
          color: lossColour("running mean", on),
          tooltip: [
            { field: "step", type: "quantitative", title: "optimiser step" },
            { field: "mean", type: "quantitative", title: "running mean of the loss" },
          ],
        },
      },
      {
        ...tested,
        mark: { type: "line", strokeWidth: 1.5, point: epochs.length <= mostDots && dot(45) },
        encoding: {
          x,
          y: lossAxis("test"),
          color: lossColour(`${on} images`, on),
          tooltip: [{ field: "test", type: "quantitative", title: `${on} loss` }],
        },
      },
    ],
  };
}

/** Accuracy by epoch, the last one written out. */
export function accuracyPanel(
  epochs: readonly TrainingEpoch[],
  { totalEpochs, width }: { totalEpochs: number; width: number },
): JsonObject {
  const accuracies = epochs.map((epoch) => epochEvaluation(epoch).accuracy);
  const on = evaluatedOn(epochs);
  const lowest = Math.min(0.8, ...accuracies);
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
    title: `${on} accuracy (%)`,
    scale: { domain: [10 * Math.max(0, Math.floor(lowest * 10 - 0.3)), 100], nice: false },
    axis: { tickCount: 5, format: "d", minExtent: 26 },
  };
  return {
    width,
    height,
    layer: [
      {
        ...table({
          epoch: epochs.map(({ epoch }) => epoch),
          accuracy: roundedAll(accuracies.map((accuracy) => 100 * accuracy)),
        }),
        mark: {
          type: "line",
          color: colours.green,
          strokeWidth: 2.2,
          point: epochs.length <= mostDots && { ...dot(50), color: colours.green },
        },
        encoding: { x, y },
      },
      ...epochs.slice(-1).map((last) => accuracyLabel(last, totalEpochs, { x, y })),
    ],
  };
}

function accuracyLabel(last: TrainingEpoch, totalEpochs: number, encoding: JsonObject): JsonObject {
  const { epoch } = last;
  const { accuracy } = epochEvaluation(last);
  const [align, dx] = epoch === totalEpochs ? ["right", 6] : epoch === 1 ? ["left", -8] : ["center", 0];
  const text = { text: percent(accuracy), fontSize: 12, fontWeight: "bold", color: colours.green };
  return {
    data: { values: [{ epoch, accuracy: 100 * accuracy }] },
    mark: { type: "text", align, dx, dy: -12, ...text },
    encoding,
  };
}

/** Learning rate by optimiser step. */
export function learningRatePanel(
  steps: readonly TrainingStep[],
  { totalSteps, width }: { totalSteps: number; width: number },
): JsonObject {
  const kept = everyNth(steps.length, mostRates).map((i) => steps[i]);
  return {
    width,
    height,
    ...table({
      step: kept.map(({ step }) => step),
      rate: roundedAll(kept.map(({ learningRate }) => learningRate)),
    }),
    mark: { type: "line", color: colours.muted, strokeWidth: 2 },
    encoding: {
      x: stepAxis(totalSteps, 2),
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

function dot(size: number): JsonObject {
  return { filled: true, size };
}

function stepAxis(totalSteps: number, tickCount: number): JsonObject {
  return {
    field: "step",
    type: "quantitative",
    title: "optimiser step",
    scale: { domain: [0, totalSteps], nice: false },
    axis: { grid: false, tickCount },
  };
}

function lossAxis(field: string): JsonObject {
  return {
    field,
    type: "quantitative",
    title: "loss (nats per image)",
    scale: { zero: true, nice: true },
    axis: { tickCount: 6, minExtent: 26 },
  };
}

function lossColour(name: string, on: string): JsonObject {
  return {
    datum: name,
    type: "nominal",
    title: null,
    scale: {
      domain: ["each batch", "running mean", `${on} images`],
      range: [colours.paleBlue, colours.blue, colours.vermilion],
    },
    legend: { orient: "top", direction: "horizontal", symbolType: "stroke", offset: 4, columnPadding: 4 },
  };
}

function epochTicks(totalEpochs: number): number[] {
  const stride = [1, 2, 5, 10, 20, 50, 100, 200, 500].find((step) => totalEpochs / step <= 8) ?? 1000;
  const ticks = Array.from({ length: Math.floor(totalEpochs / stride) }, (_, i) => (i + 1) * stride);
  return stride === 1 || ticks.length === 0 ? ticks : [1, ...ticks];
}
