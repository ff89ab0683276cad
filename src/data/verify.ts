import { readFile } from "node:fs/promises";
import { KatlabError } from "../errors.js";
import { checkArchive, contentOf } from "./content.js";
import type { ImageSet, PictureSet } from "./imageSet.js";
import type { Found } from "./locate.js";
import { readFromTar } from "./tar.js";

/** Whether a set is what the catalogue says, and what was compared. */
export interface Verified {
  /** Whether nothing differs. */
  readonly good: boolean;
  /** What was compared, or what differs. */
  readonly text: string;
}

/** Reads a set from its first byte to its last, and compares it with what the catalogue knows. */
export async function verifySet(set: ImageSet | PictureSet, found: Found): Promise<Verified> {
  try {
    if ("files" in set) set.read(await contentOf(set, found));
    else if (found.kind === "archive") {
      checkArchive(found.path, await readFile(found.path), found.archive);
      await readFromTar(found.path, []); // to its end, where no checksum is known
    }
  } catch (fault) {
    if (fault instanceof KatlabError) return { good: false, text: fault.message };
    throw fault;
  }
  return { good: true, text: compared(set, found) };
}

function compared(set: ImageSet | PictureSet, found: Found): string {
  if (found.kind === "pictures") return `${found.path}, pictures in folders, of which no checksums are known`;
  if (found.kind === "archive") {
    const { algorithm } = found.archive.digest ?? {};
    const by =
      algorithm === undefined ? "a whole archive, of which no checksum is known" : algorithm.toUpperCase();
    return `${found.path}, ${by}`;
  }
  const files = "files" in set ? set.files : [];
  const known = files.every(({ sha256 }) => sha256 !== undefined);
  return `${files.length} files, ${known ? "SHA256" : "lengths and labels; checksums are known of the archive only"}`;
}
