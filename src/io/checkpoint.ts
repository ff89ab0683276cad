import * as tf from "@tensorflow/tfjs-core";
import { loadSafetensors, saveSafetensors } from "./safetensors.js";

/** How weights are taken over. */
export interface LoadWeightsOptions {
  /** Whether the names must be exactly the model's. Default true. */
  strict?: boolean;
  /** Whether a vision transformer resizes position embeddings of another image size. Default false: they are refused. */
  resizePositions?: boolean;
}

/** Anything with named weights; every model of katlab is one. */
export interface Weighted {
  /** The weights by name; they stay the model's own. */
  weights(): Record<string, tf.Tensor>;
  /**
   * Copies values into the weights; the record stays the caller's.
   *
   * @param options as {@link loadWeights}
   */
  loadWeights(weights: Record<string, tf.Tensor>, options?: LoadWeightsOptions): void;
}

/**
 * Saves the weights of a model in one safetensors file, atomically.
 *
 * @param path usually ends in `.safetensors`
 * @param metadata text kept with them, for example the model's name and the recipe
 */
export async function saveWeights(
  model: Weighted,
  path: string,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  await saveSafetensors(path, model.weights(), metadata);
}

/**
 * Loads the weights of a model from a safetensors file, ours or timm's.
 *
 * @param options `strict` (default true): the file must hold exactly the model's weights; `resizePositions`: of another image
 *   size
 * @returns the file's metadata
 * @throws KatlabError as {@link loadSafetensors}, and what the model says to names and shapes that do not fit
 */
export async function loadWeights(
  model: Weighted,
  path: string,
  options: LoadWeightsOptions = {},
): Promise<Record<string, string>> {
  const { tensors, metadata } = await loadSafetensors(path);
  try {
    model.loadWeights(tensors, options);
  } finally {
    tf.dispose(tensors);
  }
  return metadata;
}
