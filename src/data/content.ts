import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { mustBe } from "../errors.js";
import { cacheFolder } from "./cacheFolder.js";
import { checkDigest } from "./digest.js";
import type { ImageSet, ImageSetArchive, PictureSet } from "./imageSet.js";
import { exists, type Found } from "./locate.js";
import { rawBytes } from "./rawBytes.js";
import { readFromTar, unpackTar } from "./tar.js";

/**
 * The raw bytes of every file of a set, checked.
 *
 * @throws KatlabError `invalid` for content that is not the set's
 */
export async function contentOf(set: ImageSet, found: Found): Promise<Readonly<Record<string, Uint8Array>>> {
  if (found.kind === "pictures") throw new Error("pictures are no files of a set");
  if (found.kind === "files") {
    const content: Record<string, Uint8Array> = {};
    for (const [i, file] of set.files.entries()) {
      const path = found.paths[i];
      content[file.name] = await rawBytes(path, await readFile(path), file);
    }
    return content;
  }
  const { path, archive } = found;
  checkArchive(path, await readFile(path), archive);
  const inside = (name: string): string => [archive.folder, name].filter(Boolean).join("/");
  const members = await readFromTar(
    path,
    set.files.map(({ name }) => inside(name)),
    { bytes: set.files.reduce((sum, { bytes }) => sum + bytes, 2 ** 20) },
  );
  const content: Record<string, Uint8Array> = {};
  for (const file of set.files) {
    const name = inside(file.name);
    content[file.name] = await rawBytes(`${path}, ${name}`, members[name], file);
  }
  return content;
}

/**
 * The folder of a set's pictures; an archive is unpacked into the cache the first time.
 *
 * @throws KatlabError `invalid` for an archive that is not the set's
 */
export async function pictureFolder(set: PictureSet, found: Found): Promise<string> {
  if (found.kind === "pictures") return found.path;
  if (found.kind === "files") throw new Error("a set of pictures is found as a folder or an archive");
  const { archive } = set;
  const { size, mtimeMs } = await stat(found.path);
  // Another archive of this name is unpacked anew.
  const folder = join(cacheFolder("data", set.name), `${archive.name}-${size}-${Math.round(mtimeMs)}`);
  if (!(await exists(folder))) {
    checkArchive(found.path, await readFile(found.path), archive);
    await unpackTar(found.path, folder);
  }
  return join(folder, archive.folder);
}

/**
 * Checks an archive's length and digest, as far as the catalogue knows them.
 *
 * @param subject names it in messages
 * @throws KatlabError `invalid` when they differ
 */
export function checkArchive(
  subject: string,
  stored: Uint8Array,
  { name, bytes, digest }: ImageSetArchive,
): void {
  if (bytes !== undefined && stored.length !== bytes) {
    throw mustBe({
      subject,
      must: `must be the ${bytes} bytes of ${name}`,
      got: String(stored.length),
      remedy: "Delete the file and fetch it again.",
    });
  }
  if (digest) checkDigest(subject, stored, digest);
}
