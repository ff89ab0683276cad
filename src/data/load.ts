import { mustBe, unavailable, unknownOption } from "../errors.js";
import { catalogue, type DatasetName } from "./catalogue.js";
import { channelStatistics, type Dataset, ImageSplit } from "./dataset.js";
import type { DownloadProgress } from "./download.js";
import { fetchSet } from "./fetch.js";
import { contentOf, pictureFolder } from "./content.js";
import { ImageDataset } from "./imageDataset.js";
import { imageFolder, type ImageFolderOptions } from "./imageFolder.js";
import type { ImageSet, PictureSet } from "./imageSet.js";
import { type Found, locate } from "./locate.js";
import { type PartOptions, partsOf } from "./parts.js";

/** Where to look for a set, and how much of it to load. */
export interface LoadOptions extends PartOptions, Pick<ImageFolderOptions, "streamed" | "cache"> {
  /** Folder that must hold the set: its files or archive, or a sub-folder of the set's name. Nothing else is tried. */
  folder?: string;
  /** Whether a set found nowhere may be downloaded into the cache (default true). */
  fetch?: boolean;
  /** Height and width in pixels, for sets of pictures only; default the set's own (see `katlab data list`). */
  size?: number;
  /** Follows a download (default: lines on stderr). */
  onProgress?: (progress: DownloadProgress) => void;
  /** Stops a download; what has come is kept and resumed by the next call. */
  signal?: AbortSignal;
}

/**
 * Loads a set of labelled images of the catalogue and checks every byte for which it has a digest: those of files on
 * their own (Fashion-MNIST, MNIST) or of the archive (CIFAR's binary files once unpacked are checked by their lengths and
 * labels only; `cifar10-jpeg` by its pictures being readable).
 *
 * Looked for in this order: `options.folder`; the folder named by the environment variable `KATLAB_DATA`;
 * the `data/` folder of the package; the cache (`$XDG_CACHE_HOME/katlab/data`, by default under
 * `~/.cache`), into which missing files are downloaded and archives of pictures unpacked. A folder that holds only some of
 * the files is an error, except for the cache.
 *
 * @throws KatlabError `unknown` for another name; `unavailable` when the set is nowhere and cannot be
 * downloaded; `invalid` for files whose content is not the set's
 */
export async function loadDataset(name: DatasetName, options: LoadOptions = {}): Promise<Dataset> {
  if (!Object.hasOwn(catalogue, name)) throw unknownOption("loadDataset", name, Object.keys(catalogue));
  const set = catalogue[name];
  return "files" in set ? loadImageSet(set, options) : loadPictureSet(set, options);
}

/** Loads any set of the catalogue's form; see {@link loadDataset}. */
export async function loadImageSet(set: ImageSet, options: LoadOptions = {}): Promise<Dataset> {
  for (const name of ["size", "streamed", "cache"] as const) {
    if (options[name] === undefined) continue;
    throw mustBe({
      subject: `loadDataset ${set.name}`,
      must: `${name} must be left out: it is for pictures in files of their own`,
      got: String(options[name]),
      remedy: "Leave it out.",
    });
  }
  const { train, test } = set.read(await contentOf(set, await obtain(set, options)));
  const { mean, std } = { ...channelStatistics(train.images, train.shape[2]), ...set };
  const whole = {
    train: new ImageSplit({ ...train, mean, std }),
    test: new ImageSplit({ ...test, mean, std }),
  };
  return new ImageDataset({ ...set, mean, std, ...partsOf(whole, options) });
}

/** Loads any set of pictures; see {@link loadDataset}. */
export async function loadPictureSet(set: PictureSet, options: LoadOptions = {}): Promise<Dataset> {
  const { limit, validation, streamed, cache, size = set.size } = options;
  const folder = await pictureFolder(set, await obtain(set, options));
  const data = await imageFolder(folder, {
    size,
    name: set.name,
    ...(limit && { limit }),
    ...(validation !== undefined && { validation }),
    ...(streamed !== undefined && { streamed }),
    ...(cache !== undefined && { cache }),
  });
  if (data.classes.length === set.classes) return data;
  throw mustBe({
    subject: folder,
    must: `must hold the ${set.classes} classes of ${set.name}`,
    got: `${data.classes.length}`,
    remedy: "Load other pictures by imageFolder.",
  });
}

/** Finds a set, or downloads it. */
async function obtain(set: ImageSet | PictureSet, options: LoadOptions): Promise<Found> {
  const { folder, fetch = true } = options;
  const { found, places } = await locate(set, folder);
  if (found) return found;
  if (fetch && folder === undefined && set.urls.length > 0) return fetchSet(set, options);
  const files = "files" in set ? set.files.map(({ name }) => name) : [];
  const whole = set.archive ? [set.archive.name] : [];
  const wanted =
    files.length > 0 ? `${files.join(", ")}, each as it is or as .gz` : "its folders train and test";
  throw unavailable({
    subject: `loadDataset ${set.name}`,
    must: `must be ${folder !== undefined ? "in the folder given" : fetch ? "on this machine, as nobody serves it" : "on this machine when fetch is false"}`,
    got: `none of its files in ${places.join(", ")}`,
    remedy: `Put ${[...whole, wanted].join(", or ")}, there, or name their folder in KATLAB_DATA.`,
  });
}
