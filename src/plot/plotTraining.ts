import { mustBe } from "../errors.js";
import { checkFinite, checkNotEmpty } from "./figureChecks.js";
import { Figure } from "./figure.js";
import { counted, duration, grouped, percent } from "./numbers.js";
import { epochEvaluation, evaluatedOn, type TrainingHistory, type TrainingStep } from "./trainingData.js";
import { accuracyPanel, learningRatePanel, lossPanel } from "./trainingPanels.js";

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
const mostTableRows = 20;

/**
 * Draws a training run: the loss of each step and its running mean, loss and accuracy on the validation images (test
 * images where there are none) after each epoch, and on request the learning rate.
 *
 * The running mean is exponential with a memory of 2 % of the steps, at least 5, and unbiased at the start.
 * Of long runs the lowest and the highest loss of each stretch are drawn. Steps whose loss is not finite are left
 * out and counted in the subtitle.
 *
 * @throws KatlabError `invalid` without a step, with steps or epochs that do not rise, or with an accuracy that is
 * not finite
 */
export function plotTraining(history: TrainingHistory, options: TrainingPlotOptions = {}): Figure {
  const { steps, epochs } = history;
  checkNotEmpty(subject, "step", steps.length);
  checkRising("step numbers", steps, ({ step }) => step);
  checkRising("epoch numbers", epochs, ({ epoch }) => epoch);
  checkFinite(
    subject,
    `${evaluatedOn(epochs)}Accuracy`,
    epochs.map((epoch) => epochEvaluation(epoch).accuracy),
  );
  const smooth = runningMean(steps);
  const totalSteps = Math.max(options.totalSteps ?? 0, steps[steps.length - 1].step);
  const totalEpochs = Math.max(options.totalEpochs ?? 0, epochs.at(-1)?.epoch ?? 1);
  const title = options.title ?? "Training";
  const subtitle = headline(history, smooth);
  const narrow = options.learningRate === true;
  const panels = [
    lossPanel(history, smooth, { totalSteps, width: narrow ? 310 : 400 }),
    accuracyPanel(epochs, { totalEpochs, width: narrow ? 170 : 220 }),
  ];
  if (narrow) panels.push(learningRatePanel(steps, { totalSteps, width: 110 }));
  return new Figure({
    chart: {
      title: { text: title, subtitle },
      hconcat: panels,
      resolve: { scale: { color: "independent" } },
    },
    text: [`${title}: ${subtitle}`, ...epochTable(history)].join("\n"),
  });
}

function checkRising<Entry>(
  name: string,
  entries: readonly Entry[],
  numberOf: (entry: Entry) => number,
): void {
  for (let i = 0; i < entries.length; i++) {
    const number = numberOf(entries[i]);
    if (Number.isFinite(number) && (i === 0 || number > numberOf(entries[i - 1]))) continue;
    throw mustBe({
      subject,
      must: `${name} must be finite and rise`,
      got: `${number} at index ${i}`,
      remedy: "Pass one run, in the order it was trained.",
    });
  }
}

/** Exponential running mean of the finite losses; NaN where none came yet. */
function runningMean(steps: readonly TrainingStep[]): number[] {
  const keep = 1 - 1 / Math.max(5, steps.length * 0.02);
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

function headline({ steps, epochs }: TrainingHistory, smooth: readonly number[]): string {
  const parts = [
    `step ${grouped(steps[steps.length - 1].step)}`,
    `training loss ${shown(smooth[smooth.length - 1])}`,
  ];
  const last = epochs.at(-1);
  if (last !== undefined) {
    const seconds = epochs.reduce((sum, epoch) => sum + epoch.seconds, 0);
    const { on, accuracy } = epochEvaluation(last);
    parts.push(`${on} accuracy ${percent(accuracy)}`, duration(seconds));
  }
  const lost = steps.filter(({ loss }) => !Number.isFinite(loss)).length;
  if (lost > 0) parts.push(`${counted(lost, "step")} with a loss that is not finite`);
  return parts.join(" · ");
}

function epochTable({ epochs }: TrainingHistory): string[] {
  if (epochs.length === 0) return [];
  const stride = Math.ceil(epochs.length / mostTableRows);
  const rows = epochs.filter((_, i) => (epochs.length - 1 - i) % stride === 0);
  const on = evaluatedOn(epochs);
  const [lossTitle, accuracyTitle] = [`${on} loss`, `${on} accuracy`];
  return [
    `epoch  train loss  ${lossTitle}  ${accuracyTitle}  seconds`,
    ...rows.map((row) => {
      const { loss, accuracy } = epochEvaluation(row);
      return [
        String(row.epoch).padStart(5),
        shown(row.trainLoss).padStart(10),
        shown(loss).padStart(lossTitle.length),
        percent(accuracy).padStart(accuracyTitle.length),
        row.seconds.toFixed(1).padStart(7),
      ].join("  ");
    }),
  ];
}

function shown(loss: number): string {
  return Number.isFinite(loss) ? loss.toFixed(3) : "not finite";
}
