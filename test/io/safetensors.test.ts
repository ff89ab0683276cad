import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadWeights, saveWeights, type Weighted } from "../../src/io/checkpoint.js";
import { loadSafetensors, saveSafetensors } from "../../src/io/safetensors.js";
import { encodeSafetensors, type StoredTensor } from "../../src/io/safetensorsBytes.js";

const golden = fileURLToPath(new URL("../golden/safetensors/every-type.safetensors", import.meta.url));

let folder: string;
let path: string;
let tensorsBefore: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "katlab-safetensors-"));
  path = join(folder, "weights.safetensors");
  tensorsBefore = tf.memory().numTensors;
});

afterEach(async () => {
  await rm(folder, { recursive: true });
  expect(tf.memory().numTensors).toBe(tensorsBefore);
});

async function store(tensors: Record<string, StoredTensor>): Promise<void> {
  await writeFile(path, encodeSafetensors(tensors));
}

describe("saveSafetensors and loadSafetensors", () => {
  test("bring back shape, type, values and metadata", async () => {
    const saved = {
      weight: tf.tensor2d([
        [1.5, -2],
        [Number.NaN, Number.NEGATIVE_INFINITY],
      ]),
      "labels.0": tf.tensor1d([-1, 2 ** 31 - 1], "int32"),
      mask: tf.tensor3d([1, 0], [1, 2, 1], "bool"),
      scalar: tf.scalar(0.1),
      empty: tf.zeros([0, 4]),
    };
    await saveSafetensors(path, saved, { model: "kat" });
    const { tensors, metadata } = await loadSafetensors(path);
    expect(metadata).toEqual({ model: "kat" });
    expect(Object.keys(tensors).sort()).toEqual(Object.keys(saved).sort());
    for (const [name, expected] of Object.entries(saved)) {
      expect([name, tensors[name].shape, tensors[name].dtype]).toEqual([
        name,
        expected.shape,
        expected.dtype,
      ]);
      expect(tensors[name].dataSync()).toEqual(expected.dataSync());
    }
    expect(await readdir(folder)).toEqual(["weights.safetensors"]);
    tf.dispose([saved, tensors]);
  });

  test("write the same bytes as encodeSafetensors, whatever the order", async () => {
    const [a, b] = [tf.tensor1d([1, 2]), tf.tensor1d([3], "int32")];
    await saveSafetensors(path, { b, a });
    const expected = encodeSafetensors({
      a: { dtype: "F32", shape: [2], data: Float32Array.of(1, 2) },
      b: { dtype: "I32", shape: [1], data: Int32Array.of(3) },
    });
    expect(Buffer.compare(await readFile(path), expected)).toBe(0);
    tf.dispose([a, b]);
  });

  test("widen half precision, round float64, and take integers and booleans as they are", async () => {
    await store({
      half: { dtype: "F16", shape: [2], data: Uint16Array.of(0x3c00, 0x7bff) },
      brain: { dtype: "BF16", shape: [1], data: Uint16Array.of(0x4049) },
      double: { dtype: "F64", shape: [2], data: Float64Array.of(0.1, Number.POSITIVE_INFINITY) },
      long: { dtype: "I64", shape: [2], data: BigInt64Array.of(-7n, 2n ** 31n - 1n) },
      byte: { dtype: "U8", shape: [1], data: Uint8Array.of(255) },
      flag: { dtype: "BOOL", shape: [2], data: Uint8Array.of(1, 0) },
    });
    const { tensors } = await loadSafetensors(path);
    const read = Object.fromEntries(
      Object.entries(tensors).map(([name, tensor]) => [name, [tensor.dtype, ...tensor.dataSync()]]),
    );
    expect(read).toEqual({
      half: ["float32", 1, 65504],
      brain: ["float32", 3.140625],
      double: ["float32", Math.fround(0.1), Number.POSITIVE_INFINITY],
      long: ["int32", -7, 2 ** 31 - 1],
      byte: ["int32", 255],
      flag: ["bool", 1, 0],
    });
    tf.dispose(tensors);
  });

  test.each<[string, StoredTensor, string]>([
    [
      "I64",
      { dtype: "I64", shape: [1], data: BigInt64Array.of(2n ** 31n) },
      "type I64 must fit 32-bit signed integers; got 2147483648 at element 0",
    ],
    [
      "U32",
      { dtype: "U32", shape: [2], data: Uint32Array.of(0, 2 ** 32 - 1) },
      "got 4294967295 at element 1",
    ],
    [
      "F64",
      { dtype: "F64", shape: [1], data: Float64Array.of(-1e300) },
      "type F64 must fit float32; got -1e+300",
    ],
  ])("refuse %s that does not fit, and leave no tensor behind", async (_dtype, tensor, message) => {
    await store({ first: { dtype: "I64", shape: [1], data: BigInt64Array.of(1n) }, second: tensor });
    await expect(loadSafetensors(path)).rejects.toMatchObject({
      code: "invalid",
      message: expect.stringContaining(message) as string,
    });
  });

  test("refuse to load the golden file for its 64-bit integers, naming file and tensor", async () => {
    await expect(loadSafetensors(golden)).rejects.toThrow(`${golden}: tensor long of type I64`);
  });

  test("refuse types that the format does not have, before touching the old file", async () => {
    await writeFile(path, "old");
    const text = tf.tensor1d(["a"]);
    await expect(saveSafetensors(path, { text })).rejects.toThrow(
      "tensor text must be float32, int32 or bool; got string",
    );
    expect(await readFile(path, "utf8")).toBe("old");
    text.dispose();
  });

  test("refuse cut and missing files", async () => {
    await expect(loadSafetensors(path)).rejects.toMatchObject({ code: "unavailable" });
    const bytes = await readFile(golden);
    for (const length of [0, 7, 8, 100, bytes.length - 1]) {
      await writeFile(path, bytes.subarray(0, length));
      await expect(loadSafetensors(path)).rejects.toMatchObject({ code: "invalid" });
    }
  });
});

describe("saveWeights and loadWeights", () => {
  test("pass the weights, strictness and metadata through, and dispose what was read", async () => {
    const weight = tf.tensor1d([1, 2]);
    const received: unknown[] = [];
    const model: Weighted = {
      weights: () => ({ weight }),
      loadWeights: (weights, options) => received.push([...weights.weight.dataSync()], options),
    };
    await saveWeights(model, path, { name: "test" });
    expect(await loadWeights(model, path, { strict: false })).toEqual({ name: "test" });
    expect(received).toEqual([[1, 2], { strict: false }]);
    weight.dispose();
  });

  test("dispose what was read also when the model refuses it", async () => {
    const weight = tf.scalar(1);
    const model: Weighted = {
      weights: () => ({ weight }),
      loadWeights: () => {
        throw new Error("other names");
      },
    };
    await saveWeights(model, path);
    await expect(loadWeights(model, path)).rejects.toThrow("other names");
    weight.dispose();
  });
});
