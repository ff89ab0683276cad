import type { FileHandle } from "node:fs/promises";
import * as tf from "@tensorflow/tfjs-core";
import { mustBe } from "../errors.js";
import { atomicWrite, writeFully } from "./atomicWrite.js";
import { openToRead } from "./openToRead.js";
import {
  layOutTensors,
  lengthBytes,
  parseHeader,
  readHeaderLength,
  type SafetensorsDtype,
  viewElements,
} from "./safetensorsHeader.js";
import { define, tensorOf } from "./tensorOf.js";

/** What {@link loadSafetensors} gives. */
export interface LoadedTensors {
  /** By name; the caller disposes them. */
  tensors: Record<string, tf.Tensor>;
  /** Text that was saved with them. */
  metadata: Record<string, string>;
}

const storedAs: Partial<Record<tf.DataType, SafetensorsDtype>> = {
  float32: "F32",
  int32: "I32",
  bool: "BOOL",
};

/**
 * Saves tensors in one file in safetensors format, which PyTorch, timm and others read. The file appears
 * only when it is complete; an older one stays until then. One tensor at a time is held in memory.
 *
 * @param path usually ends in `.safetensors`
 * @param tensors float32, int32 or bool, by name
 * @param metadata text by name, kept with them
 * @throws KatlabError `invalid` for complex and string tensors
 */
export async function saveSafetensors(
  path: string,
  tensors: Readonly<Record<string, tf.Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const described = Object.entries(tensors).map(([name, { dtype, shape }]) => {
    const stored = storedAs[dtype];
    if (stored !== undefined) return [name, { dtype: stored, shape }] as const;
    throw mustBe({
      subject: `saveSafetensors ${path}`,
      must: `tensor ${name} must be float32, int32 or bool`,
      got: dtype,
      remedy: dtype === "complex64" ? "Save tf.real and tf.imag of it." : "Keep text in the metadata.",
    });
  });
  const { head, entries } = layOutTensors(Object.fromEntries(described), metadata);
  await atomicWrite(path, async (file) => {
    await writeFully(file, head);
    for (const { name } of entries) {
      const data = await tensors[name].data();
      await writeFully(file, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
  });
}

/**
 * Loads all tensors of a file in safetensors format onto the current engine.
 *
 * F32, F16 and BF16 become float32 without a change of value; F64 is rounded to float32. I32, I16, I8,
 * U16, U8, and I64, U64 and U32 within range, become int32. BOOL becomes bool.
 *
 * @throws KatlabError `unavailable` when the file cannot be opened; `invalid` when it is not in the format,
 * an integer does not fit 32 bits, or a finite F64 is too large for float32
 */
export async function loadSafetensors(path: string): Promise<LoadedTensors> {
  const file = await openToRead("loadSafetensors", path);
  const tensors: Record<string, tf.Tensor> = {};
  try {
    const { size } = await file.stat();
    const start = await readAt(file, 0, Math.min(lengthBytes, size));
    const headerLength = readHeaderLength(path, start, size);
    const dataStart = lengthBytes + headerLength;
    const header = await readAt(file, lengthBytes, headerLength);
    const { entries, metadata } = parseHeader(path, header, size - dataStart);
    for (const entry of entries) {
      const bytes = await readAt(file, dataStart + entry.begin, entry.end - entry.begin);
      define(tensors, entry.name, tensorOf(path, entry, viewElements(entry.dtype, bytes.buffer)));
    }
    return { tensors, metadata: { ...metadata } };
  } catch (fault) {
    tf.dispose(Object.values(tensors));
    throw fault;
  } finally {
    await file.close();
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const { bytesRead } = await file.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) throw new Error(`file ended at byte ${position + done}`);
    done += bytesRead;
  }
  return bytes;
}
