import * as tf from "@tensorflow/tfjs-core";
import { valueAndGrads } from "../autodiff/valueAndGrads.js";
import type { Module } from "../layers/module.js";
import { softmaxCrossEntropy } from "../ops/softmaxCrossEntropy.js";
import type { RandomSource } from "../ops/uniformNumbers.js";
import type { AdamW } from "./adamw.js";
import { clipByNorm } from "./clip.js";

/** What one optimiser step needs. */
export interface Step {
  /** The model that learns. */
  readonly model: Module;
  /** Updates the model's parameters. */
  readonly optimizer: AdamW;
  /** `[batch, height, width, channels]`, normalised. */
  readonly images: tf.Tensor4D;
  /** `[batch]` int32. */
  readonly labels: tf.Tensor1D;
  /** Learning rate of this step; a scalar tensor where the step is captured. */
  readonly learningRate: number | tf.Scalar;
  /** Share of every target spread evenly over all classes, in [0, 1). */
  readonly labelSmoothing: number;
  /** Gradients whose joint L2 norm is above this are scaled down to it, above 0; `null` leaves them. */
  readonly clipNorm: number | null;
  /** Where drop path draws from. */
  readonly random: RandomSource;
}

/**
 * Forward, backward and update.
 *
 * @returns the loss before the update, on the device; the caller disposes it
 */
export function trainingStep(step: Step): tf.Scalar {
  const { model, optimizer, images, labels, learningRate, labelSmoothing, clipNorm, random } = step;
  const variables = model.parameters().map((parameter) => parameter.variable);
  return tf.tidy(() => {
    const { value, grads } = valueAndGrads(() => {
      const logits = model.forward(images, { training: true, random }) as tf.Tensor2D;
      return softmaxCrossEntropy(logits, labels, { labelSmoothing });
    }, variables);
    optimizer.step(clipNorm === null ? grads : clipByNorm(grads, clipNorm), learningRate);
    return value;
  });
}
