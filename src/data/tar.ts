import { randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable, Transform } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { KatlabError, mustBe } from "../errors.js";

/** What an archive may hold at most. */
export interface TarLimits {
  /** Files and folders; default a million. */
  readonly entries?: number;
  /** Bytes of all that is in it, decompressed, headers included; default 16 GiB. */
  readonly bytes?: number;
}

/** A file in an archive, while the archive is read. */
interface TarFile {
  /** Its path in the archive, without a leading `./`. */
  readonly name: string;
  /** Its length. */
  readonly bytes: number;
  /** Its content, to be read before the next file is asked for. */
  readonly content: Readable;
}

/**
 * The content of some files of an archive, `.tar`, `.tar.gz` or `.tar.xz`.
 *
 * @param names their paths in the archive; all must be there
 * @throws KatlabError `invalid` for what {@link unpackTar} refuses, and for an archive without one of the files
 */
export async function readFromTar(
  path: string,
  names: readonly string[],
  limits: TarLimits = {},
): Promise<Readonly<Record<string, Uint8Array>>> {
  const content: Record<string, Uint8Array> = {};
  await eachFile(path, limits, async ({ name, content: stream }) => {
    if (names.includes(name)) content[name] = await buffer(stream);
  });
  const missing = names.filter((name) => !Object.hasOwn(content, name));
  if (missing.length > 0) throw refused(path, `must hold ${names.join(", ")}`, `no ${missing.join(", no ")}`);
  return content;
}

/**
 * Unpacks an archive, `.tar`, `.tar.gz` or `.tar.xz`, into a folder that does not exist yet: all of it, or nothing.
 * Only files and folders are made, and only below that folder.
 *
 * @throws KatlabError `invalid` for an archive that is damaged or cut off; one that holds a link, a device, a path that
 *   is absolute or leads out by `..`, or a file twice; or more than the limits allow
 */
export async function unpackTar(path: string, folder: string, limits: TarLimits = {}): Promise<void> {
  const partial = `${folder}.${randomUUID()}.part`;
  try {
    await mkdir(partial, { recursive: true });
    await eachFile(path, limits, async ({ name, content }) => {
      const to = join(partial, name);
      await mkdir(dirname(to), { recursive: true });
      // "wx": on a file system that ignores case, two names may be one file.
      await pipeline(content, createWriteStream(to, { flags: "wx" }));
    });
    await rename(partial, folder);
  } catch (fault) {
    await rm(partial, { recursive: true, force: true });
    throw fault;
  }
}

const gzipMagic = Buffer.from([0x1f, 0x8b]);
const xzMagic = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]);

/** Reads an archive from its beginning to its end. */
async function eachFile(
  path: string,
  { entries: mostEntries = 1_000_000, bytes: mostBytes = 16 * 2 ** 30 }: TarLimits,
  visit: (file: TarFile) => Promise<void>,
): Promise<void> {
  const { extract } = await import("tar-stream");
  const reader = extract();
  const names = new Set<string>();
  const stop = new AbortController();
  const fed = pipeline([...(await decompressed(path)), limited(path, mostBytes), reader], {
    signal: stop.signal,
  });
  fed.catch(() => undefined); // said below
  try {
    for await (const entry of reader) {
      const { name, type, size } = entry.header;
      if (type !== "file" && type !== "directory") {
        throw refused(path, "must hold files and folders only", `the ${type} ${JSON.stringify(name)}`);
      }
      const own = name.replace(/^(\.\/)+|\/+$/g, "");
      const isRoot = type === "directory" && own.replace(/^\.$/, "") === "";
      if (!isRoot && !isInside(own))
        throw refused(path, "must hold paths inside its folder", JSON.stringify(name));
      if (type === "file" && names.has(own)) throw refused(path, "must hold each file once", `${own} twice`);
      names.add(own);
      if (names.size > mostEntries) throw refused(path, `must hold at most ${mostEntries} entries`, "more");
      if (size > mostBytes) throw refused(path, `must hold at most ${mostBytes} bytes`, `${own} of ${size}`);
      if (type === "file") await visit({ name: own, bytes: size, content: entry as unknown as Readable });
      entry.resume();
    }
    await fed;
  } catch (fault) {
    stop.abort();
    await fed.catch(() => undefined);
    if (fault instanceof KatlabError || (fault instanceof Error && "syscall" in fault)) throw fault;
    throw refused(path, "must be a whole tar file, as it is or as .gz or .xz", (fault as Error).message);
  }
  if (names.size === 0) throw refused(path, "must hold files", "none");
}

/** Whether a path leads to something below the folder it starts from, on any system. */
function isInside(name: string): boolean {
  // eslint-disable-next-line no-control-regex -- those that no file system should see
  if (/[\u0000-\u001f\\]|^[a-z]:/i.test(name)) return false;
  return name.split("/").every((part) => !["", ".", ".."].includes(part));
}

async function decompressed(path: string): Promise<[Readable, ...Transform[]]> {
  const start = Buffer.alloc(6);
  const file = await open(path);
  try {
    await file.read(start, 0, start.length, 0);
  } finally {
    await file.close();
  }
  const stored = createReadStream(path);
  if (start.subarray(0, 2).equals(gzipMagic)) return [stored, createGunzip()];
  if (!start.equals(xzMagic)) return [stored];
  const { XzReadableStream } = await import("xz-decompress");
  const xz = new XzReadableStream(Readable.toWeb(stored) as ReadableStream<Uint8Array>);
  return [Readable.fromWeb(xz as Parameters<typeof Readable.fromWeb>[0])];
}

function limited(path: string, most: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      bytes += chunk.length;
      if (bytes > most) done(refused(path, `must decompress to at most ${most} bytes`, "more"));
      else done(null, chunk);
    },
  });
}

function refused(path: string, must: string, got: string): KatlabError {
  return mustBe({
    subject: path,
    must,
    got,
    remedy: "Fetch it again, or take another copy.",
  });
}
