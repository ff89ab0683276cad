import * as tf from "@tensorflow/tfjs-core";
import { mustBe } from "../errors.js";
import type { Module } from "../layers/module.js";
import { type ImageSource, observeImages, sizeOfSource } from "./observeImages.js";

/** How a layer changes the size of its signal. */
export interface LayerVariance {
  /** Where it is, in the model's own names: `blocks.0.mlp.fc1`. */
  readonly layer: string;
  /** What it is: `Linear`. */
  readonly kind: string;
  /** E[x²] of what goes in, over images, tokens and channels. */
  readonly input: number;
  /** E[y²] of what comes out. */
  readonly output: number;
  /** Variance of what comes out: E[y²] − E[y]². */
  readonly variance: number;
}

/** Settings of {@link activationVariance}. */
export interface ActivationVarianceOptions {
  /** What the model looks at: images, or tensors `[batch, height, width, channels]` normalised as in training. */
  readonly inputs: ImageSource | tf.Tensor;
  /** Number of images looked at, evenly spread over all, ≥ 1. Default 64, or all where there are fewer. */
  readonly samples?: number;
}

/** Sums over all elements so far. */
interface Sums {
  readonly kind: string;
  elements: number;
  input: number;
  output: number;
  mean: number;
}

/**
 * The size of the signal before and after every layer: whether a network's start keeps it, layer by layer.
 *
 * Weights drawn from N(0, α/d) behind a function of gain α keep E[y²] at 1 where a LayerNorm's output went in
 * (`activationGain`); those of N(0, 0.02²) do not. The model is in evaluation mode and is not changed. Means are taken on
 * the device in float32 and added up in float64.
 *
 * @param model any module; a model takes images, a layer whatever it takes, first axis first
 * @returns one row for each layer in order of use, without the model as a whole
 * @throws KatlabError `invalid` without an image, or for a number of samples that is none; `shape` for images the model
 *   does not take
 */
export function activationVariance(model: Module, options: ActivationVarianceOptions): LayerVariance[] {
  const { inputs, samples = 64 } = options;
  const images = sizeOfSource(inputs);
  if (!Number.isInteger(samples) || samples < 1 || images === 0) {
    throw mustBe({
      subject: "activationVariance",
      must: "there must be at least one image, and samples must be a whole number ≥ 1",
      got: `${images} images and samples ${samples}`,
      remedy: "Pass images, and leave samples out for 64.",
    });
  }
  const layers = new Map<string, Sums>();
  observeImages(model, inputs, samples, ({ module, input, output }) => {
    if (module === model) return;
    const fresh = { kind: module.constructor.name, elements: 0, input: 0, output: 0, mean: 0 };
    const sums = layers.get(module.path) ?? fresh;
    layers.set(module.path, sums);
    const [inputMean, outputMean, mean] = meansOf(input, output);
    // Every pass weighs as much as it had images.
    sums.elements += output.size;
    sums.input += inputMean * output.size;
    sums.output += outputMean * output.size;
    sums.mean += mean * output.size;
  });
  return [...layers].map(([layer, { kind, elements, input, output, mean }]) => ({
    layer,
    kind,
    input: input / elements,
    output: output / elements,
    variance: output / elements - (mean / elements) ** 2,
  }));
}

/** E[x²], E[y²] and E[y], read at once. */
function meansOf(input: tf.Tensor, output: tf.Tensor): Float32Array {
  return tf.tidy(() =>
    tf.stack([tf.mean(tf.square(input)), tf.mean(tf.square(output)), tf.mean(output)]).dataSync<"float32">(),
  );
}
