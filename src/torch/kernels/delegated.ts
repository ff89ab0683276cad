import * as tf from "@tensorflow/tfjs-core";
import type { KernelDefinition } from "../defineKernel.js";
import { type KernelCall, runOnCpu } from "../delegate.js";

/** tfjs kernels that tfjs's cpu backend computes. */
const delegated: readonly string[] = [
  // strings and ragged tensors
  tf.RaggedGather,
  tf.RaggedRange,
  tf.RaggedTensorToTensor,
  tf.StaticRegexReplace,
  tf.StringNGrams,
  tf.StringSplit,
  tf.StringToHashBucketFast,
  // sparse tensors as lists of indices
  tf.SparseFillEmptyRows,
  tf.SparseReshape,
  tf.SparseSegmentMean,
  tf.SparseSegmentSum,
  // boxes, and transformations of images
  tf.CropAndResize,
  tf.Draw,
  tf.NonMaxSuppressionV3,
  tf.NonMaxSuppressionV4,
  tf.NonMaxSuppressionV5,
  tf.RotateWithOffset,
  tf.Transform,
  // shapes as tensors
  tf.BroadcastArgs,
  // in order of first appearance, which torch does not keep
  tf.Unique,
  // drawn by tfjs's own generator from the caller's seed
  tf.Multinomial,
];

/** tfjs kernels without torch operators: copied to JavaScript, computed by tfjs's cpu backend, copied back. */
export const delegatedKernels: readonly KernelDefinition[] = delegated.map((kernelName) => ({
  kernelName,
  kernelFunc: ((call: KernelCall) => runOnCpu(kernelName, call)) as tf.KernelFunc,
}));
