import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KatlabError } from "../../src/errors.js";
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from "../../src/io/safetensorsBytes.js";
import { type SafetensorsDtype, viewElements } from "../../src/io/safetensorsHeader.js";

// Written by the reference implementation; see make.py beside it.
const golden = await readFile(
  fileURLToPath(new URL("../golden/safetensors/every-type.safetensors", import.meta.url)),
);

/** A file by hand: header text, data, and the length that the first eight bytes claim. */
function file(
  header: string,
  data: ArrayLike<number> = [],
  claimed = BigInt(Buffer.byteLength(header)),
): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, claimed, true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

function refusal(bytes: Uint8Array): string {
  try {
    decodeSafetensors(bytes, "file");
  } catch (error) {
    expect(error).toMatchObject({ name: "KatlabError", code: "invalid" });
    return (error as Error).message;
  }
  throw new Error("nothing was refused");
}

describe("decodeSafetensors", () => {
  test("reads a file written by hand", () => {
    const header =
      '{"a":{"dtype":"I16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[],"data_offsets":[4,5]}}  ';
    const { tensors, metadata } = decodeSafetensors(file(header, [1, 0, 0xff, 0xff, 7]));
    expect(tensors).toEqual({
      a: { dtype: "I16", shape: [2], data: Int16Array.of(1, -1) },
      b: { dtype: "U8", shape: [], data: Uint8Array.of(7) },
    });
    expect(metadata).toEqual({});
  });

  test("reads what the reference implementation wrote, every type bit by bit", () => {
    const { tensors, metadata } = decodeSafetensors(golden);
    expect(metadata).toEqual({ "made by": "make.py" });
    const stored = (dtype: SafetensorsDtype, shape: number[], data: StoredTensor["data"]): StoredTensor => ({
      dtype,
      shape,
      data,
    });
    expect(tensors).toEqual({
      "blocks.0.mlp.fc1.weight": stored("F32", [2, 3], Float32Array.of(1.5, -2.25, 3, 0.1, 1e-45, -3.4e38)),
      double: stored("F64", [2], Float64Array.of(0.1, -1e300)),
      half: stored("F16", [8], Uint16Array.of(0, 0x8000, 0x3c00, 0xc100, 0x7bff, 1, 0x7c00, 0xfc00)),
      brain: stored("BF16", [4], Uint16Array.of(0x3f80, 0xc000, 0x4049, 0x7fc0)),
      long: stored("I64", [3], BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n, -7n)),
      int: stored("I32", [2, 1], Int32Array.of(-(2 ** 31), 2 ** 31 - 1)),
      byte: stored("U8", [2], Uint8Array.of(0, 255)),
      flag: stored("BOOL", [3], Uint8Array.of(1, 0, 1)),
      scalar: stored("F32", [], Float32Array.of(42)),
      empty: stored("F32", [2, 0, 3], new Float32Array(0)),
      "10": stored("I32", [1], Int32Array.of(10)),
      'quoted "ß" \\': stored("U8", [1], Uint8Array.of(7)),
    });
  });

  test("copies: neither the position in a larger buffer nor a later change matters", () => {
    const larger = new Uint8Array(golden.length + 3);
    larger.set(golden, 3);
    const { tensors } = decodeSafetensors(larger.subarray(3));
    larger.fill(0);
    expect(tensors).toEqual(decodeSafetensors(golden).tensors);
  });

  test("a name may be any text, also one that objects treat specially", () => {
    const { tensors } = decodeSafetensors(
      file('{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', [5]),
    );
    expect(Object.keys(tensors)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(tensors)).toBe(Object.prototype);
  });
});

describe("decodeSafetensors refuses", () => {
  const tensor = (fields: string): string => `{"a":{${fields}}}`;
  test.each<[string, Uint8Array, string]>([
    ["an empty file", new Uint8Array(0), "must start with eight bytes of header length; got 0 bytes"],
    ["a cut length", new Uint8Array(7), "got 7 bytes"],
    ["a cut header", file("{}", [], 3n), "must hold its header of 3 bytes; got a file of 10 bytes"],
    ["a header above 100 MB", file("{}", [], 100_000_001n), "at most 100000000 bytes long; got 100000001"],
    ["a length of 2^64 - 1", file("{}", [], 2n ** 64n - 1n), "got 18446744073709551615"],
    ["an empty header", file(""), "header must be one JSON object"],
    ["text that is no JSON", file("{a}"), "header must be one JSON object"],
    ["a list", file("[]"), "header must be one JSON object"],
    ["null", file("null"), "header must be one JSON object"],
    ["leading space", file(" {}"), "header must be one JSON object"],
    ["padding other than spaces", file("{}\n"), "header must be one JSON object"],
    ["a byte order mark", file("\ufeff{}"), "header must be one JSON object"],
    [
      "bytes that are no UTF-8",
      file("{}").map((b, i) => (i === 9 ? 0xff : b)),
      "header must be one JSON object",
    ],
    ["data without a tensor", file("{}", [0]), "data must be 0 bytes long, as the tensors say; got 1 bytes"],
    [
      "a tensor that is a number",
      file('{"a":1}'),
      "tensor a must be described by dtype, shape and data_offsets; got 1",
    ],
    ["no type", file(tensor('"shape":[0],"data_offsets":[0,0]')), "tensor a must have one of the types"],
    ["an unknown type", file(tensor('"dtype":"F8_E4M3","shape":[0],"data_offsets":[0,0]')), 'got "F8_E4M3"'],
    [
      "a type from Object",
      file(tensor('"dtype":"constructor","shape":[0],"data_offsets":[0,0]')),
      'got "constructor"',
    ],
    [
      "no shape",
      file(tensor('"dtype":"U8","data_offsets":[0,1]'), [0]),
      "tensor a must have a shape of whole numbers",
    ],
    ["a negative size", file(tensor('"dtype":"U8","shape":[-1],"data_offsets":[0,1]'), [0]), "got [-1]"],
    ["half a size", file(tensor('"dtype":"U8","shape":[0.5],"data_offsets":[0,1]'), [0]), "got [0.5]"],
    [
      "one offset",
      file(tensor('"dtype":"U8","shape":[1],"data_offsets":[0]'), [0]),
      "tensor a must have two whole data_offsets",
    ],
    [
      "offsets as text",
      file(tensor('"dtype":"U8","shape":[1],"data_offsets":["0","1"]'), [0]),
      "two whole data_offsets",
    ],
    [
      "more bytes than elements",
      file(tensor('"dtype":"F32","shape":[1],"data_offsets":[0,5]'), [0, 0, 0, 0, 0]),
      "tensor a of type F32 and shape [1] must have 4 bytes; got [0,5]",
    ],
    [
      "offsets the wrong way round",
      file(tensor('"dtype":"U8","shape":[1],"data_offsets":[1,0]'), [0]),
      "must have 1 bytes",
    ],
    [
      "a shape whose product overflows",
      file(tensor('"dtype":"U8","shape":[9007199254740991,9007199254740991],"data_offsets":[0,1]'), [0]),
      "must have 8.11",
    ],
    [
      "a place past the end",
      file(tensor('"dtype":"U8","shape":[2],"data_offsets":[0,2]'), [0]),
      "data must be 2 bytes long",
    ],
    [
      "a gap before",
      file(tensor('"dtype":"U8","shape":[1],"data_offsets":[1,2]'), [0, 0]),
      "tensor a must begin at byte 0 of the data; got a gap: 1",
    ],
    [
      "trailing bytes",
      file(tensor('"dtype":"U8","shape":[1],"data_offsets":[0,1]'), [0, 0]),
      "data must be 1 bytes long, as the tensors say; got 2 bytes",
    ],
    [
      "a gap between",
      file(
        '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}',
        [0, 0, 0],
      ),
      "tensor b must begin at byte 1 of the data; got a gap: 2",
    ],
    [
      "an overlap",
      file(
        '{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}',
        [0, 0, 0],
      ),
      "tensor b must begin at byte 2 of the data; got an overlap: 1",
    ],
    [
      "two tensors in one place",
      file(
        '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
        [0],
      ),
      "an overlap",
    ],
    [
      "a name twice",
      file(
        '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}, "\\u0061" :{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
      ),
      'a name must come only once in the header; got "a" twice',
    ],
    [
      "a field twice",
      file(tensor('"dtype":"U8","shape":[1],"shape":[0],"data_offsets":[0,0]')),
      'got "shape" twice',
    ],
    [
      "metadata that is no text",
      file('{"__metadata__":{"epoch":1}}'),
      '__metadata__ must map text to text; got {"epoch":1}',
    ],
    ["metadata that is a list", file('{"__metadata__":["a"]}'), "__metadata__ must map text to text"],
    [
      "a boolean of 2",
      file(tensor('"dtype":"BOOL","shape":[1],"data_offsets":[0,1]'), [2]),
      "must hold the bytes 0 and 1 only; got 2",
    ],
  ])("%s", (_what, bytes, message) => {
    expect(refusal(bytes)).toContain(message);
  });

  test("values in metadata that look like keys are no keys", () => {
    const { metadata } = decodeSafetensors(
      file('{"__metadata__":{"a":"b","b":"{\\"a\\":\\"a\\"}","c":"\\\\"}}'),
    );
    expect(metadata).toEqual({ a: "b", b: '{"a":"a"}', c: "\\" });
  });
});

const storedTensor = fc
  .record({
    dtype: fc.constantFrom<SafetensorsDtype>(
      ...([
        "BOOL",
        "U8",
        "I8",
        "I16",
        "U16",
        "F16",
        "BF16",
        "I32",
        "U32",
        "F32",
        "F64",
        "I64",
        "U64",
      ] as const),
    ),
    shape: fc.array(fc.nat(4), { maxLength: 3 }),
    seed: fc.nat(255),
  })
  .map(({ dtype, shape, seed }): StoredTensor => {
    const size =
      shape.reduce((product, n) => product * n, 1) *
      viewElements(dtype, new ArrayBuffer(0)).BYTES_PER_ELEMENT;
    const bytes = Uint8Array.from({ length: size }, (_, i) =>
      dtype === "BOOL" ? (i + seed) % 2 : (i * 97 + seed) % 256,
    );
    return { dtype, shape, data: viewElements(dtype, bytes.buffer) };
  });
const content = fc.dictionary(fc.string({ unit: "grapheme" }), storedTensor, { maxKeys: 6 });

function bits(tensors: Readonly<Record<string, StoredTensor>>): unknown {
  return Object.entries(tensors)
    .map(([name, { dtype, shape, data }]) => [name, dtype, shape, Buffer.from(data.buffer).toString("hex")])
    .sort();
}

describe("encodeSafetensors", () => {
  test("gives the bytes of the reference implementation", () => {
    const { tensors, metadata } = decodeSafetensors(golden);
    expect(Buffer.compare(encodeSafetensors(tensors, metadata), golden)).toBe(0);
  });

  test("an empty file is an empty object", () => {
    expect(encodeSafetensors({})).toEqual(file("{}      "));
  });

  test("what it writes is read back, and starts every tensor at a multiple of its element size", () => {
    fc.assert(
      fc.property(content, fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }), (tensors, metadata) => {
        const bytes = encodeSafetensors(tensors, metadata);
        const read = decodeSafetensors(bytes);
        expect(bits(read.tensors)).toEqual(bits(tensors));
        expect({ ...read.metadata }).toEqual({ ...metadata });
        expect(Number(new DataView(bytes.buffer).getBigUint64(0, true)) % 8).toBe(0);
        const header = JSON.parse(
          new TextDecoder().decode(
            bytes.subarray(8, 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true))),
          ),
        ) as Record<string, { data_offsets?: number[] }>;
        for (const [name, { data }] of Object.entries(read.tensors)) {
          expect((header[name].data_offsets?.[0] ?? 0.5) % data.BYTES_PER_ELEMENT).toBe(0);
        }
      }),
    );
  });

  test.each<[string, StoredTensor, string]>([
    ["elements", { dtype: "F32", shape: [3], data: new Float32Array(2) }, "must have 3 elements of type F32"],
    ["type", { dtype: "F32", shape: [2], data: new Float64Array(2) }, "got 2 of 8 bytes"],
    ["boolean", { dtype: "BOOL", shape: [1], data: Uint8Array.of(3) }, "0 and 1 only; got 3"],
  ])("refuses another %s than the tensor says", (_what, tensor, message) => {
    expect(() => encodeSafetensors({ a: tensor })).toThrow(message);
  });

  test("refuses a tensor with the name of the metadata", () => {
    const tensor: StoredTensor = { dtype: "U8", shape: [0], data: new Uint8Array(0) };
    expect(() => encodeSafetensors({ __metadata__: tensor })).toThrow(
      "a tensor's name must not be __metadata__",
    );
  });
});

test("500 damaged files: each is refused with our error, or has its data elsewhere untouched", () => {
  const whole = decodeSafetensors(golden);
  const headerEnd = 8 + Number(new DataView(golden.buffer, golden.byteOffset).getBigUint64(0, true));
  let refused = 0;
  fc.assert(
    fc.property(
      fc.oneof(
        fc.record({ cut: fc.nat(golden.length - 1) }),
        fc.record({ grow: fc.integer({ min: 1, max: 64 }) }),
        fc.record({ at: fc.nat(headerEnd - 1), flip: fc.integer({ min: 1, max: 255 }) }),
        fc.record({
          from: fc.nat(headerEnd - 1),
          to: fc.nat(headerEnd - 1),
          count: fc.integer({ min: 1, max: 40 }),
        }),
      ),
      (damage) => {
        let bytes = Uint8Array.from(golden);
        if ("cut" in damage) bytes = bytes.subarray(0, damage.cut);
        else if ("grow" in damage) bytes = Uint8Array.from([...bytes, ...new Uint8Array(damage.grow)]);
        else if ("flip" in damage) bytes[damage.at] ^= damage.flip;
        else bytes.copyWithin(damage.to, damage.from, damage.from + damage.count);
        try {
          const { tensors } = decodeSafetensors(bytes, "damaged");
          expect("cut" in damage || "grow" in damage).toBe(false);
          // Only names, metadata or a type or shape of the same size can differ: all bytes are still covered once.
          const total = (all: Readonly<Record<string, StoredTensor>>): number =>
            Object.values(all).reduce((sum, { data }) => sum + data.byteLength, 0);
          expect(total(tensors)).toBe(total(whole.tensors));
          for (const { dtype, shape, data } of Object.values(tensors)) {
            expect(data).toHaveLength(shape.reduce((product, n) => product * n, 1));
            expect(data.constructor).toBe(viewElements(dtype, new ArrayBuffer(0)).constructor);
          }
        } catch (error) {
          if (!(error instanceof KatlabError)) throw error;
          expect(error.code).toBe("invalid");
          refused++;
        }
      },
    ),
    { numRuns: 500, seed: 20240607 },
  );
  expect(refused).toBeGreaterThan(400);
});
