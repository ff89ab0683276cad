import * as tf from "@tensorflow/tfjs-core";
import { compileStep, type CompiledStep, type CompiledStepStatus } from "../compileStep.js";
import { describeEngine } from "../engine.js";
import type { CrossEntropyTargets } from "../ops/softmaxCrossEntropy.js";
import { takeUniform, UniformNumbers } from "../ops/uniformNumbers.js";
import type { Random } from "../random.js";
import { type Step, trainingStep } from "./step.js";

/** What changes from step to step. */
export interface TrainingBatch extends Pick<Step, "images" | "labels"> {
  /** Learning rate of this step. */
  readonly learningRate: number;
  /** Where drop path draws from. */
  readonly random: Pick<Random, "uniform">;
}

/** What all steps of a run have in common. */
export type TrainingStepsOptions = Pick<
  Step,
  "model" | "optimizer" | "labelSmoothing" | "clipNorm" | "accumulate" | "average"
>;

/**
 * The steps of a run. On a CUDA device they are one captured step, which gives the same weights: what changes from step
 * to step (images, labels, learning rate, random numbers) is then an input.
 */
export class TrainingSteps {
  readonly #settings: TrainingStepsOptions;
  readonly #onGpu: boolean;
  readonly #compiled:
    CompiledStep<[tf.Tensor4D, CrossEntropyTargets, tf.Scalar, tf.Tensor1D], tf.Scalar> | undefined;
  /** Random numbers that one step draws, by batch size; known after a first step. */
  readonly #draws = new Map<number, number>();

  /** @param compile whether to capture where that is possible */
  constructor(settings: TrainingStepsOptions, compile: boolean) {
    const { engine, device } = describeEngine();
    this.#settings = settings;
    this.#onGpu = engine === "torch" && device !== "cpu";
    if (!this.#onGpu || !compile) return;
    this.#compiled = compileStep((images, labels, learningRate, numbers) =>
      trainingStep({ ...settings, images, labels, learningRate, random: new UniformNumbers(numbers) }),
    );
  }

  /** Takes one step; the loss before it is the caller's. */
  take({ images, labels, learningRate, random }: TrainingBatch): tf.Scalar {
    return tf.tidy(() => {
      // A scalar on the device, so that a captured step and one that is not round it alike.
      const rate = this.#onGpu ? tf.scalar(learningRate) : learningRate;
      const draws = this.#draws.get(images.shape[0]);
      if (this.#compiled === undefined || draws === undefined || typeof rate === "number") {
        const counted = countDraws(random);
        const loss = trainingStep({ ...this.#settings, images, labels, learningRate: rate, random: counted });
        this.#draws.set(images.shape[0], counted.count);
        return loss;
      }
      return this.#compiled(images, labels, rate, takeUniform(random, draws));
    });
  }

  /** How the captured step has run; undefined where none is wanted or possible. */
  status(): CompiledStepStatus | undefined {
    return this.#compiled?.status();
  }

  /** Frees what was captured. */
  dispose(): void {
    this.#compiled?.dispose();
  }
}

function countDraws(random: Pick<Random, "uniform">): { uniform(): number; count: number } {
  const counted = {
    count: 0,
    uniform: (): number => {
      counted.count++;
      return random.uniform();
    },
  };
  return counted;
}
