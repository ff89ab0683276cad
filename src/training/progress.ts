import { SingleBar } from "cli-progress";
import { LiveFigure } from "../plot/liveFigure.js";
import { plotTraining } from "../plot/plotTraining.js";
import { epochEvaluation, type TrainingHistory } from "../plot/trainingData.js";

/** Shows a run while it goes on. */
export interface Progress {
  /** New steps or a new epoch have been added to the history. */
  update(): void;
  /** The run has ended, by itself, by a stop or by an error. */
  finish(): Promise<void>;
}

/** What a run is going to be, and the history it fills. */
export interface ProgressOptions {
  readonly title: string;
  readonly history: TrainingHistory;
  readonly totalSteps: number;
  readonly totalEpochs: number;
}

/** A live chart in a notebook, a bar in a terminal, and one line per epoch anywhere else. */
export function createProgress(options: ProgressOptions): Progress {
  const live = new LiveFigure();
  if (live.visible) return liveChart(live, options);
  return process.stdout.isTTY ? terminalBar(options) : epochLines(options);
}

/** No output at all. */
export const noProgress: Progress = { update: () => undefined, finish: () => Promise.resolve() };

function liveChart(live: LiveFigure, { title, history, totalSteps, totalEpochs }: ProgressOptions): Progress {
  const draw = () => plotTraining(history, { title, totalSteps, totalEpochs });
  return {
    update: () => {
      live.update(draw);
    },
    finish: () => (history.steps.length > 0 ? live.finish(draw) : Promise.resolve()),
  };
}

function terminalBar({ title, history, totalSteps }: ProgressOptions): Progress {
  const bar = new SingleBar({
    format: `${title}  {bar} {percentage} %  step {value}/{total}  loss {loss}  {on} {accuracy}  {eta_formatted} left`,
    hideCursor: true,
    clearOnComplete: false,
  });
  const payload = () => {
    const last = history.epochs.at(-1);
    const evaluation = last && epochEvaluation(last);
    return {
      loss: shownLoss(history.steps.at(-1)?.loss),
      on: evaluation?.on ?? "accuracy",
      accuracy: shownAccuracy(evaluation?.accuracy),
    };
  };
  bar.start(totalSteps, history.steps.length, payload());
  return {
    update: () => {
      bar.update(history.steps.length, payload());
    },
    finish: () => {
      bar.update(history.steps.length, payload());
      bar.stop();
      return Promise.resolve();
    },
  };
}

function epochLines({ title, history, totalEpochs }: ProgressOptions): Progress {
  let written = history.epochs.length;
  return {
    update: () => {
      for (; written < history.epochs.length; written++) {
        const done = history.epochs[written];
        const { on, loss, accuracy } = epochEvaluation(done);
        const average =
          done.emaAccuracy === undefined ? "" : `averaged weights ${shownAccuracy(done.emaAccuracy)}  `;
        console.log(
          `${title}  epoch ${done.epoch}/${totalEpochs}  train loss ${shownLoss(done.trainLoss)}  ` +
            `${on} loss ${shownLoss(loss)}  ${on} accuracy ${shownAccuracy(accuracy)}  ${average}` +
            `${done.seconds.toFixed(1)} s`,
        );
      }
    },
    finish: () => Promise.resolve(),
  };
}

function shownLoss(loss: number | undefined): string {
  return loss === undefined ? "–" : Number.isFinite(loss) ? loss.toFixed(3) : "not finite";
}

function shownAccuracy(share: number | undefined): string {
  return share === undefined ? "–" : `${(100 * share).toFixed(1)} %`;
}
