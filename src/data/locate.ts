import { access } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { unavailable } from "../errors.js";
import { cacheFolder } from "./cacheFolder.js";
import type { ImageSet, ImageSetArchive, PictureSet } from "./imageSet.js";

/** A set on this machine. */
export type Found =
  /** Its files, a path for each, in the order of the set's. */
  | { readonly kind: "files"; readonly paths: readonly string[] }
  /** The archive it is distributed as. */
  | { readonly kind: "archive"; readonly path: string; readonly archive: ImageSetArchive }
  /** A folder that holds `train` and `test` or `val`. */
  | { readonly kind: "pictures"; readonly path: string };

/** Where a set was looked for, and what was there. */
export interface Located {
  /** Undefined when the set is in none of the places. */
  readonly found: Found | undefined;
  /** The places in words; one only, where it was found. */
  readonly places: readonly string[];
}

// src/data and dist/data both lie two levels under the root, and so does a bundle's only file.
const packageData = fileURLToPath(new URL("../../data/", import.meta.url));

/**
 * Looks for a set on this machine: in `KATLAB_DATA`, in the package's `data` folder, in the cache; or, when
 * `folder` is given, only there. In each place its files, or its archive, may lie directly or in a sub-folder of its name;
 * pictures lie directly only in a folder that is given, as one `train` looks like another.
 *
 * @throws KatlabError `unavailable` when a place other than the cache holds some files but not all
 */
export async function locate(set: ImageSet | PictureSet, folder?: string): Promise<Located> {
  const { KATLAB_DATA: data } = process.env;
  const cache = cacheFolder("data", set.name);
  const places: readonly Place[] =
    folder !== undefined
      ? [{ label: `folder ${folder}`, folder, given: true }]
      : [
          ...(data ? [{ label: `KATLAB_DATA (${data})`, folder: data }] : []),
          { label: "the package's data folder", folder: packageData },
          { label: `the cache (${cache})`, folder: cache, given: true, mayBePartial: true },
        ];
  for (const place of places) {
    const found = await foundIn(set, place);
    if (found) return { found, places: [place.label] };
  }
  return { found: undefined, places: places.map(({ label }) => label) };
}

/** Whether there is a file or folder of this path. */
export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

interface Place {
  readonly label: string;
  readonly folder: string;
  /** Whether it is this set's alone. */
  readonly given?: boolean;
  /** Whether it may hold some of the files only. */
  readonly mayBePartial?: boolean;
}

async function foundIn(set: ImageSet | PictureSet, place: Place): Promise<Found | undefined> {
  for (const folder of [join(place.folder, set.name), place.folder]) {
    if ("files" in set) {
      const paths = await filesIn(set, folder, place);
      if (paths) return { kind: "files", paths };
    } else if (place.given === true || folder !== place.folder) {
      const inside = await Promise.all(["train", "test", "val"].map((part) => exists(join(folder, part))));
      if (inside[0] && (inside[1] || inside[2])) return { kind: "pictures", path: folder };
    }
    const { archive } = set;
    if (archive === undefined) continue;
    const path = join(folder, archive.name);
    if (await exists(path)) return { kind: "archive", path, archive };
  }
  return undefined;
}

async function filesIn(set: ImageSet, folder: string, place: Place): Promise<string[] | undefined> {
  const within = [folder, ...(set.archive ? [join(folder, set.archive.folder)] : [])];
  for (const root of within) {
    const found = await Promise.all(
      set.files.map(async ({ name }) => {
        for (const path of [join(root, `${name}.gz`), join(root, name)]) if (await exists(path)) return path;
        return undefined;
      }),
    );
    const paths = found.filter((path) => path !== undefined);
    if (paths.length === found.length) return paths;
    if (paths.length === 0 || place.mayBePartial === true) continue;
    const missing = set.files.filter((_, i) => found[i] === undefined).map(({ name }) => name);
    throw unavailable({
      subject: place.label,
      must: `must hold all files of ${set.name}`,
      got: `no ${missing.join(", no ")}`,
      remedy: "Add what is missing, each as it is or as .gz.",
    });
  }
  return undefined;
}
