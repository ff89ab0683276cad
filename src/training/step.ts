import * as tf from "@tensorflow/tfjs-core";
import { type ValueAndGrads, valueAndGrads } from "../autodiff/valueAndGrads.js";
import { mustDivide } from "../errors.js";
import type { Module } from "../layers/module.js";
import { type CrossEntropyTargets, softmaxCrossEntropy } from "../ops/softmaxCrossEntropy.js";
import type { RandomSource } from "../ops/uniformNumbers.js";
import type { AdamW } from "./adamw.js";
import { clipByNorm } from "./clip.js";
import type { WeightAverage } from "./weightAverage.js";

/** What one optimiser step needs. */
export interface Step {
  /** The model that learns. */
  readonly model: Module;
  /** Updates the model's parameters. */
  readonly optimizer: AdamW;
  /** `[batch, height, width, channels]`, normalised. */
  readonly images: tf.Tensor4D;
  /** `[batch]` int32, or targets `[batch, classes]` as mixup and cutmix make them. */
  readonly labels: CrossEntropyTargets;
  /** Learning rate of this step; a scalar tensor where the step is captured. */
  readonly learningRate: number | tf.Scalar;
  /** Share of every target spread evenly over all classes, in [0, 1). */
  readonly labelSmoothing: number;
  /** Gradients whose joint L2 norm is above this are scaled down to it, above 0; `null` leaves them. */
  readonly clipNorm: number | null;
  /** Parts the batch is computed in, one after the other; divides the batch; default 1. */
  readonly accumulate?: number;
  /** Takes the weights in after the update. */
  readonly average?: WeightAverage;
  /** Where drop path draws from. */
  readonly random: RandomSource;
}

/**
 * Forward, backward and update.
 *
 * In parts, gradients and loss are the means over the parts: those of the whole batch, to rounding. Drop path then drops
 * others, for every part draws its own numbers.
 *
 * @returns the loss before the update, on the device; the caller disposes it
 */
export function trainingStep(step: Step): tf.Scalar {
  const { model, optimizer, learningRate, clipNorm, average } = step;
  const variables = model.parameters().map((parameter) => parameter.variable);
  return tf.tidy(() => {
    const { value, grads } = batchGradients(step, variables);
    optimizer.step(clipNorm === null ? grads : clipByNorm(grads, clipNorm), learningRate);
    average?.update();
    return value;
  });
}

function batchGradients(step: Step, variables: readonly tf.Variable[]): ValueAndGrads {
  const { model, images, labels, labelSmoothing, random, accumulate = 1 } = step;
  const gradients = (x: tf.Tensor4D, y: CrossEntropyTargets): ValueAndGrads =>
    valueAndGrads(() => {
      const logits = model.forward(x, { training: true, random }) as tf.Tensor2D;
      return softmaxCrossEntropy(logits, y, { labelSmoothing });
    }, variables);
  if (accumulate === 1) return gradients(images, labels);
  const [batch] = images.shape;
  if (batch % accumulate !== 0) {
    throw mustDivide(
      "trainingStep",
      { name: "batch", value: batch },
      { name: "accumulate", value: accumulate },
    );
  }
  const size = batch / accumulate;
  let sums: tf.Tensor[] = [];
  for (let part = 0; part < accumulate; part++) {
    // Each part's tensors go before the next one's come: that is what parts are for.
    const before = sums;
    sums = tf.tidy(() => {
      const { value, grads } = gradients(slice(images, part * size, size), slice(labels, part * size, size));
      const own = [value, ...grads];
      return before.length === 0 ? own : own.map((tensor, i) => tf.add(before[i], tensor));
    });
    tf.dispose(before);
  }
  const [value, ...grads] = sums.map((sum) => tf.div(sum, accumulate));
  tf.dispose(sums);
  return { value: value as tf.Scalar, grads };
}

function slice<T extends tf.Tensor>(x: T, start: number, size: number): T {
  const rest = x.shape.slice(1);
  return tf.slice(x, [start, ...rest.fill(0)], [size, ...x.shape.slice(1)]);
}
