import { type KatlabError, mustBe } from "../errors.js";
import { sizeOf } from "../shape.js";

// In the order of the reference implementation, which writes the last type first.
const arrays = {
  BOOL: Uint8Array,
  U8: Uint8Array,
  I8: Int8Array,
  I16: Int16Array,
  U16: Uint16Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I32: Int32Array,
  U32: Uint32Array,
  F32: Float32Array,
  F64: Float64Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
} as const;

/** Element types of the format that have a typed array of the same bits. */
export type SafetensorsDtype =
  "BOOL" | "U8" | "I8" | "I16" | "U16" | "F16" | "BF16" | "I32" | "U32" | "F32" | "F64" | "I64" | "U64";

/** Elements bit by bit: the typed array of the dtype's name; for `F16` and `BF16` the 16-bit patterns. */
export type ElementArray =
  | Uint8Array
  | Int8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/** Where a tensor lies in the data part of a file. */
export interface SafetensorsEntry {
  /** Any text but `__metadata__`. */
  readonly name: string;
  /** Type of the elements in the file. */
  readonly dtype: SafetensorsDtype;
  /** Sizes of the axes; empty for a scalar. */
  readonly shape: readonly number[];
  /** First byte, counted from the start of the data part. */
  readonly begin: number;
  /** The byte after the last one. */
  readonly end: number;
}

/** What the header says. */
export interface SafetensorsHeader {
  /** In the order of their places. */
  readonly entries: readonly SafetensorsEntry[];
  /** Text by name, the header's `__metadata__`. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Bytes of the header's length, a little-endian 64-bit integer, which start a file. */
export const lengthBytes = 8;

/** The longest header the format allows. */
const maximumHeaderBytes = 100_000_000;

const metadataName = "__metadata__";
const dtypes = Object.keys(arrays) as SafetensorsDtype[];

/** Bytes of one element. */
export function elementBytes(dtype: SafetensorsDtype): number {
  return arrays[dtype].BYTES_PER_ELEMENT;
}

/**
 * Bytes as elements, without a copy.
 *
 * @param buffer exactly the bytes of one tensor
 */
export function viewElements(dtype: SafetensorsDtype, buffer: ArrayBuffer): ElementArray {
  return new arrays[dtype](buffer);
}

/**
 * Reads the length of the header from the first eight bytes.
 *
 * @param start the file's first bytes
 * @param fileBytes length of the whole file
 * @throws KatlabError `invalid` when the file is too short for it, or it is longer than 100 MB
 */
export function readHeaderLength(subject: string, start: Uint8Array, fileBytes: number): number {
  if (start.length < lengthBytes) {
    throw refused(subject, "must start with eight bytes of header length", `${start.length} bytes`);
  }
  const length = new DataView(start.buffer, start.byteOffset).getBigUint64(0, true);
  if (length > maximumHeaderBytes) {
    throw refused(subject, `header must be at most ${maximumHeaderBytes} bytes long`, String(length));
  }
  if (lengthBytes + Number(length) > fileBytes) {
    throw refused(subject, `must hold its header of ${length} bytes`, `a file of ${fileBytes} bytes`);
  }
  return Number(length);
}

/**
 * Reads and checks a header: every tensor has a known type and as many bytes as its shape says, and
 * together they cover the data without a gap or an overlap.
 *
 * @param header the JSON text with its padding
 * @param dataBytes length of what follows the header
 * @throws KatlabError `invalid` for anything else
 */
export function parseHeader(subject: string, header: Uint8Array, dataBytes: number): SafetensorsHeader {
  const { [metadataName]: metadata = {}, ...tensors } = parseObject(subject, header);
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === "string")) {
    throw refused(subject, `${metadataName} must map text to text`, JSON.stringify(metadata));
  }
  const entries = Object.entries(tensors).map(([name, value]) => parseEntry(subject, name, value));
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== covered) {
      const fault = begin < covered ? "an overlap" : "a gap";
      throw refused(
        subject,
        `tensor ${name} must begin at byte ${covered} of the data`,
        `${fault}: ${begin}`,
      );
    }
    covered = end;
  }
  if (covered !== dataBytes) {
    throw refused(subject, `data must be ${covered} bytes long, as the tensors say`, `${dataBytes} bytes`);
  }
  return { entries, metadata: metadata as Record<string, string> };
}

/**
 * Places tensors in a file and writes its head: the widest types first, so that each tensor starts at a
 * multiple of its element size, and by name within a type.
 *
 * @throws KatlabError `invalid` for a tensor called `__metadata__`
 */
export function layOutTensors(
  tensors: Readonly<Record<string, { readonly dtype: SafetensorsDtype; readonly shape: readonly number[] }>>,
  metadata: Readonly<Record<string, string>>,
): {
  /** The bytes before the data, a multiple of 8. */
  head: Uint8Array;
  /** The places in file order. */
  entries: SafetensorsEntry[];
} {
  if (Object.hasOwn(tensors, metadataName)) {
    throw mustBe({
      subject: "safetensors",
      must: `a tensor's name must not be ${metadataName}`,
      got: "a tensor of that name",
      remedy: "Rename it.",
    });
  }
  let begin = 0;
  const entries = Object.entries(tensors)
    .sort(([a, { dtype: typeOfA }], [b, { dtype: typeOfB }]) => {
      return dtypes.indexOf(typeOfB) - dtypes.indexOf(typeOfA) || (a < b ? -1 : 1);
    })
    .map(([name, { dtype, shape }]): SafetensorsEntry => {
      const place = { begin, end: begin + sizeOf(shape) * elementBytes(dtype) };
      begin = place.end;
      return { name, dtype, shape, ...place };
    });
  const members = entries.map((entry): [string, unknown] => [
    entry.name,
    { dtype: entry.dtype, shape: entry.shape, data_offsets: [entry.begin, entry.end] },
  ]);
  if (Object.keys(metadata).length > 0) members.unshift([metadataName, metadata]);
  // Not one stringify: an object would move names that look like numbers to the front.
  const json = members.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",");
  const text = new TextEncoder().encode(`{${json}}`);
  const length = Math.ceil(text.length / 8) * 8;
  const head = new Uint8Array(lengthBytes + length).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(length), true);
  head.set(text, lengthBytes);
  return { head, entries };
}

function parseEntry(subject: string, name: string, value: unknown): SafetensorsEntry {
  const complain = (must: string, got: unknown): KatlabError =>
    refused(subject, `tensor ${name} ${must}`, JSON.stringify(got));
  if (!isRecord(value)) throw complain("must be described by dtype, shape and data_offsets", value);
  const { dtype, shape, data_offsets: offsets } = value;
  if (!dtypes.some((known) => known === dtype)) {
    throw complain(`must have one of the types ${dtypes.join(", ")}`, dtype ?? null);
  }
  if (!isSizes(shape)) throw complain("must have a shape of whole numbers", shape ?? null);
  if (!isSizes(offsets) || offsets.length !== 2) {
    throw complain("must have two whole data_offsets", offsets ?? null);
  }
  const [begin, end] = offsets;
  const bytes = sizeOf(shape) * elementBytes(dtype as SafetensorsDtype);
  if (end - begin !== bytes) {
    throw complain(
      `of type ${String(dtype)} and shape [${shape.join(", ")}] must have ${bytes} bytes`,
      offsets,
    );
  }
  return { name, dtype: dtype as SafetensorsDtype, shape, begin, end };
}

function parseObject(subject: string, header: Uint8Array): Record<string, unknown> {
  const complain = (got: string, cause?: unknown): KatlabError =>
    refused(subject, "header must be one JSON object in UTF-8, padded by spaces", got, cause);
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(header);
    value = JSON.parse(text);
  } catch (cause) {
    throw complain((cause as Error).message, cause);
  }
  if (!isRecord(value) || !/^\{[^]*\} *$/.test(text)) {
    throw complain(`${JSON.stringify(text.slice(0, 20))}…${JSON.stringify(text.slice(-5))}`);
  }
  const repeated = repeatedKey(text);
  if (repeated !== undefined) {
    throw refused(subject, "a name must come only once in the header", `${JSON.stringify(repeated)} twice`);
  }
  return value;
}

/** The first key that an object of valid JSON has twice; `JSON.parse` would silently keep the last. */
function repeatedKey(json: string): string | undefined {
  const keys: Set<string>[] = [];
  for (const [token, key] of json.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === "{") keys.push(new Set());
    else if (token === "}") keys.pop();
    else if (key) {
      const name = JSON.parse(key) as string;
      const known = keys[keys.length - 1];
      if (known.has(name)) return name;
      known.add(name);
    }
  }
  return undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && (size as number) >= 0);
}

function refused(subject: string, must: string, got: string, cause?: unknown): KatlabError {
  const remedy = "The file is damaged or not in safetensors format; copy or save it again.";
  const fault = mustBe({ subject, must, got, remedy });
  if (cause !== undefined) fault.cause = cause;
  return fault;
}
