import { join } from "node:path";
import { cacheFolder } from "./cacheFolder.js";
import { checkArchive } from "./content.js";
import { download, type DownloadProgress } from "./download.js";
import { downloadProgress } from "./downloadProgress.js";
import type { ImageSet, PictureSet } from "./imageSet.js";
import { exists, type Found } from "./locate.js";
import { rawBytes } from "./rawBytes.js";

/** Where a set goes, and how its coming is followed. */
export interface FetchOptions {
  /** Default: the cache. */
  readonly to?: string;
  /** Default: lines on stderr. */
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Stops; what has come is kept and resumed by the next call. */
  readonly signal?: AbortSignal;
}

/**
 * Downloads what is missing of a set, its archive or, one after the other, its files.
 *
 * @throws KatlabError `unavailable` when no place delivers; `invalid` when what it delivers is not the set's
 */
export async function fetchSet(set: ImageSet | PictureSet, options: FetchOptions = {}): Promise<Found> {
  const { to = cacheFolder("data", set.name), onProgress = downloadProgress(set.name), signal } = options;
  const bring = async (
    name: string,
    check: (path: string, bytes: Uint8Array) => Promise<Uint8Array>,
  ): Promise<string> => {
    const path = join(to, name);
    if (await exists(path)) return path;
    await download({
      path,
      urls: set.urls.map((url) => `${url}${name}`),
      check: (bytes) => check(path, bytes),
      onProgress,
      ...(signal && { signal }),
    });
    return path;
  };
  const { archive } = set;
  if (archive) {
    const path = await bring(archive.name, async (subject, bytes) => {
      checkArchive(subject, bytes, archive);
      return Promise.resolve(bytes);
    });
    return { kind: "archive", path, archive };
  }
  const paths: string[] = [];
  if ("files" in set) {
    for (const file of set.files) {
      paths.push(await bring(`${file.name}.gz`, (subject, bytes) => rawBytes(subject, bytes, file)));
    }
  }
  return { kind: "files", paths };
}
