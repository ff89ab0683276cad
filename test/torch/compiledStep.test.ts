import * as tf from "@tensorflow/tfjs-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { compileStep } from "../../src/compileStep.js";
import { useEngine } from "../../src/engine.js";
import { kernelDefinitions } from "../../src/torch/kernels/torchKernels.js";
import { addonStatus, currentTorchBackend, loadAddon } from "../../src/torch/backend.js";
import { WeightAverage } from "../../src/training/weightAverage.js";
import { collectGarbage } from "./collectGarbage.js";
import { emulatedCudaBackend } from "./emulatedGraphs.js";

describe.skipIf(!addonStatus().available)("a compiled step, with emulated CUDA graphs", () => {
  const warn = vi.spyOn(console, "warn").mockReturnValue(undefined);
  let live: number;
  let tensors: number;

  beforeAll(async () => {
    for (const kernel of kernelDefinitions) tf.registerKernel({ ...kernel, backendName: "emulated" });
    tf.registerBackend("emulated", emulatedCudaBackend);
    await tf.setBackend("emulated");
  });
  beforeEach(() => {
    warn.mockClear();
    live = loadAddon().live();
    tensors = tf.memory().numTensors;
  });
  afterEach(() => {
    expect(loadAddon().live()).toBe(live);
    expect(tf.memory().numTensors).toBe(tensors);
  });
  afterAll(async () => {
    await useEngine({ engine: "cpu" });
    tf.removeBackend("emulated");
  });

  const variable = (...values: number[]): tf.Variable => tf.tidy(() => tf.variable(tf.tensor1d(values)));
  const given = (...values: number[]): tf.Tensor1D => tf.tensor1d(values);
  /** Values of a result, which is disposed. */
  const taken = (tensor: tf.Tensor): number[] => {
    const values = [...tensor.dataSync<"float32">()];
    tensor.dispose();
    return values;
  };
  const call = (step: (x: tf.Tensor1D) => tf.Tensor, ...values: number[]): number[] => {
    const x = given(...values);
    const result = taken(step(x));
    x.dispose();
    return result;
  };

  test("gives what the step gives, and replays from the third call on", () => {
    const step = compileStep((x: tf.Tensor1D) => tf.add(tf.mul(x, x), 1));
    for (const value of [1, 2, 3, 4]) expect(call(step, value, 0)).toEqual([value ** 2 + 1, 1]);
    expect(step.status()).toEqual({ captured: 1, replayed: 2, eager: 2, reason: null });
    step.dispose();
  });

  test("gives lists and records, as copies", () => {
    const step = compileStep((x: tf.Tensor1D) => ({ sum: tf.sum(x), double: tf.add(x, x) }));
    const [x, y] = [given(1, 2), given(3, 4)];
    for (let i = 0; i < 2; i++) tf.dispose(step(x));
    const first = step(x);
    const second = step(y);
    expect([taken(first.sum), taken(second.sum), taken(first.double), taken(second.double)]).toEqual([
      [3],
      [7],
      [2, 4],
      [6, 8],
    ]);
    tf.dispose([x, y]);
    step.dispose();
  });

  test("assigns variables in place, and each call reads what the last one wrote", () => {
    const weight = variable(1, 1);
    const step = compileStep((x: tf.Tensor1D) => {
      weight.assign(tf.add(weight, x));
      return tf.mul(weight, 1);
    });
    const seen = [1, 2, 3, 4, 5].map((value) => call(step, value, 0)[0]);
    expect(seen).toEqual([2, 4, 7, 11, 16]);
    expect([...weight.dataSync()]).toEqual([16, 1]);
    expect(step.status()).toMatchObject({ captured: 1, replayed: 3 });
    step.dispose();
    weight.dispose();
  });

  test("sees a variable that was assigned outside, until that happens after every call", () => {
    const weight = variable(1);
    const step = compileStep((x: tf.Tensor1D) => tf.mul(x, weight));
    const assign = (value: number): void => {
      tf.tidy(() => weight.assign(given(value)));
    };
    for (const value of [1, 1, 1, 7]) {
      assign(value);
      expect(call(step, 2)).toEqual([2 * value]);
    }
    expect(step.status().reason).toBeNull();
    for (const value of [3, 4, 5, 6]) {
      assign(value);
      expect(call(step, 2)).toEqual([2 * value]);
    }
    expect(step.status()).toMatchObject({
      captured: 0,
      reason: expect.stringContaining(weight.name) as string,
    });
    expect(warn).toHaveBeenCalledTimes(1);
    step.dispose();
    weight.dispose();
  });

  test("clones of a variable keep their values, and its graph stays", () => {
    const weight = variable(1, 1);
    const step = compileStep((x: tf.Tensor1D) => {
      weight.assign(tf.add(weight, x));
      return tf.mul(weight, 1);
    });
    const clones: tf.Tensor[] = [];
    const seen: number[] = [];
    for (let i = 1; i <= 6; i++) {
      seen.push(call(step, 1, 0)[0]);
      clones.push(tf.clone(weight), tf.clone(weight));
    }
    expect(seen).toEqual([2, 3, 4, 5, 6, 7]);
    expect(clones.map((clone) => taken(clone)[0])).toEqual([2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7]);
    expect(step.status()).toEqual({ captured: 1, replayed: 4, eager: 2, reason: null });
    step.dispose();
    weight.dispose();
  });

  test("averages weights in place, and stays valid while a model borrows the averages", async () => {
    const weight = variable(0);
    const parameter = { name: "w", variable: weight };
    const average = new WeightAverage([parameter], 0.5);
    const step = compileStep((x: tf.Tensor1D) => {
      weight.assign(tf.add(weight, x));
      average.update();
      return tf.mul(weight, 1);
    });
    let expected = 0;
    for (let i = 1; i <= 6; i++) {
      expect(call(step, 1)).toEqual([i]);
      expected += (i - expected) / 2;
      expect([...average.weights().w.dataSync()]).toEqual([expected]);
      const borrowed = await average.during(() => Promise.resolve([...weight.dataSync()]));
      expect(borrowed).toEqual([expected]);
      expect([...weight.dataSync()]).toEqual([i]);
    }
    expect(step.status()).toEqual({ captured: 1, replayed: 4, eager: 2, reason: null });
    step.dispose();
    average.dispose();
    weight.dispose();
  });

  test("holds what it reads from outside", () => {
    const factor = given(3);
    const step = compileStep((x: tf.Tensor1D) => tf.mul(x, factor));
    for (const value of [1, 2, 3]) call(step, value);
    factor.dispose();
    expect(call(step, 4)).toEqual([12]);
    step.dispose();
  });

  test("gives copies of inputs and variables", () => {
    const weight = variable(1);
    const step = compileStep((x: tf.Tensor1D) => {
      weight.assign(tf.add(weight, x));
      return [x, weight];
    });
    for (const value of [2, 3, 4, 5]) {
      const x = given(1);
      const [input, result] = step(x);
      expect([taken(input), taken(result), taken(x)]).toEqual([[1], [value], [1]]);
    }
    expect([...weight.dataSync()]).toEqual([5]);
    step.dispose();
    weight.dispose();
  });

  test("a step that keeps tensors runs as it is", () => {
    const weight = variable(1);
    const kept: tf.Tensor[] = [];
    const step = compileStep(
      (x: tf.Tensor1D) => {
        kept.push(tf.keep(tf.clone(weight)));
        weight.assign(tf.add(weight, x));
        return tf.mul(weight, 1);
      },
      { warmUp: 1 },
    );
    expect([2, 3, 4].map(() => call(step, 1)[0])).toEqual([2, 3, 4]);
    // The second call was captured in vain, and then run.
    expect(kept.map((clone) => taken(clone)[0])).toEqual([1, 2, 2, 3]);
    expect(step.status()).toMatchObject({ captured: 0, replayed: 0, eager: 3 });
    expect(step.status().reason).toContain("got a step that keeps tensors");
    step.dispose();
    weight.dispose();
  });

  test.each<[what: string, step: () => unknown]>([
    ["a promise", () => Promise.resolve(tf.scalar(1))],
    ["a number", () => 3],
    ["undefined", () => undefined],
    ["a list with a number in it", () => [tf.scalar(1), 3]],
  ])("a step that returns %s is refused, captured or not", (_, body) => {
    const step = compileStep(body as () => tf.Tensor, { warmUp: 1 });
    const must = "compileStep: a step must return a tensor, a list or a record of tensors; got";
    for (let i = 0; i < 2; i++) expect(() => step()).toThrow(must);
    expect(step.status()).toMatchObject({ captured: 0, reason: null });
    step.dispose();
  });

  test("is freed when it is forgotten", async () => {
    const capture = (): void => {
      const step = compileStep((x: tf.Tensor1D) => tf.mul(x, 2), { warmUp: 1 });
      for (const value of [1, 2]) call(step, value);
      expect(step.status().captured).toBe(1);
    };
    capture();
    expect(loadAddon().live()).toBeGreaterThan(live);
    await collectGarbage(() => loadAddon().live() === live);
  });

  test("is captured by itself for deterministic mode", () => {
    const { addon } = currentTorchBackend("test");
    const step = compileStep((x: tf.Tensor1D) => tf.mul(x, 2), { warmUp: 1 });
    for (const deterministic of [false, true, false]) {
      addon.deterministic(deterministic);
      for (const value of [1, 2]) call(step, value);
    }
    expect(step.status()).toMatchObject({ captured: 2, replayed: 4, eager: 2 });
    step.dispose();
  });

  test("captures each shape by itself, up to a number", () => {
    const step = compileStep((x: tf.Tensor1D) => tf.sum(x), { warmUp: 1, shapes: 2 });
    for (let i = 0; i < 2; i++) {
      for (let size = 1; size <= 3; size++) {
        expect(call(step, ...new Array<number>(size).fill(1))).toEqual([size]);
      }
    }
    expect(step.status()).toMatchObject({ captured: 2, replayed: 2, eager: 4 });
    expect(step.status().reason).toMatch(/at most 2 shapes; got one more/);
    step.dispose();
  });

  test.each<[what: string, step: (x: tf.Tensor1D) => tf.Tensor]>([
    ["reads a tensor's values", (x) => tf.mul(x, x.dataSync()[0])],
    ["makes a tensor of values on the host", (x) => tf.mul(x, tf.tensor1d([1, 2]))],
    ["makes a variable", (x) => tf.variable(tf.mul(x, 2))],
  ])("a step that %s runs as it is, and says so once", (what, body) => {
    const weight = variable(5, 5);
    const step = compileStep((x: tf.Tensor1D) => {
      weight.assign(tf.add(weight, x));
      return body(x);
    });
    for (let i = 0; i < 4; i++) call(step, 1, 2);
    expect([...weight.dataSync()]).toEqual([9, 13]);
    expect(step.status()).toMatchObject({ captured: 0, replayed: 0, eager: 4 });
    expect(step.status().reason).toContain(`got a step that ${what}`);
    expect(warn).toHaveBeenCalledTimes(1);
    step.dispose();
    weight.dispose();
  });

  test("an error of the step is thrown, and says nothing about capturing it", () => {
    let broken = false;
    const weight = variable(1);
    const step = compileStep((x: tf.Tensor1D) => {
      weight.assign(tf.add(weight, x));
      if (broken) throw new Error("broken");
      return tf.mul(weight, 1);
    });
    for (let i = 0; i < 2; i++) call(step, 1);
    broken = true;
    const x = given(1);
    expect(() => step(x)).toThrow("broken");
    x.dispose();
    broken = false;
    expect(call(step, 1)).toEqual([5]); // the call that threw had assigned, as any function would have
    expect(step.status()).toMatchObject({ captured: 1, reason: null });
    step.dispose();
    weight.dispose();
  });

  test("inside another one, is part of that one's graph", () => {
    const inner = compileStep((x: tf.Tensor1D) => tf.mul(x, 2));
    const outer = compileStep((x: tf.Tensor1D) => tf.add(inner(x), 1), { warmUp: 1 });
    for (const value of [1, 2, 3]) expect(call(outer, value)).toEqual([2 * value + 1]);
    expect(outer.status()).toMatchObject({ captured: 1, replayed: 2 });
    outer.dispose();
    inner.dispose();
  });

  test("may be disposed and called again", () => {
    const step = compileStep((x: tf.Tensor1D) => tf.mul(x, 2), { warmUp: 1 });
    for (const value of [1, 2]) call(step, value);
    step.dispose();
    expect(step.status().captured).toBe(0);
    for (const value of [1, 2]) expect(call(step, value)).toEqual([2 * value]);
    step.dispose();
  });
});

test.each(["cpu", "torch"] as const)("on the CPU (%s) a compiled step is a plain call", async (engine) => {
  if (engine === "torch" && !addonStatus().available) return;
  await useEngine({ engine, device: "cpu" });
  const step = compileStep((x: tf.Tensor1D) => tf.mul(x, x.dataSync()[0]));
  for (let i = 1; i <= 4; i++) {
    const x = tf.tensor1d([i]);
    const y = step(x);
    expect(y.dataSync()[0]).toBe(i * i);
    tf.dispose([x, y]);
  }
  expect(step.status()).toEqual({ captured: 0, replayed: 0, eager: 4, reason: null });
  step.dispose();
});
