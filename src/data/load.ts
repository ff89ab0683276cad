import { access, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { unavailable, unknownOption } from "../errors.js";
import { Random } from "../random.js";
import { catalogue, type DatasetName } from "./catalogue.js";
import { type Dataset, ImageSplit, type Split } from "./dataset.js";
import { download, type DownloadProgress } from "./download.js";
import { downloadProgress } from "./downloadProgress.js";
import { joinIdx, parseIdx } from "./idx.js";
import { ImageDataset } from "./imageDataset.js";
import type { ImageSet, ImageSetFile } from "./imageSet.js";
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
  limit?: { train?: number; test?: number; seed?: number };
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
  const { limit = {} } = options;
  const content = await readSet(set, options);
  const random = limit.seed === undefined ? undefined : new Random(limit.seed).split("limit");
  const split = (part: "train" | "test"): Split => {
    const subject = `${set.name} ${part}`;
    const images = parseIdx(`${subject} images`, content[`${part}Images`], 3);
    const labels = parseIdx(`${subject} labels`, content[`${part}Labels`], 1);
    const joined = joinIdx(subject, images, labels, set.classes.length);
    const whole = new ImageSplit({ ...joined, mean: set.mean, std: set.std });
    const count = limit[part];
    return count === undefined ? whole : whole.take(count, random?.split(part));
  };
  return new ImageDataset({ ...set, train: split("train"), test: split("test") });
}

/** Folders that may hold a set without the network, in order, with the name they have in messages. */
export function datasetFolders(
  name: string,
  environment: NodeJS.ProcessEnv = process.env,
): { label: string; folder: string }[] {
  const { KATLAB_DATA: data } = environment;
  return [
    ...(data ? [{ label: `KATLAB_DATA (${data})`, folder: data }] : []),
    { label: "the package's data folder", folder: embeddedFolder },
    { label: `the cache (${cacheFolder(name, environment)})`, folder: cacheFolder(name, environment) },
  ];
}

// src/data and dist/data both lie two levels under the root, and so does a bundle's only file.
const embeddedFolder = fileURLToPath(new URL("../../data/", import.meta.url));

function cacheFolder(name: string, environment: NodeJS.ProcessEnv): string {
  return join(environment.XDG_CACHE_HOME || join(homedir(), ".cache"), "katlab", "data", name);
}

type Part = keyof ImageSet["files"];
type Content = Record<Part, Uint8Array>;

async function readSet(set: ImageSet, options: LoadOptions): Promise<Content> {
  if (options.folder !== undefined) {
    const paths = await locate(set, options.folder, "loadDataset folder");
    if (paths) return readAll(set, paths);
    throw unavailable({
      subject: `loadDataset folder ${options.folder}`,
      must: `must hold the files of ${set.name}`,
      got: "none of them",
      remedy: `Put ${fileNames(set)} there, each as it is or as .gz.`,
    });
  }
  const folders = datasetFolders(set.name);
  const cache = folders[folders.length - 1].folder;
  for (const { label, folder } of folders) {
    const paths = await locate(set, folder, folder === cache ? undefined : label);
    if (paths) return readAll(set, paths);
  }
  if (options.fetch === false) {
    throw unavailable({
      subject: `loadDataset ${set.name}`,
      must: "must be on this machine when fetch is false",
      got: `nothing in ${folders.map(({ label }) => label).join(", ")}`,
      remedy: `Set KATLAB_DATA to a folder with ${fileNames(set)}, or allow the download.`,
    });
  }
  return fetchAll(set, cache, options);
}

/**
 * Paths of all files of a set in `folder` or its sub-folder of the set's name; undefined when none is there.
 *
 * @param label names the folder when only some of the files are there; undefined takes that for none
 */
async function locate(
  set: ImageSet,
  folder: string,
  label: string | undefined,
): Promise<Record<Part, string> | undefined> {
  for (const place of [join(folder, set.name), folder]) {
    const found = await Promise.all(
      entries(set).map(async ([part, { name }]) => {
        for (const path of [join(place, `${name}.gz`), join(place, name)]) {
          if (await exists(path)) return [part, path] as const;
        }
        return [part, undefined] as const;
      }),
    );
    const missing = found.filter(([, path]) => path === undefined);
    if (missing.length === 0) return Object.fromEntries(found) as Record<Part, string>;
    if (missing.length < found.length && label !== undefined) {
      throw unavailable({
        subject: label,
        must: `must hold all files of ${set.name}`,
        got: `no ${missing.map(([part]) => set.files[part].name).join(", no ")}`,
        remedy: "Add what is missing, each as it is or as .gz.",
      });
    }
  }
  return undefined;
}

async function readAll(set: ImageSet, paths: Record<Part, string>): Promise<Content> {
  return collect(set, async (part, file) => rawBytes(paths[part], await readFile(paths[part]), file));
}

async function fetchAll(set: ImageSet, folder: string, options: LoadOptions): Promise<Content> {
  const onProgress = options.onProgress ?? downloadProgress(set.name);
  return collect(set, async (_part, file) => {
    const path = join(folder, `${file.name}.gz`);
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

/** One file after the other: the large one would only share the line, and progress stays readable. */
async function collect(
  set: ImageSet,
  read: (part: Part, file: ImageSetFile) => Promise<Uint8Array>,
): Promise<Content> {
  const content: Partial<Content> = {};
  for (const [part, file] of entries(set)) content[part] = await read(part, file);
  return content as Content;
}

function entries(set: ImageSet): [Part, ImageSetFile][] {
  return Object.entries(set.files) as [Part, ImageSetFile][];
}

function fileNames(set: ImageSet): string {
  return entries(set)
    .map(([, { name }]) => name)
    .join(", ");
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
