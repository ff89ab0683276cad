import { readFile } from "node:fs/promises";
import * as tf from "@tensorflow/tfjs-core";
import { valueAndGrads } from "../../src/autodiff/valueAndGrads.js";
import { loadSafetensors } from "../../src/io/safetensors.js";
import { parseHeader, readHeaderLength } from "../../src/io/safetensorsHeader.js";
import type { ModelOptions } from "../../src/models/modelOptions.js";
import { createModel, type ModelName } from "../../src/models/registry.js";
import type { VisionTransformer } from "../../src/models/visionTransformer.js";
import { softmaxCrossEntropy } from "../../src/ops/softmaxCrossEntropy.js";

/** A model that katlab and PyTorch both compute. */
export interface Case {
  readonly model: ModelName;
  readonly options: ModelOptions;
  readonly batch: number;
}

const small = { classes: 5, imageSize: 14, seed: 1 } as const;
/** What is compared. */
export const cases: Readonly<Record<string, Case>> = {
  vit: { model: "vit_test_patch7_28", options: { classes: 10 }, batch: 4 },
  kat: { model: "kat_test_patch7_28", options: { classes: 10 }, batch: 4 },
  formB: { model: "kat_test_patch7_28", options: { ...small, form: "B" }, batch: 8 },
  oneGroup: { model: "kat_test_patch7_28", options: { ...small, groups: 1, channels: 3 }, batch: 3 },
  manyGroups: { model: "kat_test_patch7_28", options: { ...small, groups: 96, patchSize: 2 }, batch: 2 },
  mean: { model: "kat_test_patch7_28", options: { ...small, pooling: "mean", layerScale: 0.1 }, batch: 1 },
  vitTiny: { model: "vit_tiny_patch16_224", options: {}, batch: 2 },
  katTiny: { model: "kat_tiny_patch16_224", options: {}, batch: 2 },
};

/** What parity.py has to know. */
export function specification({ model: name, options, batch }: Case): object {
  const {
    imageSize,
    patchSize,
    channels,
    classes,
    dim,
    depth,
    heads,
    pooling = "token",
    layerScale,
  } = createModel(name, options).config;
  const { groups = 8, form = "A" } = options;
  const family = name.split("_")[0];
  const sizes = { imageSize, patchSize, channels, classes, dim, depth, heads, groups };
  return { ...sizes, pooling, layerScale: layerScale !== undefined, family, form, batch, seed: 11 };
}

/** Values by name. */
export type Values = Readonly<Record<string, Float64Array>>;

/** All values of a file of floats in float64. */
export async function valuesOf(path: string): Promise<Values> {
  const bytes = await readFile(path);
  const start = 8 + readHeaderLength(path, bytes.subarray(0, 8), bytes.length);
  const { entries } = parseHeader(path, bytes.subarray(8, start), bytes.length - start);
  return Object.fromEntries(
    entries.map(({ name, dtype, begin, end }) => {
      const own = Uint8Array.from(bytes.subarray(start + begin, start + end)).buffer;
      return [name, dtype === "F64" ? new Float64Array(own) : Float64Array.from(new Float32Array(own))];
    }),
  );
}

/** Images and labels that parity.py drew. */
export async function imagesOf(path: string): Promise<{ images: tf.Tensor4D; labels: tf.Tensor1D }> {
  const { images, labels } = (await loadSafetensors(path)).tensors;
  return { images: images as tf.Tensor4D, labels: labels as tf.Tensor1D };
}

/** Logits of a batch. */
export function logitsOf(model: VisionTransformer, images: tf.Tensor): Float64Array {
  const logits = model.forward(images);
  const values = Float64Array.from(logits.dataSync());
  logits.dispose();
  return values;
}

/** Logits, loss and gradients as katlab computes them. */
export function computed(model: VisionTransformer, images: tf.Tensor4D, labels: tf.Tensor1D): Values {
  const input = tf.variable(images);
  const parameters = model.parameters();
  const variables = [input, ...parameters.map(({ variable }) => variable)];
  const logits = logitsOf(model, images);
  const { value, grads } = valueAndGrads(() => softmaxCrossEntropy(model.forward(input), labels), variables);
  const names = ["images", ...parameters.map(({ name }) => name)];
  const slopes = names.map((name, i) => [`grad.${name}`, Float64Array.from(grads[i].dataSync())] as const);
  const loss = Float64Array.from(value.dataSync());
  tf.dispose([value, grads]);
  input.dispose();
  return { logits, loss, ...Object.fromEntries(slopes) };
}

/** Largest magnitude. */
export const largest = (values: Float64Array): number =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
/** Largest difference. */
export const apart = (a: Float64Array, b: Float64Array): number => largest(a.map((value, i) => value - b[i]));

/** Largest error by kind of tensor, as a share of the largest value: blocks are added up, as one is lucky and another not. */
export function errorsByKind(values: Values, truth: Values): Map<string, number> {
  const sums = new Map<string, [error: number, size: number]>();
  for (const [name, exact] of Object.entries(truth)) {
    const kind = name.replace(/blocks\.\d+\./, "");
    const [error, size] = sums.get(kind) ?? [0, 0];
    sums.set(kind, [error + apart(values[name], exact), size + largest(exact)]);
  }
  return new Map([...sums].map(([kind, [error, size]]) => [kind, error / size]));
}
