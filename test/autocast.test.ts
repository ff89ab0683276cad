import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { autocast } from "../src/autocast.js";
import { valueAndGrads } from "../src/autodiff/valueAndGrads.js";
import { useEngine } from "../src/engine.js";
import { createModel } from "../src/models/registry.js";
import { softmaxCrossEntropy } from "../src/ops/softmaxCrossEntropy.js";
import { Random } from "../src/random.js";
import {
  addonStatus,
  currentTorchBackend,
  loadAddon,
  ScalarType,
  type TorchBackend,
} from "../src/torch/backend.js";

const torch = addonStatus();
const backend = (): TorchBackend => currentTorchBackend("test");
const stored = (tensor: tf.Tensor): number => backend().scalarType(tensor);

/** Relative L2 distance of all values. */
function apart(values: readonly tf.Tensor[], reference: readonly (readonly number[])[]): number {
  let [difference, size] = [0, 0];
  values.forEach((tensor, i) => {
    tensor.dataSync().forEach((value, j) => {
      difference += (value - reference[i][j]) ** 2;
      size += reference[i][j] ** 2;
    });
  });
  return Math.sqrt(difference / size);
}

describe.skipIf(!torch.available)("autocast under bfloat16", () => {
  beforeAll(async () => {
    await useEngine({ engine: "torch", device: "cpu", precision: "bfloat16" });
  });
  afterAll(async () => {
    await useEngine({ engine: "torch", device: "cpu" });
  });
  let live: number;
  beforeEach(() => {
    live = loadAddon().live();
    return () => {
      expect(backend().autocast).toBeUndefined();
      expect(loadAddon().live()).toBe(live);
    };
  });

  test("operators compute in bfloat16; what comes out is float32 again", () => {
    const x = tf.tensor2d([1.001, 2, 3, 4], [2, 2]);
    let inside = 0;
    const y = autocast(() => {
      const product = tf.matMul(x, x);
      inside = stored(product);
      return { product, list: [tf.add(x, 1)] };
    });
    expect(inside).toBe(ScalarType.bfloat16);
    expect([stored(y.product), stored(y.list[0])]).toEqual([ScalarType.float32, ScalarType.float32]);
    expect([...y.list[0].dataSync()]).toEqual([2, 3, 4, 5]); // 1.001 has no 8-bit form
    tf.dispose([x, y.product, y.list]);
  });

  test("outside it nothing changes", () => {
    const x = tf.tensor1d([1.001, 2]);
    const y = tf.add(x, x);
    expect(stored(y)).toBe(ScalarType.float32);
    expect(y.dataSync()[0]).toBeCloseTo(2.002, 6);
    tf.dispose([x, y]);
  });

  test("sums, exponentials and losses take and give float32", () => {
    const x = tf.tensor1d(new Float32Array(4096).fill(1));
    const sums = autocast(() => {
      const narrow = tf.add(x, 0);
      const results = [tf.sum(narrow), tf.mean(narrow), tf.exp(narrow), tf.log(narrow), tf.softmax(narrow)];
      expect(stored(narrow)).toBe(ScalarType.bfloat16);
      expect(results.map(stored)).toEqual(results.map(() => ScalarType.float32));
      return results;
    });
    expect(sums[0].dataSync()[0]).toBe(4096);
    tf.dispose([x, sums]);
  });

  test("integers, truth values and scalars stay what they are", () => {
    const counts = tf.tensor1d([257, 511], "int32");
    const { sum, chosen, scaled } = autocast(() => {
      const x = tf.tensor1d([1, 2]);
      return { sum: tf.add(counts, counts), chosen: tf.greater(x, 1), scaled: tf.mul(x, 0.5) };
    });
    expect([...sum.dataSync()]).toEqual([514, 1022]);
    expect([...chosen.dataSync()]).toEqual([0, 1]);
    expect([...scaled.dataSync()]).toEqual([0.5, 1]);
    tf.dispose([counts, sum, chosen, scaled]);
  });

  test("a variable is rounded once, and keeps its own values", () => {
    const weight = tf.tidy(() => tf.variable(tf.tensor1d([1.001, 2])));
    const before = loadAddon().live();
    const total = autocast(() => {
      const all = tf.tidy(() => tf.add(tf.add(weight, weight), weight));
      expect(loadAddon().live()).toBe(before + 2); // its twin, and the sum
      return all;
    });
    expect([...total.dataSync()]).toEqual([3, 6]);
    expect(weight.dataSync()[0]).toBeCloseTo(1.001, 6);
    tf.dispose([weight, total]);
  });

  test("calls may be nested, and an error ends the outermost", () => {
    const x = tf.tensor1d([1, 2]);
    const y = autocast(() => autocast(() => tf.add(x, x)));
    expect([...y.dataSync()]).toEqual([2, 4]);
    expect(() =>
      autocast(() => {
        tf.add(x, x);
        throw new Error("stop");
      }),
    ).toThrow("stop");
    tf.dispose([x, y]);
  });

  test("goes around tfjs's tape, not inside", () => {
    const x = tf.tidy(() => tf.variable(tf.tensor1d([1, 2])));
    const loss = (): tf.Scalar => tf.sum(tf.mul(x, x));
    const { value, grads } = autocast(() => ({ ...tf.variableGrads(loss, [x]) }));
    expect([...grads[x.name].dataSync()]).toEqual([2, 4]);
    tf.dispose([value, grads]);
    expect(() => tf.variableGrads(() => autocast(loss), [x])).toThrow(
      "autocast: must be around tf.grad, tf.variableGrads and the like",
    );
    x.dispose();
  });

  test("a variable given twice, or not at all, is differentiated as in float32", () => {
    const [a, b, unread] = tf.tidy(() => [1, 2, 3].map((value) => tf.variable(tf.fill([3], value))));
    const { value, grads } = valueAndGrads(() => tf.sum(tf.mul(a, b)), [a, unread, a]);
    expect(value.dataSync()[0]).toBe(6);
    expect(grads.map((grad) => [...grad.dataSync()])).toEqual([
      [2, 2, 2],
      [0, 0, 0],
      [2, 2, 2],
    ]);
    tf.dispose([a, b, unread, value, grads]);
  });

  test.each(["vit_test_patch7_28", "kat_test_patch7_28"] as const)(
    "gradients of %s are float32 and near those of float32",
    async (name) => {
      const model = createModel(name, { seed: 1 });
      const variables = model.parameters().map(({ variable }) => variable);
      const random = new Random(2);
      const images = tf.tensor4d(
        Float32Array.from({ length: 8 * 28 * 28 }, () => random.normal()),
        [8, 28, 28, 1],
      );
      const labels = tf.tensor1d([0, 1, 2, 3, 4, 5, 6, 7], "int32");
      const run = (): ReturnType<typeof valueAndGrads> =>
        valueAndGrads(() => softmaxCrossEntropy(model.forward(images), labels), variables);
      await useEngine({ engine: "torch", device: "cpu" });
      const reference = run();
      const grads = reference.grads.map((grad) => [...grad.dataSync()]);
      await useEngine({ engine: "torch", device: "cpu", precision: "bfloat16" });
      const narrow = run();
      expect(new Set([narrow.value, ...narrow.grads].map(stored))).toEqual(new Set([ScalarType.float32]));
      const difference = apart(narrow.grads, grads);
      expect(difference).toBeLessThan(0.05);
      expect(difference).toBeGreaterThan(1e-4); // it did compute narrowly
      expect(narrow.value.dataSync()[0]).toBeCloseTo(reference.value.dataSync()[0], 1);
      tf.dispose([images, labels, reference.value, reference.grads, narrow.value, narrow.grads]);
      model.dispose();
    },
  );
});

test("elsewhere autocast just runs the function", async () => {
  await useEngine({ engine: "cpu" });
  const y = autocast(() => tf.add(tf.tensor1d([1.001]), 1));
  expect(y.dataSync()[0]).toBeCloseTo(2.001, 6);
  y.dispose();
});
