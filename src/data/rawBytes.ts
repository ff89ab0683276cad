import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { mustBe } from "../errors.js";
import type { ImageSetFile } from "./imageSet.js";

const gunzipAsync = promisify(gunzip);

/**
 * The raw bytes of a file of a set, decompressed where it is gzip, and checked against the catalogue:
 * by its digest, or where the catalogue has none, by its length.
 *
 * @param subject names the file in messages
 * @param stored the bytes as they lie on disk
 * @throws KatlabError `invalid` when the file does not decompress or has another digest or length
 */
export async function rawBytes(subject: string, stored: Uint8Array, file: ImageSetFile): Promise<Uint8Array> {
  const raw = isGzip(stored) ? await decompress(subject, stored, file) : stored;
  if (file.sha256 === undefined) {
    if (raw.length === file.bytes) return raw;
    throw mustBe({
      subject,
      must: `must be the ${file.bytes} raw bytes of ${file.name}`,
      got: String(raw.length),
      remedy: "Delete the file and fetch it again.",
    });
  }
  const digest = createHash("sha256").update(raw).digest("hex");
  if (digest !== file.sha256) {
    throw mustBe({
      subject,
      must: `raw bytes must have the SHA-256 ${file.sha256} of ${file.name}`,
      got: `${digest} (${raw.length} bytes, expected ${file.bytes})`,
      remedy: "Fetch the file again; files of another set belong into a sub-folder of its name.",
    });
  }
  return raw;
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

async function decompress(subject: string, stored: Uint8Array, file: ImageSetFile): Promise<Uint8Array> {
  try {
    return await gunzipAsync(stored, { maxOutputLength: file.bytes });
  } catch (cause) {
    throw mustBe({
      subject,
      must: `must be a gzip file of ${file.bytes} raw bytes`,
      got: `${stored.length} bytes that do not decompress to that (${(cause as Error).message})`,
      remedy: "Delete the file and fetch it again.",
    });
  }
}
