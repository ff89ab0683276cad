import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import { sizeOf } from "../shape.js";
import { imageFolderFault, wordsOf } from "./imageFolderFault.js";
import type { Picture } from "./listPictures.js";
import type { PixelSource } from "./pixelSource.js";
import { someAtATime } from "./someAtATime.js";

/** How the file begins: name and version of its form. */
const magic = Buffer.from("katpix01");
/** Bytes before the checksums: magic, digest of what was decoded, then count, height and width as 32 bits each. */
const headBytes = magic.length + 32 + 3 * 4;
/** What is decoded, written, or read by one call at most. */
const pieceBytes = 2 ** 26;
/** Pieces read at a time, by libuv's threads. */
const atATime = 8;

/** What a file of pixels is made of. */
export interface DecodedFileContent {
  /** Of the pictures and the way of their decoding: {@link digestOf}. */
  readonly digest: Buffer;
  /** The pictures as they are decoded. */
  readonly decode: () => Promise<PixelSource>;
  /** Whether all of a file that is there shall be checked now, so that a damaged one is made anew; else reading finds out. */
  readonly mustCheck: (file: PixelSource) => boolean;
}

/**
 * Pictures in one file of pixels, which is made where it is not there, or of something else: a head, the CRC-32 of each
 * picture, both little-endian, then the pictures, `[count, height, width, 3]`. It appears under its name when it is whole.
 *
 * @throws KatlabError `invalid` where the file cannot be written; what decoding throws
 */
export async function decodedFile(path: string, content: DecodedFileContent): Promise<PixelSource> {
  const there = await opened(path, content.digest);
  if (there !== undefined && (!content.mustCheck(there) || (await isSound(there)))) return there;
  return written(path, content.digest, await content.decode());
}

/**
 * What tells pictures and the way of their decoding from others: paths, lengths and times of change of the files, the size they
 * are brought to, and the versions of the decoder.
 */
export async function digestOf(pictures: readonly Picture[], size: number | undefined): Promise<Buffer> {
  const { default: sharp } = await import("sharp");
  const stats = new Array<string>(pictures.length);
  await someAtATime(pictures.length, 64, async (i) => {
    const { size: bytes, mtimeMs } = await stat(pictures[i].path);
    stats[i] = JSON.stringify([pictures[i].path, bytes, mtimeMs]);
  });
  const hash = createHash("sha256").update(JSON.stringify([size ?? null, sharp.versions]));
  for (const line of stats) hash.update(line);
  return hash.digest();
}

/** undefined where there is no such file, or another, or a part of one. */
async function opened(path: string, digest: Buffer): Promise<PixelSource | undefined> {
  let file: FileHandle;
  try {
    file = await open(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw unusable(path, "read", cause);
  }
  try {
    const head = Buffer.alloc(headBytes);
    await file.read(head, 0, headBytes, 0);
    const wanted = Buffer.concat([magic, digest]);
    if (!head.subarray(0, wanted.length).equals(wanted)) return undefined;
    const [count, height, width] = [0, 4, 8].map((at) => head.readUInt32LE(wanted.length + at));
    const shape = [height, width, 3] as const;
    const { size } = await file.stat();
    if (size !== headBytes + count * (4 + sizeOf(shape))) return undefined;
    const sums = new Uint8Array(4 * count);
    await readFully(file, sums, headBytes);
    return sourceOf(path, shape, new DataView(sums.buffer));
  } finally {
    await file.close();
  }
}

async function isSound(file: PixelSource): Promise<boolean> {
  const each = piecesOf(file);
  const pixels = new Uint8Array(each[0].length * sizeOf(file.shape));
  try {
    for (const piece of each) await file.read(piece, pixels.subarray(0, piece.length * sizeOf(file.shape)));
    return true;
  } catch {
    return false;
  }
}

async function written(path: string, digest: Buffer, pictures: PixelSource): Promise<PixelSource> {
  const { count, shape } = pictures;
  const bytes = sizeOf(shape);
  const sums = new DataView(new ArrayBuffer(4 * count));
  const partial = `${path}.${randomUUID()}.part`;
  try {
    const file = await writable(path, partial);
    try {
      for (const indices of piecesOf(pictures)) {
        const pixels = new Uint8Array(indices.length * bytes);
        await pictures.read(indices, pixels);
        indices.forEach((index, i) => sums.setUint32(4 * index, crc32(recordOf(pixels, i, bytes)), true));
        await write(file, path, pixels, headBytes + 4 * count + indices[0] * bytes);
      }
      const numbers = Buffer.alloc(12);
      [count, shape[0], shape[1]].forEach((value, i) => numbers.writeUInt32LE(value, 4 * i));
      await write(file, path, Buffer.concat([magic, digest, numbers, new Uint8Array(sums.buffer)]), 0);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, path);
  } finally {
    await rm(partial, { force: true });
  }
  return sourceOf(path, shape, sums);
}

function sourceOf(path: string, shape: PixelSource["shape"], sums: DataView): PixelSource {
  const count = sums.byteLength / 4;
  const bytes = sizeOf(shape);
  const start = headBytes + 4 * count;
  return {
    name: path,
    count,
    shape,
    read: async (indices, into, signal) => {
      // Opened for each batch: a file that is kept open would have to be closed by whoever holds the split.
      const file = await open(path).catch((cause: unknown) => {
        throw unusable(path, "read", cause);
      });
      try {
        const runs = runsOf(indices, Math.max(1, Math.floor(pieceBytes / bytes)));
        const readRun = async (run: number): Promise<void> => {
          const { from, to } = runs[run];
          const pixels = into.subarray(from * bytes, to * bytes);
          const isWhole = await readFully(file, pixels, start + indices[from] * bytes);
          for (let i = from; i < to; i++) {
            const sum = crc32(recordOf(into, i, bytes));
            if (!isWhole || sum !== sums.getUint32(4 * indices[i], true)) throw damaged(path, indices[i]);
          }
        };
        await someAtATime(runs.length, atATime, readRun, signal);
      } finally {
        await file.close();
      }
    },
  };
}

/** All pictures in order, some at a time. */
function piecesOf({ count, shape }: PixelSource): Int32Array[] {
  const each = Math.max(1, Math.floor(pieceBytes / sizeOf(shape)));
  return Array.from({ length: Math.ceil(count / each) }, (_, piece) =>
    Int32Array.from({ length: Math.min(each, count - piece * each) }, (__, i) => piece * each + i),
  );
}

/** Stretches of indices that follow each other: they lie side by side in the file. */
function runsOf(indices: ArrayLike<number>, longest: number): { from: number; to: number }[] {
  const runs: { from: number; to: number }[] = [];
  for (let from = 0, to = 1; from < indices.length; from = to++) {
    while (to < indices.length && indices[to] === indices[to - 1] + 1 && to - from < longest) to++;
    runs.push({ from, to });
  }
  return runs;
}

function recordOf(pixels: Uint8Array, i: number, bytes: number): Uint8Array {
  return pixels.subarray(i * bytes, (i + 1) * bytes);
}

/** Whether there were enough bytes. */
async function readFully(file: FileHandle, into: Uint8Array, position: number): Promise<boolean> {
  for (let done = 0; done < into.length;) {
    const { bytesRead } = await file.read(into, done, into.length - done, position + done);
    if (bytesRead === 0) return false;
    done += bytesRead;
  }
  return true;
}

async function writable(path: string, partial: string): Promise<FileHandle> {
  try {
    await mkdir(dirname(path), { recursive: true });
    return await open(partial, "w");
  } catch (cause) {
    throw unusable(path, "written", cause);
  }
}

async function write(file: FileHandle, path: string, bytes: Uint8Array, position: number): Promise<void> {
  try {
    for (let done = 0; done < bytes.length;) {
      done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
    }
  } catch (cause) {
    throw unusable(path, "written", cause);
  }
}

function unusable(path: string, how: "read" | "written", cause: unknown): Error {
  return imageFolderFault(
    "cache",
    `must be a file that can be ${how}`,
    wordsOf(cause),
    `Make place for ${path}, name another folder in cache, or leave cache out.`,
  );
}

function damaged(path: string, index: number): Error {
  return imageFolderFault(
    `cache ${path}`,
    "must hold the pixels that were written",
    `others in picture ${index}`,
    "Delete the file: it is made anew.",
  );
}
