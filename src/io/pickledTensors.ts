import type { Parser } from "pickleparser";
import { mustBe } from "../errors.js";
import type { SafetensorsDtype } from "./safetensorsHeader.js";

/** Bytes in a file, by the key under which it keeps them. */
export class StoredBytes {
  readonly key: string;
  readonly dtype: SafetensorsDtype;
  /** Number of elements. */
  readonly elements: number;

  constructor(key: string, dtype: SafetensorsDtype, elements: number) {
    this.key = key;
    this.dtype = dtype;
    this.elements = elements;
    Object.freeze(this);
  }
}

/** A tensor as a file describes it: a view of stored elements. */
export class StoredTensor {
  readonly bytes: StoredBytes;
  /** Of its first element. */
  readonly offset: number;
  readonly shape: readonly number[];
  /** Elements from one place to the next along each axis. */
  readonly strides: readonly number[];

  constructor(bytes: StoredBytes, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.bytes = bytes;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
    Object.freeze(this);
  }
}

class Refusal extends Error {}

const dtypes: Readonly<Record<string, SafetensorsDtype>> = {
  DoubleStorage: "F64",
  FloatStorage: "F32",
  HalfStorage: "F16",
  BFloat16Storage: "BF16",
  LongStorage: "I64",
  IntStorage: "I32",
  ShortStorage: "I16",
  CharStorage: "I8",
  ByteStorage: "U8",
  BoolStorage: "BOOL",
};

/** A type of storage, as far as a pickle may name it. */
class StorageType {
  readonly dtype: SafetensorsDtype;

  constructor(dtype: SafetensorsDtype) {
    this.dtype = dtype;
    Object.freeze(this);
  }
}

type Maker = (...args: unknown[]) => unknown;

/** All that a pickle may call. None of these does more than build the description of a tensor. */
function makers(): ReadonlyMap<string, Maker | StorageType> {
  return new Map<string, Maker | StorageType>([
    [
      "collections.OrderedDict",
      (...args) => (args.length === 0 ? new Map() : refuse("a filled OrderedDict")),
    ],
    ["torch._utils._rebuild_tensor_v2", storedTensor],
    [
      "torch._utils._rebuild_parameter",
      (tensor) => (tensor instanceof StoredTensor ? tensor : refuse("a parameter that is no tensor")),
    ],
    ...Object.entries(dtypes).map(([name, dtype]) => [`torch.${name}`, new StorageType(dtype)] as const),
  ]);
}

/** What a pickle holds. */
export interface Unpickled {
  /** Tensors, numbers, texts, lists, and dictionaries as maps. */
  readonly value: unknown;
  /** All storages it speaks of, by their keys. */
  readonly storages: ReadonlyMap<string, StoredBytes>;
}

/**
 * Reads pickles. Nothing in them can run: a name other than PyTorch's of tensors is refused when it is met.
 *
 * @param subject names the file in messages
 * @param read reads as many as there are
 * @throws KatlabError `invalid` for another name, and for what is no pickle
 */
export async function unpickle(subject: string, read: (parser: Parser) => unknown): Promise<Unpickled> {
  const { Parser } = await import("pickleparser");
  const known = makers();
  const storages = new Map<string, StoredBytes>();
  const parser = new Parser({
    unpicklingTypeOfDictionary: "Map",
    nameResolver: {
      resolve: (module, name) => {
        const maker = known.get(`${module}.${name}`) ?? refuse(`${module}.${name}`);
        return Object.freeze(maker) as Maker; // a storage's type is no function: calling it fails
      },
    },
    persistentResolver: {
      resolve: (id: unknown) => {
        const bytes = storedBytes(id);
        const first = storages.get(bytes.key) ?? bytes;
        if (first.dtype !== bytes.dtype || first.elements !== bytes.elements) {
          return refuse(`storage ${bytes.key} as two different ones`);
        }
        storages.set(bytes.key, first);
        return first;
      },
    },
  });
  try {
    return { value: read(parser), storages };
  } catch (fault) {
    const isRefusal = fault instanceof Refusal;
    throw mustBe({
      subject,
      must: isRefusal ? "must hold tensors and plain values only" : "must be a pickle",
      got: (fault as Error).message,
      remedy: isRefusal
        ? "Save the state_dict alone in Python, best by safetensors; open the file there only if you trust it."
        : "Fetch the file again.",
    });
  }
}

function refuse(what: string): never {
  throw new Refusal(what);
}

/** `("storage", type, key, location, elements)`; in files of before 2020 a sixth entry, null, follows. */
function storedBytes(id: unknown): StoredBytes {
  if (!Array.isArray(id)) return refuse("a reference to what is no storage");
  const [kind, type, key, , elements, view] = id as unknown[];
  const fits =
    kind === "storage" && type instanceof StorageType && typeof key === "string" && isCount(elements);
  if (!fits || (view ?? null) !== null) return refuse("a reference to what is no storage");
  return new StoredBytes(key, type.dtype, elements);
}

function storedTensor(bytes: unknown, offset: unknown, shape: unknown, strides: unknown): StoredTensor {
  const counts = (value: unknown): value is number[] => Array.isArray(value) && value.every(isCount);
  const fits =
    bytes instanceof StoredBytes &&
    isCount(offset) &&
    counts(shape) &&
    counts(strides) &&
    shape.length === strides.length;
  if (!fits) return refuse("a tensor without storage, offset, sizes and strides");
  const size = shape.reduce((product, length) => product * length, 1);
  const last = offset + shape.reduce((sum, length, axis) => sum + (length - 1) * strides[axis], 0);
  // Elements that repeat (an expanded tensor) could name a terabyte by one number.
  if (size > bytes.elements || (size > 0 && last >= bytes.elements)) {
    return refuse(
      `a tensor of ${size} elements, from ${offset} to ${last}, in a storage of ${bytes.elements}`,
    );
  }
  return new StoredTensor(bytes, offset, [...shape], [...strides]);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
