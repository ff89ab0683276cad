import { readFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { cacheFolder } from "../data/cacheFolder.js";
import { checkDigest } from "../data/digest.js";
import { download, type DownloadProgress } from "../data/download.js";
import { downloadProgress } from "../data/downloadProgress.js";
import { exists } from "../data/locate.js";
import { mustBe, unavailable, unknownOption } from "../errors.js";
import { loadTensors } from "../io/checkpoint.js";
import { timmWeights } from "../io/weightNames.js";
import type { ModelOptions } from "../models/modelOptions.js";
import { createModel, type ModelName } from "../models/registry.js";
import type { PatchGrid } from "../models/resizePositions.js";
import type { VisionTransformer } from "../models/visionTransformer.js";
import { type PretrainedName, pretrainedWeights } from "./pretrainedWeights.js";
import { readModelConfig } from "./modelConfig.js";

/** A file of weights, safetensors or of `torch.save`. */
export interface PretrainedFile {
  /** The model they belong to. */
  readonly model: ModelName;
  /** Its path. */
  readonly file: string;
  /** As for {@link loadPth}. */
  readonly entry?: string;
}

/** The same, downloaded into the cache. */
export interface PretrainedUrl {
  /** The model they belong to. */
  readonly model: ModelName;
  /** Where it lies. */
  readonly url: string;
  /** SHA-256 of the file, hexadecimal. */
  readonly sha256: string;
  /** As for {@link loadPth}. */
  readonly entry?: string;
}

/** A folder that `exportModel` wrote. */
export interface PretrainedFolder {
  /** Its path. */
  readonly folder: string;
}

/** Weights that are not in the catalogue. */
export type PretrainedSource = PretrainedFile | PretrainedUrl | PretrainedFolder;

/** What differs from the model as it was trained, and how its file comes. */
export interface LoadPretrainedOptions extends ModelOptions {
  /** Whether a file that is not in the cache may be downloaded (default true). */
  readonly fetch?: boolean;
  /** Follows a download (default: lines on stderr). */
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Stops a download; what has come is kept and resumed by the next call. */
  readonly signal?: AbortSignal;
}

/**
 * A model with trained weights: of the catalogue ({@link pretrainedWeights}), of a file, of an address, or of a folder that
 * `exportModel` wrote. Names of timm, DeiT, KAT and Hugging Face are understood.
 *
 * With another number of `classes` the head starts anew (from `seed`); with another `imageSize` the positions are resized.
 * Everything else must fit.
 *
 * Downloads go to `$XDG_CACHE_HOME/katlab/weights`, by default under `~/.cache`, and are checked each time they are read.
 *
 * @throws KatlabError `unknown` for another name or option; `unavailable` for a file that cannot be had; `invalid` for one with
 *   another digest, or of another model
 */
export async function loadPretrained(
  from: PretrainedName | PretrainedSource,
  options: LoadPretrainedOptions = {},
): Promise<VisionTransformer> {
  const { fetch, onProgress, signal, ...asked } = options;
  const { name, own, grid, file, entry } = await sourceOf(from, {
    ...(fetch !== undefined && { fetch }),
    ...(onProgress && { onProgress }),
    ...(signal && { signal }),
  });
  const { tensors } = await loadTensors(file, entry === undefined ? {} : { entry });
  let weights: Record<string, tf.Tensor> = {};
  try {
    weights = timmWeights(tensors);
    refuseDistilled(file, weights);
    const trainedClasses = Object.hasOwn(weights, "head.bias") ? weights["head.bias"].shape[0] : undefined;
    const model = createModel(name, {
      ...(trainedClasses !== undefined && { classes: trainedClasses }),
      ...own,
      ...asked,
    });
    const isNewHead = trainedClasses !== undefined && trainedClasses !== model.classes;
    const taken = Object.entries(weights).filter(([key]) => !(isNewHead && key.startsWith("head.")));
    const fresh = isNewHead ? headOf(model) : {};
    model.loadWeights({ ...Object.fromEntries(taken), ...fresh }, { resizePositions: grid });
    return model;
  } finally {
    tf.dispose([Object.values(tensors), Object.values(weights)]);
  }
}

interface Source {
  readonly name: ModelName;
  readonly own: ModelOptions;
  /** Patches its positions are for, where that is known; else true, a square of them. */
  readonly grid: true | PatchGrid;
  readonly file: string;
  readonly entry: string | undefined;
}

type Fetching = Pick<LoadPretrainedOptions, "fetch" | "onProgress" | "signal">;

async function sourceOf(from: PretrainedName | PretrainedSource, fetching: Fetching): Promise<Source> {
  if (typeof from === "string") {
    const known = Object.keys(pretrainedWeights);
    if (!known.includes(from)) throw unknownOption("loadPretrained", from, known);
    const { model, url, sha256 } = pretrainedWeights[from];
    const file = await cached(from, url, sha256, fetching);
    return { name: model, own: {}, grid: true, file, entry: undefined };
  }
  if ("folder" in from) {
    const { model, options, weights } = await readModelConfig(from.folder);
    const { grid } = createModel(model, options).patchEmbed;
    return { name: model, own: options, grid, file: join(from.folder, weights), entry: undefined };
  }
  const { model, entry } = from;
  const file = "file" in from ? from.file : await cached(model, from.url, from.sha256, fetching);
  return { name: model, own: {}, grid: true, file, entry };
}

/** The file in the cache, downloaded where it is not there. */
async function cached(name: string, url: string, sha256: string, fetching: Fetching): Promise<string> {
  const { fetch = true, onProgress = downloadProgress(name), signal } = fetching;
  const { pathname } = new URL(url);
  const digest = { algorithm: "sha256", hex: sha256 } as const;
  const path = join(cacheFolder("weights"), `${name}-${sha256.slice(0, 12)}${extname(basename(pathname))}`);
  if (await exists(path)) {
    checkDigest(path, await readFile(path), digest);
    return path;
  }
  if (!fetch) {
    throw unavailable({
      subject: `loadPretrained ${name}`,
      must: "must be in the cache when fetch is false",
      got: `no ${path}`,
      remedy: `Put the file of ${url} there.`,
    });
  }
  await download({
    path,
    urls: [url],
    check: async (bytes) => {
      checkDigest(path, bytes, digest);
      return Promise.resolve(bytes);
    },
    onProgress,
    ...(signal && { signal }),
  });
  return path;
}

/** DeiT's distilled models have a second token and a second head, which no model here has. */
function refuseDistilled(file: string, weights: Readonly<Record<string, tf.Tensor>>): void {
  if (!Object.hasOwn(weights, "dist_token")) return;
  throw mustBe({
    subject: file,
    must: "must be weights of a model with one class token",
    got: "those of a distilled DeiT (dist_token, head_dist)",
    remedy: "Take DeiT's weights without distillation.",
  });
}

function headOf(model: VisionTransformer): Record<string, tf.Tensor> {
  return Object.fromEntries(model.head.parameters().map(({ name, variable }) => [name, variable]));
}
