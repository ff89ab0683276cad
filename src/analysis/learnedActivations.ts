import * as tf from "@tensorflow/tfjs-core";
import { rational } from "../bases/rational.js";
import { rationalPreset } from "../bases/rationalPreset.js";
import { mustBe } from "../errors.js";
import { GroupRational } from "../layers/groupRational.js";
import type { VisionTransformer } from "../models/visionTransformer.js";

/** How often values fall into each of several adjoining intervals. */
export interface Histogram {
  /** Borders of the bins, rising; one more than there are bins. */
  readonly edges: readonly number[];
  /** Number of values in each bin. */
  readonly counts: readonly number[];
}

/** The learned function of one group of channels. */
export interface GroupActivation {
  /** Number of the group, from 0. */
  readonly group: number;
  /** Points at which the function was taken, rising. */
  readonly x: readonly number[];
  /** F(x) as it is now. */
  readonly y: readonly number[];
  /** F(x) as it was before training. */
  readonly startY: readonly number[];
  /** The inputs the group meets, over the same range as `x`. */
  readonly histogram: Histogram;
}

/** One learned activation of a model: a function for each group of channels. */
export interface LayerActivation {
  /** Where it is, in the model's own names: `blocks.0.mlp.act1`. */
  readonly layer: string;
  /** The function all groups started as, by name: `identity`. */
  readonly start: string;
  /** One function for each group. */
  readonly groups: readonly GroupActivation[];
}

/** Every learned activation of a model. */
export interface LearnedActivations {
  /** Name of the model. */
  readonly model: string;
  /** In the order of the layers. */
  readonly activations: readonly LayerActivation[];
}

/** Anything that gives normalised images by index, such as `data.test`. */
export interface ImageSource {
  /** Number of images. */
  readonly size: number;
  /** Images `[batch, height, width, channels]` and labels `[batch]` at `indices`; the caller disposes both. */
  batch(indices: ArrayLike<number>): { images: tf.Tensor4D; labels: tf.Tensor };
}

/** Settings of {@link learnedActivations}. */
export interface LearnedActivationsOptions {
  /** The images whose activations are observed: a split, or a batch `[batch, height, width, channels]`. */
  readonly inputs: ImageSource | tf.Tensor4D;
  /** Images taken from a split, from its start, at least 1; default 256. */
  readonly samples?: number;
  /** Points of each curve, at least 2; default 201. */
  readonly points?: number;
  /** Bins of each histogram, at least 1; default 40. */
  readonly bins?: number;
}

/** Share of the inputs beyond each end of the range: a few outliers would squeeze the rest into one bin. */
const tail = 0.001;

/**
 * Every learned function F of a model, its start, and the inputs it meets.
 *
 * Each group's range holds the middle 99.8 % of its inputs in one forward pass in evaluation mode. F is evaluated in
 * float64 from the float32 coefficients.
 *
 * @param model a KAT, or any vision transformer with group-rational layers
 * @throws KatlabError `invalid` for a model without learned activations, no images, inputs that are not finite, or a
 *   setting out of range; `shape` for images that do not fit the model
 */
export function learnedActivations(
  model: VisionTransformer,
  options: LearnedActivationsOptions,
): LearnedActivations {
  const { inputs, samples = 256, points = 201, bins = 40 } = options;
  for (const [name, value, least] of [
    ["samples", samples, 1],
    ["points", points, 2],
    ["bins", bins, 1],
  ] as const) {
    if (!(Number.isInteger(value) && value >= least)) {
      throw fault(`${name} must be an integer of at least ${least}`, String(value), "Leave it out.");
    }
  }
  const met = inputsOf(model, inputs, samples);
  if (met.length === 0) {
    throw fault("the model must have group-rational layers", model.name, "Pass a KAT.");
  }
  const activations = met.map(({ layer, values }) => ({
    layer: layer.path,
    start: layer.start,
    groups: values.map((own, group) => groupActivation(layer, group, own, points, bins)),
  }));
  return { model: model.name, activations };
}

/** What each group-rational layer met, its values by group in rising order. */
function inputsOf(
  model: VisionTransformer,
  inputs: ImageSource | tf.Tensor4D,
  samples: number,
): { layer: GroupRational; values: Float32Array[] }[] {
  const met: { layer: GroupRational; values: Float32Array[] }[] = [];
  tf.tidy(() => {
    const images =
      inputs instanceof tf.Tensor
        ? inputs
        : inputs.batch(Int32Array.from({ length: Math.min(samples, inputs.size) }, (_, i) => i)).images;
    if (images.shape[0] === 0) throw fault("at least one image must be given", "none", "Pass data.test.");
    model.forward(images, {
      observe: ({ module, input }) => {
        if (module instanceof GroupRational) met.push({ layer: module, values: byGroup(module, input) });
      },
    });
  });
  return met;
}

function byGroup({ path, dim, groups }: GroupRational, input: tf.Tensor): Float32Array[] {
  const width = dim / groups;
  const sorted = tf.reshape(input, [-1, groups, width]); // [tokens, groups, width]
  const values = tf.reshape(tf.transpose(sorted, [1, 0, 2]), [groups, -1]);
  const flat = values.dataSync() as Float32Array;
  const wrong = flat.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    throw fault(
      `inputs of ${path} must be finite`,
      String(flat[wrong]),
      "Use the weights before it diverged.",
    );
  }
  const count = values.shape[1] ?? 0;
  return Array.from({ length: groups }, (_, group) => flat.slice(group * count, (group + 1) * count).sort());
}

function groupActivation(
  { numerator, denominator, groups, start }: GroupRational,
  group: number,
  sorted: Float32Array,
  points: number,
  bins: number,
): GroupActivation {
  const b = denominator.variable.dataSync();
  const degree = b.length / groups;
  const learned = {
    numerator: [...numerator.variable.dataSync()],
    denominator: [...b.subarray(group * degree, (group + 1) * degree)],
  };
  const [low, high] = middle(sorted);
  const x = evenly(low, high, points);
  return {
    group,
    x,
    y: x.map((value) => rational(value, learned)),
    startY: x.map((value) => rational(value, rationalPreset(start))),
    histogram: histogram(sorted, evenly(low, high, bins + 1)),
  };
}

/** The range that leaves `tail` of the values beyond each end; never empty, so that curves have a width. */
function middle(sorted: Float32Array): [low: number, high: number] {
  const skip = Math.floor(tail * sorted.length);
  const [low, high] = [sorted[skip], sorted[sorted.length - 1 - skip]];
  return low < high ? [low, high] : [low - 0.5, high + 0.5];
}

function evenly(low: number, high: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1));
}

/** Every bin holds its left border, the last one its right border as well. */
function histogram(values: Float32Array, edges: readonly number[]): Histogram {
  const bins = edges.length - 1;
  const counts = Array<number>(bins).fill(0);
  const scale = bins / (edges[bins] - edges[0]);
  for (const value of values) {
    if (value < edges[0] || value > edges[bins]) continue;
    counts[Math.min(bins - 1, Math.floor((value - edges[0]) * scale))]++;
  }
  return { edges, counts };
}

function fault(must: string, got: string, remedy: string): Error {
  return mustBe({ subject: "learnedActivations", must, got, remedy });
}
