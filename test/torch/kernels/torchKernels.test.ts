import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { torchKernels } from "../../../src/torch/backend.js";

/** The names that tfjs exports as constants of themselves. */
const names = Object.entries(tf)
  .filter(([name, value]) => name === value)
  .map(([name]) => name);

const ofKatlab = [
  "Gelu",
  "GeluGradient",
  "GroupRational",
  "GroupRationalGradient",
  "LayerNorm",
  "LayerNormGradient",
  "Linear",
  "LinearGradient",
  "NormalisedImages",
  "ScaledDotProductAttention",
  "ScaledDotProductAttentionGradient",
  "SoftmaxCrossEntropy",
];

test("all of tfjs's kernel names are there, but Pool, which no operator runs and nothing describes", () => {
  expect(names).toHaveLength(180);
  const { native, delegated } = torchKernels();
  expect([...native, ...delegated].sort()).toEqual(
    [...names.filter((name) => name !== tf.Pool), ...ofKatlab].sort(),
  );
});

test("they are registered with tfjs", () => {
  const { native, delegated } = torchKernels();
  const registered = tf.getKernelsForBackend("torch").map(({ kernelName }) => kernelName);
  expect(registered.sort()).toEqual([...native, ...delegated].sort());
});

test("which ones tfjs's cpu backend computes", () => {
  expect(torchKernels().delegated).toMatchInlineSnapshot(`
    [
      "BroadcastArgs",
      "CropAndResize",
      "Draw",
      "Multinomial",
      "NonMaxSuppressionV3",
      "NonMaxSuppressionV4",
      "NonMaxSuppressionV5",
      "RaggedGather",
      "RaggedRange",
      "RaggedTensorToTensor",
      "RotateWithOffset",
      "SparseFillEmptyRows",
      "SparseReshape",
      "SparseSegmentMean",
      "SparseSegmentSum",
      "StaticRegexReplace",
      "StringNGrams",
      "StringSplit",
      "StringToHashBucketFast",
      "Transform",
      "Unique",
    ]
  `);
});
