import { access } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { unavailable } from "../errors.js";
import type { ImageSet, ImageSetFile } from "./imageSet.js";

/** One of the four files of a set. */
export type ImageSetPart = keyof ImageSet["files"];

/** A path for each file of a set. */
export type ImageSetPaths = Readonly<Record<ImageSetPart, string>>;

/** Where a set was looked for, and what was there. */
export interface Located {
  /** Paths of all files; undefined when the set is in none of the places. */
  readonly paths: ImageSetPaths | undefined;
  /** The places in words. */
  readonly places: readonly string[];
}

// src/data and dist/data both lie two levels under the root, and so does a bundle's only file.
const packageData = fileURLToPath(new URL("../../data/", import.meta.url));

/** Where a set lies once it has been downloaded: `$XDG_CACHE_HOME/katlab/data/<name>`, by default under `~/.cache`. */
export function cacheFolder(name: string): string {
  return join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "katlab", "data", name);
}

/**
 * Looks for a set on this machine: in `KATLAB_DATA`, in the package's `data` folder, in the cache; or, when
 * `folder` is given, only there. In each place its files may lie directly or in a sub-folder of its name.
 *
 * @throws KatlabError `unavailable` when a place other than the cache holds some files but not all
 */
export async function locateImageSet(set: ImageSet, folder?: string): Promise<Located> {
  const { KATLAB_DATA: data } = process.env;
  const cache = cacheFolder(set.name);
  const places =
    folder !== undefined
      ? [{ label: `folder ${folder}`, folder }]
      : [
          ...(data ? [{ label: `KATLAB_DATA (${data})`, folder: data }] : []),
          { label: "the package's data folder", folder: packageData },
          { label: `the cache (${cache})`, folder: cache, mayBePartial: true },
        ];
  for (const place of places) {
    const paths = await filesIn(set, place);
    if (paths) return { paths, places: [place.label] };
  }
  return { paths: undefined, places: places.map(({ label }) => label) };
}

/** The files of a set with their part names, in a fixed order. */
export function partsOf(set: ImageSet): [ImageSetPart, ImageSetFile][] {
  return Object.entries(set.files) as [ImageSetPart, ImageSetFile][];
}

async function filesIn(
  set: ImageSet,
  place: { label: string; folder: string; mayBePartial?: boolean },
): Promise<ImageSetPaths | undefined> {
  for (const folder of [join(place.folder, set.name), place.folder]) {
    const found = await Promise.all(
      partsOf(set).map(async ([part, { name }]) => {
        for (const path of [join(folder, `${name}.gz`), join(folder, name)]) {
          if (await exists(path)) return [part, path] as const;
        }
        return [part, undefined] as const;
      }),
    );
    const missing = found.filter(([, path]) => path === undefined);
    if (missing.length === 0) return Object.fromEntries(found) as ImageSetPaths;
    if (missing.length < found.length && !place.mayBePartial) {
      throw unavailable({
        subject: place.label,
        must: `must hold all files of ${set.name}`,
        got: `no ${missing.map(([part]) => set.files[part].name).join(", no ")}`,
        remedy: "Add what is missing, each as it is or as .gz.",
      });
    }
  }
  return undefined;
}

/** Whether there is a file of this path. */
export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
