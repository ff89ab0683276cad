import { expect, test } from "vitest";
import { KatlabError } from "../../src/errors.js";
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from "../../src/io/safetensorsBytes.js";

const tensors: Record<string, StoredTensor> = {
  weight: { dtype: "F32", shape: [2, 3], data: Float32Array.of(1, -2, 3.5, 0, 1e-30, 7) },
  steps: { dtype: "I64", shape: [2], data: BigInt64Array.of(-1n, 1n << 60n) },
  half: { dtype: "F16", shape: [3], data: Uint16Array.of(0x3c00, 0x7e00, 0x8000) },
  mask: { dtype: "BOOL", shape: [3], data: Uint8Array.of(0, 1, 1) },
  empty: { dtype: "U8", shape: [0, 4], data: new Uint8Array() },
};
const file = encodeSafetensors(tensors);
const dataStart = 8 + Number(new DataView(file.buffer).getBigUint64(0, true));

/** Uniform whole numbers below `limit` (mulberry32), so that a failure comes again. */
function seeded(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let z = Math.imul(state ^ (state >>> 15), 1 | state);
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z;
    return ((z ^ (z >>> 14)) >>> 0) % limit;
  };
}

/** The bytes of all tensors in the order of their places, whatever they are called now. */
function stored(bytes: Uint8Array): number[] {
  return Object.values(decodeSafetensors(bytes).tensors).flatMap(({ data }) => [
    ...new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  ]);
}

/** What decoding gives; anything thrown must be a KatlabError. */
function decodedOrRefused(bytes: Uint8Array): number[] | undefined {
  try {
    return stored(bytes);
  } catch (fault) {
    expect(fault).toBeInstanceOf(KatlabError);
    expect((fault as KatlabError).code).toBe("invalid");
    return undefined;
  }
}

test("500 files with a changed byte are refused or give every byte of the data", () => {
  const below = seeded(1);
  let refusals = 0;
  for (let i = 0; i < 500; i++) {
    const changed = Uint8Array.from(file);
    const at = below(file.length);
    changed[at] ^= 1 + below(255);
    const got = decodedOrRefused(changed);
    if (got === undefined) refusals++;
    else expect(got, `byte ${at}`).toEqual([...changed.subarray(dataStart)]);
  }
  expect(refusals).toBeGreaterThan(100);
  expect(refusals).toBeLessThan(500);
});

test("500 shortened or lengthened files are refused", () => {
  const below = seeded(2);
  for (let i = 0; i < 500; i++) {
    const bytes =
      i % 2 === 0
        ? file.subarray(0, below(file.length))
        : Uint8Array.from([...file, ...Array.from({ length: 1 + below(20) }, () => below(256))]);
    expect(decodedOrRefused(bytes), `${bytes.length} bytes`).toBeUndefined();
  }
});

test("the unchanged file gives the tensors", () => {
  expect(decodeSafetensors(file).tensors).toEqual(tensors);
});
