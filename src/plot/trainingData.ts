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
