import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { useEngine } from "../../src/engine.js";
import {
  loadAddon,
  registerTorchBackend,
  TorchBackend,
  torchValueAndGrads,
} from "../../src/torch/backend.js";
import { collectGarbage } from "./collectGarbage.js";

const addon = loadAddon();

function backend(): TorchBackend {
  const current = tf.backend();
  if (current instanceof TorchBackend) return current;
  throw new Error(`${tf.getBackend()} is no torch backend`);
}

const counts = (): Record<"tensors" | "buffers" | "handles" | "dataIds", number> => ({
  tensors: tf.memory().numTensors,
  buffers: tf.memory().numDataBuffers,
  handles: addon.live(),
  dataIds: backend().numDataIds(),
});

/** Values of a tensor that is disposed. */
const values = (f: () => tf.Tensor): number[] => tf.tidy(() => [...f().dataSync()]);

let before: ReturnType<typeof counts>;
beforeEach(async () => {
  await tf.setBackend("torch");
  before = counts();
});

describe("tensors that are collected", () => {
  test("undisposed give their handles back", async () => {
    const { handles, tensors } = before;
    (() => {
      const x = tf.tensor1d([1, 2, 3]);
      x.square();
      x.clone();
      tf.tensor1d(["text"]);
    })();
    expect(addon.live()).toBe(handles + 2);
    await collectGarbage(() => addon.live() === handles);
    expect([addon.live(), backend().numDataIds()]).toEqual([handles, handles]);
    // tfjs itself goes on counting them: the leak stays visible.
    expect(tf.memory().numTensors).toBe(tensors + 4);
  });

  test("keep the values of those that are not", async () => {
    const { handles } = before;
    const kept = (() => {
      const x = tf.tensor1d([1, 2, 3, 4]);
      tf.tensor1d([7]);
      return [x.clone(), tf.reshape(x, [2, 2]), tf.variable(tf.tensor1d([5, 6]))];
    })();
    expect(addon.live()).toBe(handles + 4);
    await collectGarbage(() => addon.live() === handles + 3);
    expect(kept.map((tensor) => [...tensor.dataSync()])).toEqual([
      [1, 2, 3, 4],
      [1, 2, 3, 4],
      [5, 6],
    ]);
    tf.dispose(kept.splice(0));
    // What they were made from was never disposed; it goes with the last that knew of it.
    await collectGarbage(() => addon.live() === handles);
    expect(addon.live()).toBe(handles);
  });

  test("and those that autograd needs stay until it is done", async () => {
    const { handles } = before;
    const weight = tf.variable(tf.tensor1d([2, 3]));
    const { value, grads } = torchValueAndGrads(() => tf.sum(tf.exp(tf.square(weight))), [weight]);
    await collectGarbage(() => false);
    expect(grads[0].dataSync()[0]).toBeCloseTo(4 * Math.exp(4), 3);
    tf.dispose([value, ...grads, weight]);
    await collectGarbage(() => addon.live() === handles);
    expect(addon.live()).toBe(handles);
  });
});

describe("tensors that are in use", () => {
  afterEach(() => {
    expect(counts()).toEqual(before);
  });

  test("move to another engine and back, with their clones", async () => {
    const x = tf.tensor2d([1, 2, 3, 4], [2, 2]);
    const clone = x.clone();
    const turned = tf.transpose(x);
    const live = addon.live();
    for (let round = 0; round < 3; round++) {
      await useEngine({ engine: "wasm" });
      expect(values(() => tf.add(x, turned))).toEqual([2, 5, 5, 8]);
      expect(addon.live()).toBe(live - 2);
      await tf.setBackend("torch");
      expect(values(() => tf.add(x, turned))).toEqual([2, 5, 5, 8]);
      expect([addon.live(), backend().refCount(x.dataId)]).toEqual([live, 2]);
    }
    x.dispose();
    expect([...clone.dataSync()]).toEqual([1, 2, 3, 4]);
    tf.dispose([clone, turned]);
  });

  test("move between two torch backends", async () => {
    registerTorchBackend({ name: "torch-life", float: "float64" });
    const x = tf.tensor1d([1, 2]);
    await tf.setBackend("torch-life");
    const other = backend();
    expect(values(() => tf.square(x))).toEqual([1, 4]);
    expect(other.numDataIds()).toBe(1);
    await tf.setBackend("torch");
    expect(values(() => tf.square(x))).toEqual([1, 4]);
    expect(other.numDataIds()).toBe(0);
    x.dispose();
    tf.removeBackend("torch-life");
  });

  test("are read and disposed while another engine computes", async () => {
    const x = tf.tensor1d([1, 2]);
    await tf.setBackend("cpu");
    expect([...x.dataSync()]).toEqual([1, 2]);
    x.dispose();
    await tf.setBackend("torch");
  });

  test("dispose twice is once", () => {
    const x = tf.tensor1d([1]);
    const clone = x.clone();
    x.dispose();
    x.dispose();
    tf.dispose([x, x]);
    expect([...clone.dataSync()]).toEqual([1]);
    clone.dispose();
    const variable = tf.tidy(() => tf.variable(tf.scalar(1)));
    variable.dispose();
    variable.dispose();
  });

  test("kept tensors and variables live through tidy, assignments free the old value", () => {
    let kept = tf.scalar(0);
    kept.dispose();
    const variable = tf.tidy(() => {
      kept = tf.keep(tf.scalar(1));
      return tf.variable(tf.tensor1d([1, 2]));
    });
    const live = addon.live();
    for (let i = 0; i < 5; i++) tf.tidy(() => variable.assign(tf.add(variable, kept)));
    expect(addon.live()).toBe(live);
    expect([...variable.dataSync()]).toEqual([6, 7]);
    tf.dispose([kept, variable]);
  });

  test("an error inside a tfjs kernel frees what it had made", () => {
    const x = tf.tensor2d([1, 2, 3, 4], [2, 2]);
    expect(() =>
      tf.tidy(() => tf.engine().runKernel("Reshape", { x: tf.square(x) }, { shape: [3] })),
    ).toThrow("Size(4) must match the product of shape 3");
    const inputs = { a: x, b: tf.ones([3]) };
    const attrs = { transposeA: false, transposeB: false };
    expect(() => tf.engine().runKernel("BatchMatMul", inputs, attrs)).toThrow();
    inputs.b.dispose();
    x.dispose();
  });
});

describe("a backend that ends", () => {
  test("by removal: its tensors are gone, and say so", async () => {
    registerTorchBackend({ name: "torch-removed" });
    await tf.setBackend("torch-removed");
    const x = tf.tensor1d([1, 2]);
    tf.removeBackend("torch-removed");
    await tf.setBackend("torch");
    expect(addon.live()).toBe(before.handles);
    expect(() => x.dataSync()).toThrow(
      "torch: a tensor must be alive; got one whose values went with its backend",
    );
    expect(() => x.square()).toThrow("one whose values went with its backend");
    x.dispose();
    expect(counts()).toEqual(before);
  });

  test("by tf.engine().reset(): the next one starts empty", async () => {
    const x = tf.tensor1d([1, 2]);
    const variable = tf.variable(x);
    tf.engine().reset();
    expect(addon.live()).toBe(0);
    await tf.setBackend("torch");
    expect(() => x.square()).toThrow("torch: a tensor must be alive; got a disposed tensor");
    x.dispose();
    variable.dispose();
    const y = tf.tensor1d([3]);
    expect([...y.dataSync()]).toEqual([3]);
    y.dispose();
    await collectGarbage(() => false);
    expect(addon.live()).toBe(0);
  });
});
