import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { imageFolderFault, wordsOf } from "./imageFolderFault.js";

/** A file, not yet read. */
export interface Picture {
  readonly path: string;
  /** Number of its class. */
  readonly label: number;
}

const pictures = /\.(jpe?g|png|webp)$/i;
/** What the second part of a set is called, in the order tried. */
const testFolders = ["test", "val"] as const;

/**
 * The pictures of a folder `train/<class>/…` and `test/<class>/…` or `val/<class>/…`, in the order of their paths; classes in
 * alphabetical order.
 *
 * @param perClass so many of each class at most, the first by name
 * @throws KatlabError `invalid` for a folder of another layout, a class that only one part has, or a part without pictures
 */
export async function listPictures(
  folder: string,
  perClass?: number,
): Promise<{
  classes: string[];
  folders: { train: string; test: string };
  train: Picture[];
  test: Picture[];
}> {
  const parts = await foldersIn(folder);
  const testFolder = testFolders.find((name) => parts.includes(name));
  if (!parts.includes("train") || testFolder === undefined) {
    throw imageFolderFault(
      folder,
      "must hold the folders train and test (or val)",
      parts.length === 0 ? "no folders" : parts.join(", "),
      "Lay the pictures out as train/<class>/….jpg and test/<class>/….jpg.",
    );
  }
  const classes = await foldersIn(join(folder, "train"));
  const tested = await foldersIn(join(folder, testFolder));
  if (classes.length === 0 || String(classes) !== String(tested)) {
    throw imageFolderFault(
      folder,
      `train and ${testFolder} must have the same classes, at least one`,
      `${classes.join(", ") || "none"} and ${tested.join(", ") || "none"}`,
      "Make a folder for each class in both.",
    );
  }
  const folders = { train: join(folder, "train"), test: join(folder, testFolder) };
  const part = (from: string): Promise<Picture[]> => picturesIn(from, classes, perClass);
  return { classes, folders, train: await part(folders.train), test: await part(folders.test) };
}

async function foldersIn(folder: string): Promise<string[]> {
  try {
    const names = (await readdir(folder)).sort();
    // Links to folders count: large sets are often put together of them.
    const isFolder = await Promise.all(
      names.map(async (name) => (await stat(join(folder, name))).isDirectory()),
    );
    return names.filter((_, i) => isFolder[i]);
  } catch (cause) {
    throw imageFolderFault(folder, "must be a folder that can be read", wordsOf(cause), "Check its path.");
  }
}

async function picturesIn(
  folder: string,
  classes: readonly string[],
  perClass: number | undefined,
): Promise<Picture[]> {
  const found = await Promise.all(
    classes.map(async (name, label) => {
      const files = (await readdir(join(folder, name))).filter((file) => pictures.test(file)).sort();
      return files.slice(0, perClass).map((file) => ({ path: join(folder, name, file), label }));
    }),
  );
  const all = found.flat();
  if (all.length > 0) return all;
  throw imageFolderFault(folder, "must hold pictures", "none", "They end in .jpg, .jpeg, .png or .webp.");
}
