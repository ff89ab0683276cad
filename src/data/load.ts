import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { unavailable, unknownOption } from "../errors.js";
import { Random } from "../random.js";
import { catalogue, type DatasetName } from "./catalogue.js";
import { type Dataset, ImageSplit } from "./dataset.js";
import { download, type DownloadProgress } from "./download.js";
import { downloadProgress } from "./downloadProgress.js";
import { joinIdx, parseIdx } from "./idx.js";
import { ImageDataset } from "./imageDataset.js";
import type { ImageSet, ImageSetFile } from "./imageSet.js";
import {
  cacheFolder,
  exists,
  type ImageSetPart,
  type ImageSetPaths,
  locateImageSet,
  partsOf,
} from "./locate.js";
import { rawBytes } from "./rawBytes.js";

/** Where to look for a set, and how much of it to load. */
export interface LoadOptions {
  /** Folder that must hold the set: its files, or a sub-folder of the set's name. Nothing else is tried. */
  folder?: string;
  /** Whether a set found nowhere may be downloaded into the cache (default true). */
  fetch?: boolean;
  /**
   * Class-balanced subsets of so many images (default all). Without `seed`, the first images of each
   * class in the order of the file; with it, drawn at random. The mean and deviation stay those
   * of the whole training set.
   */
  limit?: {
    /** Training images, at least 1. */
    train?: number;
    /** Test images, at least 1. */
    test?: number;
    /** Draws the images; any safe integer. */
    seed?: number;
  };
  /**
   * So many training images, class-balanced, are set aside as `validation`, at least 1; default none. Drawn by `limit.seed`, or
   * by 0, after `limit` has been applied.
   */
  validation?: number;
  /** Follows a download (default: lines on stderr). */
  onProgress?: (progress: DownloadProgress) => void;
  /** Stops a download; what has come is kept and resumed by the next call. */
  signal?: AbortSignal;
}

/**
 * Loads a set of labelled images and checks every byte against the catalogue's SHA-256.
 *
 * Looked for in this order: `options.folder`; the folder named by the environment variable `KATLAB_DATA`;
 * the `data/` folder of the package; the cache (`$XDG_CACHE_HOME/katlab/data`, by default under
 * `~/.cache`), into which missing files are downloaded. A folder that holds only some of the files is an
 * error, except for the cache.
 *
 * @throws KatlabError `unknown` for another name; `unavailable` when the set is nowhere and cannot be
 * downloaded; `invalid` for files whose content is not the set's
 */
export async function loadDataset(name: DatasetName, options: LoadOptions = {}): Promise<Dataset> {
  if (!Object.hasOwn(catalogue, name)) throw unknownOption("loadDataset", name, Object.keys(catalogue));
  return loadImageSet(catalogue[name], options);
}

/** Loads any set of the catalogue's form; see {@link loadDataset}. */
export async function loadImageSet(set: ImageSet, options: LoadOptions = {}): Promise<Dataset> {
  const { limit = {}, validation } = options;
  const content = await readSet(set, options);
  const random = limit.seed === undefined ? undefined : new Random(limit.seed).split("limit");
  const split = (part: "train" | "test"): ImageSplit => {
    const subject = `${set.name} ${part}`;
    const images = parseIdx(`${subject} images`, content[`${part}Images`], 3);
    const labels = parseIdx(`${subject} labels`, content[`${part}Labels`], 1);
    const joined = joinIdx(subject, images, labels, set.classes.length);
    const whole = new ImageSplit({ ...joined, mean: set.mean, std: set.std });
    const count = limit[part];
    return count === undefined ? whole : whole.take(count, random?.split(part));
  };
  const train = split("train");
  const parts =
    validation === undefined
      ? { train }
      : train.hold(validation, new Random(limit.seed ?? 0).split("validation"));
  return new ImageDataset({ ...set, ...parts, test: split("test") });
}

type Content = Record<ImageSetPart, Uint8Array>;

async function readSet(set: ImageSet, options: LoadOptions): Promise<Content> {
  const { paths, places } = await locateImageSet(set, options.folder);
  if (paths) return readAll(set, paths);
  if (options.fetch !== false && options.folder === undefined) return fetchAll(set, options);
  const names = partsOf(set).map(([, { name }]) => name);
  throw unavailable({
    subject: `loadDataset ${set.name}`,
    must: `must be ${options.folder === undefined ? "on this machine when fetch is false" : "in the folder given"}`,
    got: `none of its files in ${places.join(", ")}`,
    remedy: `Put ${names.join(", ")} there, each as it is or as .gz, or name their folder in KATLAB_DATA.`,
  });
}

async function readAll(set: ImageSet, paths: ImageSetPaths): Promise<Content> {
  return collect(set, async (part, file) => rawBytes(paths[part], await readFile(paths[part]), file));
}

async function fetchAll(set: ImageSet, options: LoadOptions): Promise<Content> {
  const onProgress = options.onProgress ?? downloadProgress(set.name);
  return collect(set, async (_part, file) => {
    const path = join(cacheFolder(set.name), `${file.name}.gz`);
    if (await exists(path)) return rawBytes(path, await readFile(path), file);
    return download({
      path,
      urls: set.urls.map((url) => `${url}${file.name}.gz`),
      check: (bytes) => rawBytes(path, bytes, file),
      onProgress,
      ...(options.signal && { signal: options.signal }),
    });
  });
}

/** One file after the other: one of them is nearly all of the set, and progress stays readable. */
async function collect(
  set: ImageSet,
  read: (part: ImageSetPart, file: ImageSetFile) => Promise<Uint8Array>,
): Promise<Content> {
  const content: Partial<Content> = {};
  for (const [part, file] of partsOf(set)) content[part] = await read(part, file);
  return content as Content;
}
