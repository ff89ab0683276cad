import type * as tf from "@tensorflow/tfjs-core";
import { rational, type RationalCoefficients } from "../bases/rational.js";
import { mustBe } from "../errors.js";
import { GroupRational } from "../layers/groupRational.js";
import type { Module } from "../layers/module.js";
import { type Histogram, histogramOf } from "./histogram.js";
import { type ImageSource, observeImages, sizeOfSource } from "./observeImages.js";
import { SpreadSample } from "./spreadSample.js";

/** The learned function of one group of channels: of those that share all coefficients. */
export interface GroupActivation {
  /** Number of the group, from 0; of the channel, where each channel has coefficients of its own. */
  readonly group: number;
  /** Points at which the function was taken, equispaced over the range of the inputs. */
  readonly x: readonly number[];
  /** F(x) as it is now, in float64. */
  readonly y: readonly number[];
  /** F(x) as it was before training, in float64. */
  readonly startY: readonly number[];
  /** The inputs the group meets. */
  readonly histogram: Histogram;
}

/** One learned activation of a model: a function for each group of channels. */
export interface LayerActivation {
  /** Where it is, in the model's own names: `blocks.0.mlp.act1`. */
  readonly layer: string;
  /** The function all groups started as, by name: `identity`. */
  readonly start: string;
  /** One function for each group of channels. */
  readonly groups: readonly GroupActivation[];
}

/** Every learned activation of a model. */
export interface LearnedActivations {
  /** Name of the model. */
  readonly model: string;
  /** In the order of the layers. */
  readonly activations: readonly LayerActivation[];
}

/** Settings of {@link learnedActivations}. */
export interface LearnedActivationsOptions {
  /** What the model looks at: images, or tensors `[batch, height, width, channels]` normalised as in training. */
  readonly inputs: ImageSource | tf.Tensor;
  /** Number of images looked at, evenly spread over all, ≥ 1. Default 256, or all where there are fewer. */
  readonly samples?: number;
  /** Bins of a histogram, ≥ 1. Default 40. */
  readonly bins?: number;
  /** Points of a curve, ≥ 2. Default 201. */
  readonly points?: number;
}

/** Values kept for a group: enough for 40 bins, and quickly sorted. Fewer where there are more than eight groups. */
const valuesPerGroup = 65_536;
const valuesPerLayer = 8 * valuesPerGroup;

/**
 * Every learned function of a model, where it started, and the inputs it meets.
 *
 * Each group's curve covers the inputs it meets on the given images, without the lowest and the highest thousandth, so
 * that single outliers do not stretch it; the histogram counts the values inside, of at most 65 536 values taken evenly
 * from all (of a layer's 524 288, where it has more than eight groups). The model is in evaluation mode and is not changed.
 *
 * @param model a model with {@link GroupRational} layers, as KAT has
 * @returns plain data, layer by layer in order of use
 * @throws KatlabError `invalid` for settings out of range, a model without such layers, or inputs that are not finite;
 *   `shape` for images the model does not take
 */
export function learnedActivations(
  model: Module & { readonly name: string },
  options: LearnedActivationsOptions,
): LearnedActivations {
  const { bins = 40, points = 201, samples = 256 } = options;
  mustCount({ samples, bins, points }, { samples: 1, bins: 1, points: 2 });
  const met = inputsMet(model, options.inputs, samples);
  if (met.size === 0) {
    throw mustBe({
      subject: "learnedActivations",
      must: "the model must have learned activations, and there must be an image to look at",
      got: `${model.name} and ${sizeOfSource(options.inputs)} images`,
      remedy: 'Take a KAT, for example createModel("kat_test_patch7_28").',
    });
  }
  return {
    model: model.name,
    activations: [...met].map(([layer, groups]) => describeLayer(layer, groups, bins, points)),
  };
}

function describeLayer(
  layer: GroupRational,
  groups: readonly SpreadSample[],
  bins: number,
  points: number,
): LayerActivation {
  const start = layer.preset;
  const learned = coefficientsOf(layer);
  return {
    layer: layer.path,
    start: layer.start,
    groups: groups.map((sample, group) => {
      const histogram = histogramOf(finite(sample.values, `${layer.path}, group ${group}`), bins);
      const x = equispaced(histogram.edges[0], histogram.edges[bins], points);
      return {
        group,
        x,
        y: x.map((value) => rational(value, learned[group])),
        startY: x.map((value) => rational(value, start)),
        histogram,
      };
    }),
  };
}

/** Group by group, the coefficients as they are now. */
function coefficientsOf({
  numerator,
  denominator,
  blocks,
  dim,
  form,
}: GroupRational): RationalCoefficients[] {
  const a = rowsOf(numerator.variable);
  const b = rowsOf(denominator.variable);
  const rowOf = (table: number[][], channel: number): number[] =>
    table[Math.floor((channel * table.length) / dim)];
  return blocks.map((channel) => ({ numerator: rowOf(a, channel), denominator: rowOf(b, channel), form }));
}

function rowsOf(table: tf.Tensor): number[][] {
  const values = [...table.dataSync()];
  const [count, length] = table.shape;
  return Array.from({ length: count }, (_, row) => values.slice(row * length, (row + 1) * length));
}

/** What the groups of each learned activation take in while the model looks at the images. */
function inputsMet(
  model: Module,
  source: ImageSource | tf.Tensor,
  samples: number,
): ReadonlyMap<GroupRational, readonly SpreadSample[]> {
  const met = new Map<GroupRational, readonly SpreadSample[]>();
  observeImages(model, source, samples, ({ module, input }, count) => {
    if (!(module instanceof GroupRational)) return;
    const groups = met.get(module) ?? samplesFor(module, input, count);
    met.set(module, groups);
    distribute(input, module.blocks, groups);
  });
  return met;
}

/** Room for what the groups of a layer will meet, known from the input of the first pass. */
function samplesFor({ dim, blocks }: GroupRational, input: tf.Tensor, images: number): SpreadSample[] {
  const rowsOfInput = (input.size / input.shape[0] / dim) * images;
  const most = Math.min(valuesPerGroup, Math.ceil(valuesPerLayer / blocks.length));
  return blocks.map((from, group) => {
    const width = (blocks[group + 1] ?? dim) - from;
    return new SpreadSample(rowsOfInput * width, most, width);
  });
}

/** [batch, tokens, dim] → each group's channels to its own sample. */
function distribute(input: tf.Tensor, blocks: readonly number[], groups: readonly SpreadSample[]): void {
  const values = input.dataSync<"float32">();
  const dim = input.shape[input.rank - 1];
  for (let row = 0; row < values.length; row += dim) {
    groups.forEach((sample, group) => {
      sample.add(values.subarray(row + blocks[group], row + (blocks[group + 1] ?? dim)));
    });
  }
}

function finite(values: Float32Array, subject: string): Float32Array {
  if (values.every((value) => Number.isFinite(value))) return values;
  throw mustBe({
    subject,
    must: "the inputs must be finite",
    got: "infinite ones or NaN",
    remedy: "The model has diverged: train it with a lower learning rate.",
  });
}

function equispaced(from: number, to: number, points: number): number[] {
  return Array.from({ length: points }, (_, i) => from + ((to - from) * i) / (points - 1));
}

function mustCount(values: Readonly<Record<string, number>>, least: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (Number.isInteger(value) && value >= least[name]) continue;
    throw mustBe({
      subject: "learnedActivations",
      must: `${name} must be a whole number ≥ ${least[name]}`,
      got: String(value),
      remedy: `Leave ${name} out for its default.`,
    });
  }
}
