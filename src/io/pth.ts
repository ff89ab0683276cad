import { isMap } from "node:util/types";
import * as tf from "@tensorflow/tfjs-core";
import { mustBe } from "../errors.js";
import { openToRead } from "./openToRead.js";
import { type StoredBytes, StoredTensor } from "./pickledTensors.js";
import type { PthContent } from "./pthContent.js";
import { legacyMagic, openPthLegacy } from "./pthLegacy.js";
import { openPthZip } from "./pthZip.js";
import type { LoadedTensors } from "./safetensors.js";
import { type ElementArray, viewElements } from "./safetensorsHeader.js";
import { define, tensorOf } from "./tensorOf.js";

/** Which tensors of a file are wanted. */
export interface LoadPthOptions {
  /**
   * Name of the dictionary that holds the tensors, as `"model"` or `"state_dict_ema"`. Default: the whole file, or the only
   * one of its entries that is a dictionary of tensors.
   */
  readonly entry?: string;
}

const zipMagic = Buffer.from("PK\x03\x04", "latin1");

/** Who can read a file that begins so; undefined for what `torch.save` does not write. */
export function pthOpener(start: Uint8Array): ((path: string) => Promise<PthContent>) | undefined {
  if (zipMagic.equals(start.subarray(0, zipMagic.length))) return openPthZip;
  return legacyMagic.equals(start.subarray(0, legacyMagic.length)) ? openPthLegacy : undefined;
}

/**
 * Loads the tensors of a file that PyTorch's `torch.save` wrote (`.pth`, `.pt`, `.bin`) onto the current engine; types become
 * those of {@link loadSafetensors}. No code of the file runs, as `torch.load` could: a pickle may name PyTorch's tensors,
 * storages and `OrderedDict`, nothing else. A module saved whole, objects beside the tensors, and TorchScript are refused.
 *
 * Names that all begin with `module.` (a model on several GPUs) lose it. Numbers and texts beside the tensors are left out.
 *
 * @throws KatlabError `unavailable` when the file cannot be read; `invalid` when it is no such file, is damaged (storages
 *   have checksums since PyTorch 1.6; before, lengths only), names anything else, or has several dictionaries of tensors and
 *   `entry` names none
 */
export async function loadPth(path: string, options: LoadPthOptions = {}): Promise<LoadedTensors> {
  const content = await openPth(path);
  const tensors: Record<string, tf.Tensor> = {};
  try {
    for (const [bytes, named] of byStorage(tensorsOf(path, content.value, options.entry))) {
      const stored = viewElements(bytes.dtype, await content.read(bytes));
      for (const [name, tensor] of named) {
        const described = { name, dtype: bytes.dtype, shape: tensor.shape };
        define(tensors, name, tensorOf(path, described, gather(stored, tensor)));
      }
    }
    return { tensors, metadata: {} };
  } catch (fault) {
    tf.dispose(Object.values(tensors));
    throw fault;
  } finally {
    content.close();
  }
}

async function openPth(path: string): Promise<PthContent> {
  const start = Buffer.alloc(legacyMagic.length);
  const file = await openToRead("loadPth", path);
  await file.read(start, 0, start.length, 0).finally(() => file.close());
  const opener = pthOpener(start);
  if (opener) return opener(path);
  throw refused(path, "must be a file that torch.save wrote", "another kind of file", "Check what it is.");
}

type NamedTensors = readonly (readonly [name: string, tensor: StoredTensor])[];

/** The dictionary of tensors that is meant. */
function tensorsOf(path: string, root: unknown, entry: string | undefined): NamedTensors {
  const remedy = "Save the state_dict in Python: torch.save(model.state_dict(), file).";
  if (!isMap(root)) throw refused(path, "must hold a dictionary of tensors", typeof root, remedy);
  if (entry !== undefined) {
    const found = tensorsIn(root.get(entry));
    if (found.length > 0) return withoutPrefix(found);
    throw refused(path, `${entry} must be a dictionary of tensors`, listed(root), "Choose another entry.");
  }
  const own = tensorsIn(root);
  if (own.length > 0) return withoutPrefix(own);
  const inner = [...root].filter(([, value]) => tensorsIn(value).length > 0);
  if (inner.length === 1) return withoutPrefix(tensorsIn(inner[0][1]));
  if (inner.length === 0) throw refused(path, "must hold a dictionary of tensors", listed(root), remedy);
  const names = listed(new Map(inner));
  throw refused(path, "must hold one dictionary of tensors", names, "Name one of them by entry.");
}

function tensorsIn(value: unknown): NamedTensors {
  if (!isMap(value)) return [];
  return [...value].filter(
    (pair): pair is [string, StoredTensor] => typeof pair[0] === "string" && pair[1] instanceof StoredTensor,
  );
}

function withoutPrefix(named: NamedTensors): NamedTensors {
  const prefix = "module.";
  if (!named.every(([name]) => name.startsWith(prefix))) return named;
  return named.map(([name, tensor]) => [name.slice(prefix.length), tensor]);
}

function listed(map: ReadonlyMap<unknown, unknown>): string {
  return map.size === 0 ? "nothing" : [...map.keys()].slice(0, 8).map(String).join(", ");
}

function byStorage(named: NamedTensors): ReadonlyMap<StoredBytes, NamedTensors> {
  const groups = new Map<StoredBytes, NamedTensors>();
  for (const one of named) groups.set(one[1].bytes, [...(groups.get(one[1].bytes) ?? []), one]);
  return groups;
}

/** The elements of a view, row-major; of a whole storage, itself. */
function gather(stored: ElementArray, { offset, shape, strides }: StoredTensor): ElementArray {
  const size = shape.reduce((product, length) => product * length, 1);
  const rowMajor = shape.map((_, axis) =>
    shape.slice(axis + 1).reduce((product, length) => product * length, 1),
  );
  if (shape.every((length, axis) => length === 1 || strides[axis] === rowMajor[axis])) {
    return stored.slice(offset, offset + size);
  }
  const gathered = stored.slice(0, size);
  const index = shape.map(() => 0);
  let from = offset;
  for (let i = 0; i < size; i++) {
    gathered[i] = stored[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= shape[axis] * strides[axis];
      index[axis] = 0;
    }
  }
  return gathered;
}

function refused(subject: string, must: string, got: string, remedy: string): Error {
  return mustBe({ subject, must, got, remedy });
}
