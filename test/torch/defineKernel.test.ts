import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { defineKernel, loadAddon, ScalarType, type KernelRun } from "../../src/torch/backend.js";

const addon = loadAddon();
const kernelName = "Example";

beforeAll(async () => {
  await tf.setBackend("torch");
});

let before = { numTensors: 0, handles: 0 };
beforeEach(() => {
  before = { numTensors: tf.memory().numTensors, handles: addon.live() };
});
afterEach(() => {
  expect({ numTensors: tf.memory().numTensors, handles: addon.live() }).toEqual(before);
});

interface Inputs {
  x: tf.TensorInfo;
  y?: tf.TensorInfo;
}

/** Runs a tfjs kernel once, as tfjs does; values, shapes and dtypes of its results. */
function once(
  run: (kernel: KernelRun<Inputs, { by: number }>) => tf.TensorInfo | tf.TensorInfo[],
  inputs: Record<string, tf.Tensor> = {},
): object[] {
  const definition = defineKernel<Inputs, { by: number }>(kernelName, run);
  tf.registerKernel({ ...definition, backendName: "torch" });
  try {
    return tf.tidy(() => {
      const all = { x: tf.tensor1d([3, 1, 2]), ...inputs };
      const results = tf.engine().runKernel<tf.Tensor | tf.Tensor[]>(kernelName, all, { by: 2 });
      return [results].flat().map((x) => ({ shape: x.shape, dtype: x.dtype, values: [...x.dataSync()] }));
    });
  } finally {
    tf.unregisterKernel(kernelName, "torch");
  }
}

test("result: one operator, one tensor", () => {
  const y = once(({ inputs: { x }, attrs: { by }, torch }) => torch.result("mul.Scalar", x, by));
  expect(y).toEqual([{ shape: [3], dtype: "float32", values: [6, 2, 4] }]);
});

test("call: temporaries are arguments of other operators, and freed", () => {
  const y = once(({ inputs: { x }, torch }) => {
    const doubled = torch.call("add.Tensor", x, x);
    return torch.result("cat", [doubled, x]);
  });
  expect(y).toEqual([{ shape: [6], dtype: "float32", values: [6, 2, 4, 3, 1, 2] }]);
});

test("calls, results and keep: all outputs, or some of them", () => {
  const sorted = { shape: [3], dtype: "float32", values: [1, 2, 3] };
  const order = { shape: [3], dtype: "int32", values: [1, 2, 0] };
  expect(once(({ inputs: { x }, torch }) => torch.results("sort", x))).toEqual([sorted, order]);
  expect(once(({ inputs: { x }, torch }) => torch.keep(torch.calls("sort", x)[1]))).toEqual([order]);
  expect(once(({ inputs: { x }, torch }) => torch.result("sort", x))).toEqual([sorted]);
});

test("value: numbers and truth values", () => {
  const y = once(({ inputs: { x }, torch }) =>
    torch.keep(torch.constant(Float64Array.of(Number(torch.value("item", torch.call("sum", x)))), [])),
  );
  expect(y).toEqual([{ shape: [], dtype: "float32", values: [6] }]);
});

test("share: the input itself, with one more reference", () => {
  const y = once(({ inputs: { x }, torch }) => torch.share(x));
  expect(y).toEqual([{ shape: [3], dtype: "float32", values: [3, 1, 2] }]);
});

test("inputs may be missing", () => {
  const run = ({ inputs: { x, y }, torch }: KernelRun<Inputs, { by: number }>): tf.TensorInfo =>
    y === undefined ? torch.share(x) : torch.result("add.Tensor", x, y);
  expect(once(run)).toMatchObject([{ values: [3, 1, 2] }]);
  const one = tf.scalar(1);
  expect(once(run, { y: one })).toMatchObject([{ values: [4, 2, 3] }]);
  one.dispose();
});

test("integers come back as int32, reals in the backend's storage", () => {
  const y = once(({ inputs: { x }, torch }) => [
    torch.result("argmax", x),
    torch.result("to.dtype", x, ScalarType.float64),
    torch.keep(torch.constant(Int32Array.of(7, 8), [2])),
  ]);
  expect(y).toEqual([
    { shape: [], dtype: "int32", values: [0] },
    { shape: [3], dtype: "float32", values: [3, 1, 2] },
    { shape: [2], dtype: "int32", values: [7, 8] },
  ]);
});

test("a tfjs kernel that fails leaves nothing behind, and the error is PyTorch's own", () => {
  expect(() =>
    once(({ inputs: { x }, torch }) => {
      torch.call("neg", x);
      const wide = torch.call("zeros", [4], ScalarType.float32);
      return torch.result("add.Tensor", x, wide);
    }),
  ).toThrow("The size of tensor a (3) must match the size of tensor b (4)");
});
