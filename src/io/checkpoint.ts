import { open } from "node:fs/promises";
import * as tf from "@tensorflow/tfjs-core";
import { loadPth, type LoadPthOptions, pthOpener } from "./pth.js";
import { type LoadedTensors, loadSafetensors, saveSafetensors } from "./safetensors.js";

/** How weights are taken over. */
export interface LoadWeightsOptions extends LoadPthOptions {
  /** Whether the names must be exactly the model's. Default true. */
  strict?: boolean;
  /** Leaves a KAT's functions as they are, and takes all else from the file of a ViT. Default: all is loaded. */
  keep?: "coefficient";
  /**
   * Whether a vision transformer resizes position embeddings of another image size: true for those of a square of patches, or
   * the patches they are for, `[down, across]`. Default false: they are refused.
   */
  resizePositions?: boolean | readonly [down: number, across: number];
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
 * Loads the weights of a model from a file, safetensors or what PyTorch's `torch.save` wrote, under the model's names, which are
 * timm's.
 *
 * @param options `strict` (default true): the file must hold exactly the model's weights; `keep`: of a ViT;
 *   `resizePositions`: of another image size; `entry`: as {@link loadPth}
 * @returns the file's metadata
 * @throws KatlabError as {@link loadSafetensors} and {@link loadPth}, and what the model says to names and shapes that do not
 *   fit
 */
export async function loadWeights(
  model: Weighted,
  path: string,
  options: LoadWeightsOptions = {},
): Promise<Record<string, string>> {
  const { entry, ...loading } = options;
  const { tensors, metadata } = await loadTensors(path, entry === undefined ? {} : { entry });
  try {
    model.loadWeights(tensors, loading);
  } finally {
    tf.dispose(tensors);
  }
  return metadata;
}

/** Loads all tensors of a file of either format, told by its first bytes. */
export async function loadTensors(path: string, options: LoadPthOptions = {}): Promise<LoadedTensors> {
  const start = Buffer.alloc(16);
  // A file that cannot be opened is named by what loads it.
  const file = await open(path).catch(() => undefined);
  await file?.read(start, 0, start.length, 0);
  await file?.close();
  return pthOpener(start) ? loadPth(path, options) : loadSafetensors(path);
}
