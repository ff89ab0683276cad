import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { KatlabError } from "../../src/errors.js";
import { loadAddon, registerTorchBackend, ScalarType, TorchBackend } from "../../src/torch/backend.js";

const addon = loadAddon();

function backend(): TorchBackend {
  const current = tf.backend();
  if (current instanceof TorchBackend) return current;
  throw new Error(`${tf.getBackend()} is no torch backend`);
}

beforeAll(async () => {
  registerTorchBackend({ name: "torch-float64", float: "float64" });
  await tf.setBackend("torch");
});

let before = { numTensors: 0, handles: 0 };
beforeEach(() => {
  before = { numTensors: tf.memory().numTensors, handles: addon.live() };
  tf.engine().startScope();
});
afterEach(() => {
  tf.engine().endScope();
  expect({ numTensors: tf.memory().numTensors, handles: addon.live() }).toEqual(before);
});

/** Scalar type and shape of the torch tensor behind a tensor. */
function stored(tensor: tf.Tensor): number[] {
  addon.info(backend().handle(tensor));
  return [addon.meta[2], ...addon.meta.subarray(4, 4 + addon.meta[3])];
}

describe("storage", () => {
  test("each dtype has its element type, and comes back as it went in", () => {
    const cases = [
      [tf.tensor([0.5, -0, NaN, -Infinity]), ScalarType.float32, Float32Array.of(0.5, -0, NaN, -Infinity)],
      [tf.tensor([1, -2, 2 ** 31 - 1], [3], "int32"), ScalarType.int32, Int32Array.of(1, -2, 2 ** 31 - 1)],
      [tf.tensor([true, false], [2], "bool"), ScalarType.bool, Uint8Array.of(1, 0)],
      [tf.complex([1, 2], [3, 4]), ScalarType.complex64, Float32Array.of(1, 3, 2, 4)],
    ] as const;
    for (const [tensor, type, values] of cases) {
      expect(stored(tensor)).toEqual([type, ...tensor.shape]);
      expect(tensor.dataSync()).toEqual(values);
    }
  });

  test("read waits and gives the same as readSync", async () => {
    const x = tf.tensor2d([1, 2, 3, 4], [2, 2]);
    expect(await x.data()).toEqual(x.dataSync());
    expect(await x.array()).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  test("strings stay in JavaScript", () => {
    const words = tf.tensor1d(["katlab", "ü"]);
    expect(words.dataSync()).toEqual(["katlab", "ü"]);
    expect([...words.bufferSync().values]).toEqual(["katlab", "ü"]);
    expect(addon.live()).toBe(before.handles);
    expect(() => backend().handle(words)).toThrow("torch: tensors of this operator must hold numbers");
  });

  test("tensors without elements, and scalars", () => {
    const empty = tf.tensor2d([], [0, 3]);
    expect(stored(empty)).toEqual([ScalarType.float32, 0, 3]);
    expect(empty.dataSync()).toEqual(new Float32Array(0));
    expect(stored(tf.scalar(3, "int32"))).toEqual([ScalarType.int32]);
  });

  test("values are copied in", () => {
    const values = Float32Array.of(1, 2);
    const x = tf.tensor1d(values);
    values[0] = 9;
    expect([...x.dataSync()]).toEqual([1, 2]);
  });

  test("writing plain arrays, as tfjs's internals do", () => {
    const dataId = backend().write([1, 2] as unknown as Float32Array, [2], "int32");
    expect(backend().readSync(dataId)).toEqual(Int32Array.of(1, 2));
    backend().disposeData(dataId);
  });

  test("bufferSync gives a copy that can be changed", () => {
    const x = tf.tensor2d([1, 2, 3, 4], [2, 2]);
    const buffer = x.bufferSync();
    buffer.set(9, 0, 1);
    expect([...x.dataSync()]).toEqual([1, 2, 3, 4]);
    expect(buffer.toTensor().arraySync()).toEqual([
      [1, 9],
      [3, 4],
    ]);
  });
});

describe("handles as tensors", () => {
  const adopt = (handle: unknown, dtype?: tf.DataType): tf.Tensor =>
    tf.engine().makeTensorFromTensorInfo(backend().tensorFromHandle(handle as number, dtype));

  test("dtype and shape are read from torch", () => {
    const x = adopt(addon.from(new Float32Array(6), [1, 6], ScalarType.float32, "cpu"));
    expect([x.dtype, x.shape]).toEqual(["float32", [1, 6]]);
    expect(stored(x)).toEqual([ScalarType.float32, 1, 6]);
  });

  test("64-bit and narrow integers become int32, wide floats float32", () => {
    const long = addon.from(BigInt64Array.of(5n, -6n), [2], ScalarType.int64, "cpu");
    const byte = addon.from(Uint8Array.of(5, 200), [2], ScalarType.uint8, "cpu");
    const double = addon.from(Float64Array.of(0.1), [1], ScalarType.float64, "cpu");
    expect(stored(adopt(long))).toEqual([ScalarType.int32, 2]);
    expect([...adopt(byte).dataSync()]).toEqual([5, 200]);
    expect(stored(adopt(double))).toEqual([ScalarType.float32, 1]);
  });

  test("narrow floats are kept, and read as float32", () => {
    const x = adopt(
      addon.from(Float32Array.of(1, 1.0078125), [2], ScalarType.float32, "cpu", ScalarType.bfloat16),
    );
    expect(stored(x)).toEqual([ScalarType.bfloat16, 2]);
    expect([x.dtype, ...x.dataSync()]).toEqual(["float32", 1, 1.0078125]);
  });

  test("the name tfjs uses may be given", () => {
    const x = adopt(addon.from(Int32Array.of(2, 0), [2], ScalarType.int32, "cpu"), "bool");
    expect([x.dtype, ...x.dataSync()]).toEqual(["bool", 1, 0]);
  });

  test("an element type tfjs does not know is refused", () => {
    const uint16 = addon.call(addon.op("aten::zeros"), [1], 27) as number;
    expect(() => backend().tensorFromHandle(uint16)).toThrow(
      "must have an element type that tfjs knows; got scalar type 27",
    );
    expect(() => {
      addon.info(uint16);
    }).toThrow("freed");
  });
});

describe("life of tensors", () => {
  test("clones share a data id and count references", () => {
    const x = tf.tensor1d([1]);
    const clone = tf.clone(x);
    expect(clone.dataId).toBe(x.dataId);
    expect(backend().refCount(x.dataId)).toBe(2);
    x.dispose();
    expect(backend().refCount(clone.dataId)).toBe(1);
    expect([...clone.dataSync()]).toEqual([1]);
    expect(backend().refCount({})).toBe(0);
    expect(backend().disposeData({})).toBe(true);
  });

  test("a disposed tensor is refused by name", () => {
    const x = tf.tensor1d([1]);
    x.dispose();
    expect(() => backend().handle(x)).toThrow("torch: a tensor must be alive; got a disposed tensor");
  });

  test("tensors of another backend move here when they are used, with their clones", async () => {
    await tf.setBackend("cpu");
    const x = tf.tensor1d([1, 2]);
    const z = tf.complex([1], [2]);
    const clone = tf.clone(x);
    await tf.setBackend("torch");
    expect([...tf.add(x, x).dataSync()]).toEqual([2, 4]);
    expect(backend().refCount(clone.dataId)).toBe(2);
    expect([...tf.real(z).dataSync(), ...tf.imag(z).dataSync()]).toEqual([1, 2]);
    await tf.setBackend("cpu");
    expect([...tf.neg(x).dataSync()]).toEqual([-1, -2]);
    await tf.setBackend("torch");
  });

  test("memory is what torch holds", () => {
    const { torchBytes, torchHandles } = backend().memory();
    const x = tf.tensor1d(new Float32Array(100));
    const y = tf.reshape(x, [10, 10]);
    expect(tf.memory()).toMatchObject({
      unreliable: false,
      torchHandles: torchHandles + 2,
      torchBytes: torchBytes + 400,
    });
    expect(backend().numDataIds()).toBeGreaterThanOrEqual(2);
    y.dispose();
  });

  test("time measures the wall time of a function", async () => {
    const { kernelMs, wallMs } = await tf.time(() => tf.square(tf.ones([100, 100])));
    expect(kernelMs).toBeGreaterThan(0);
    expect(kernelMs).toBeLessThanOrEqual(wallMs);
    expect(backend().timerAvailable()).toBe(true);
  });

  test("a removed backend frees its tensors", async () => {
    registerTorchBackend({ name: "torch-short-lived" });
    await tf.setBackend("torch-short-lived");
    const live = addon.live();
    tf.tensor1d([1, 2]);
    tf.tensor1d(["text"]);
    expect(addon.live()).toBe(live + 1);
    backend().dispose();
    expect(addon.live()).toBe(live);
    await tf.setBackend("torch");
  });
});

describe("float64", () => {
  test("stands behind float32 in storage and arithmetic", async () => {
    await tf.setBackend("torch-float64");
    try {
      const x = tf.tensor1d([1e-12]);
      const y = tf.add(x, 1);
      expect(stored(y)).toEqual([ScalarType.float64, 1]);
      expect(y.dtype).toBe("float32");
      // tfjs hands constants over as float32: the value is that of the nearest float32, the sum is exact.
      expect(backend().readFloat64(y)[0]).toBe(1 + Math.fround(1e-12));
      expect(backend().epsilon()).toBe(1e-7);
    } finally {
      await tf.setBackend("torch");
    }
  });

  test("values enter in full precision as Float64Array", async () => {
    await tf.setBackend("torch-float64");
    try {
      const dataId = backend().write(Float64Array.of(0.1) as unknown as Float32Array, [1], "float32");
      const x = tf.engine().makeTensorFromTensorInfo({ dataId, shape: [1], dtype: "float32" });
      expect(backend().readFloat64(x)[0]).toBe(0.1);
    } finally {
      await tf.setBackend("torch");
    }
  });
});

describe("registration", () => {
  test("is idempotent and warns of nothing", () => {
    const warn = vi.spyOn(console, "warn");
    const kernels = tf.getKernelsForBackend("torch").length;
    registerTorchBackend();
    registerTorchBackend({ float: "float32" });
    expect(tf.getKernelsForBackend("torch")).toHaveLength(kernels);
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  test("every name has all tfjs kernels", () => {
    const names = (backendName: string): string[] =>
      tf.getKernelsForBackend(backendName).map(({ kernelName }) => kernelName);
    expect(names("torch-float64")).toEqual(names("torch"));
  });

  test("other options for a backend in use are refused", () => {
    expect(() => registerTorchBackend({ float: "float64" })).toThrow(KatlabError);
    expect(() => registerTorchBackend({ float: "float64" })).toThrow(
      'torch backend "torch": options must stay {} while it is in use; got {"float":"float64"}',
    );
  });

  test("options of a backend that is not in use yet can change", async () => {
    registerTorchBackend({ name: "torch-later" });
    registerTorchBackend({ name: "torch-later", float: "float64" });
    await tf.setBackend("torch-later");
    expect(backend().float).toBe("float64");
    await tf.setBackend("torch");
  });

  test("a removed backend can be registered again", async () => {
    registerTorchBackend({ name: "torch-again" });
    await tf.setBackend("torch-again");
    tf.removeBackend("torch-again");
    registerTorchBackend({ name: "torch-again", float: "float64" });
    await tf.setBackend("torch-again");
    expect([...tf.square(tf.tensor1d([1])).dataSync()]).toEqual([1]);
    await tf.setBackend("torch");
  });

  test("a device that is not there is refused", () => {
    if (addon.accelerator() !== null) return;
    expect(() => new TorchBackend({ device: "cuda" })).toThrow(
      'torch: device must be "cpu": this torch finds no CUDA device; got "cuda". Leave device out to take the best there is.',
    );
    expect(new TorchBackend().device).toBe("cpu");
  });

  test("a device that does not exist is refused", () => {
    expect(() => new TorchBackend({ device: "tpu" })).toThrow('got "tpu"');
    expect(() => new TorchBackend({ device: "cuda:99" })).toThrow('got "cuda:99"');
  });
});

test("operators are found once, by the name of their schema", () => {
  expect(backend().operator("add.Tensor")).toBe(backend().operator("add.Tensor"));
  expect(addon.schema(backend().operator("katlab::rational"))).toContain("katlab::rational(");
  expect(() => backend().operator("no such.operator")).toThrow();
});
