import { mustBe } from "../errors.js";
import { sizeOf } from "../shape.js";
import {
  elementBytes,
  type ElementArray,
  layOutTensors,
  lengthBytes,
  parseHeader,
  readHeaderLength,
  type SafetensorsDtype,
  viewElements,
} from "./safetensorsHeader.js";

/** One tensor of a file, bit by bit. */
export interface StoredTensor {
  /** Type of the elements in the file. */
  readonly dtype: SafetensorsDtype;
  /** Sizes of the axes; empty for a scalar. */
  readonly shape: readonly number[];
  /** The elements, row-major. */
  readonly data: ElementArray;
}

/** The content of a file. */
export interface SafetensorsContent {
  /** By name. */
  readonly tensors: Readonly<Record<string, StoredTensor>>;
  /** Text by name, the header's `__metadata__`. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads a file in safetensors format: the length of the header, the header in JSON, the elements.
 * Nothing is converted: half-precision elements come as their bits.
 *
 * @param bytes the whole file
 * @param subject names the file in messages
 * @throws KatlabError `invalid` for anything the format does not allow, and for the element types below
 * 16 bits that have no typed array (8-bit floats and smaller)
 * @see https://huggingface.co/docs/safetensors
 */
export function decodeSafetensors(bytes: Uint8Array, subject = "safetensors"): SafetensorsContent {
  const headerLength = readHeaderLength(subject, bytes.subarray(0, lengthBytes), bytes.length);
  const header = bytes.subarray(lengthBytes, lengthBytes + headerLength);
  const data = bytes.subarray(lengthBytes + headerLength);
  const { entries, metadata } = parseHeader(subject, header, data.length);
  const tensors = entries.map(({ name, dtype, shape, begin, end }) => {
    // A copy: a view must start at a multiple of its element size, which the format does not promise.
    const elements = viewElements(dtype, Uint8Array.from(data.subarray(begin, end)).buffer);
    checkBooleans(subject, name, dtype, elements);
    return [name, { dtype, shape, data: elements }] as const;
  });
  return { tensors: Object.fromEntries(tensors), metadata };
}

/**
 * Writes what {@link decodeSafetensors} reads. The same content gives the same bytes, and those that the
 * reference implementation writes.
 *
 * @throws KatlabError `invalid` when a tensor has another number or type of elements than it says
 */
export function encodeSafetensors(
  tensors: Readonly<Record<string, StoredTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const { head, entries } = layOutTensors(tensors, metadata);
  const file = new Uint8Array(head.length + (entries.at(-1)?.end ?? 0));
  file.set(head);
  for (const { name, dtype, shape, begin } of entries) {
    const { data } = tensors[name];
    if (data.length !== sizeOf(shape) || data.BYTES_PER_ELEMENT !== elementBytes(dtype)) {
      throw mustBe({
        subject: `tensor ${name}`,
        must: `must have ${sizeOf(shape)} elements of type ${dtype} for shape [${shape.join(", ")}]`,
        got: `${data.length} of ${data.BYTES_PER_ELEMENT} bytes`,
        remedy: "Pass dtype, shape and data of the same tensor.",
      });
    }
    checkBooleans("safetensors", name, dtype, data);
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), head.length + begin);
  }
  return file;
}

/** A boolean is the byte 0 or 1: others would count as true here and as an error or a number elsewhere. */
export function checkBooleans(
  subject: string,
  name: string,
  dtype: SafetensorsDtype,
  elements: ElementArray,
): void {
  if (dtype !== "BOOL") return;
  const wrong = (elements as Uint8Array).find((byte) => byte > 1);
  if (wrong === undefined) return;
  throw mustBe({
    subject,
    must: `tensor ${name} of type BOOL must hold the bytes 0 and 1 only`,
    got: String(wrong),
    remedy: "Store numbers as U8.",
  });
}
