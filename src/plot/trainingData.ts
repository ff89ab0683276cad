/** One optimiser step of a run. */
export interface TrainingStep {
  /** Number of the step, rising. */
  step: number;
  /** Epoch the step belongs to, from 1. */
  epoch: number;
  /** Training loss of the step's batch; a diverged run may hold NaN. */
  loss: number;
  /** Learning rate the step was taken with. */
  learningRate: number;
}

/** One finished epoch of a run. */
export interface TrainingEpoch {
  /** Number of the epoch, from 1, rising. */
  epoch: number;
  /** Mean training loss over the epoch. */
  trainLoss: number;
  /** Mean loss on the test images; of a run without validation images. */
  testLoss?: number;
  /** Share of test images classified rightly, 0 to 1; of a run without validation images. */
  testAccuracy?: number;
  /** Mean loss on the validation images, where there are some. */
  validationLoss?: number;
  /** Share of validation images classified rightly, 0 to 1, where there are some. */
  validationAccuracy?: number;
  /** Loss of the averaged weights on the same images, where weights are averaged. */
  emaLoss?: number;
  /** Accuracy of the averaged weights on the same images, 0 to 1, where weights are averaged. */
  emaAccuracy?: number;
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

/** What an epoch was evaluated on, and how it did there. */
export interface EpochEvaluation {
  /** The images. */
  on: "test" | "validation";
  /** Mean loss, nats per image; NaN where the epoch tells none. */
  loss: number;
  /** Share classified rightly, 0 to 1; NaN where the epoch tells none. */
  accuracy: number;
}

/** The evaluation of an epoch: on validation images where there are some, else on test images. */
export function epochEvaluation(epoch: TrainingEpoch): EpochEvaluation {
  const { validationLoss, validationAccuracy, testLoss = NaN, testAccuracy = NaN } = epoch;
  return validationAccuracy === undefined
    ? { on: "test", loss: testLoss, accuracy: testAccuracy }
    : { on: "validation", loss: validationLoss ?? NaN, accuracy: validationAccuracy };
}

/** What the epochs of a run were evaluated on; of a run without any, test images. */
export function evaluatedOn(epochs: readonly TrainingEpoch[]): EpochEvaluation["on"] {
  const last = epochs.at(-1);
  return last === undefined ? "test" : epochEvaluation(last).on;
}
