import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { valueAndGrads } from "../../src/autodiff/valueAndGrads.js";
import { useEngine } from "../../src/engine.js";
import { createModel } from "../../src/models/registry.js";
import { softmaxCrossEntropy } from "../../src/ops/softmaxCrossEntropy.js";
import { Random } from "../../src/random.js";
import { onEveryEngine } from "../presentEngines.js";

function variable(values: tf.TensorLike): tf.Variable {
  return tf.tidy(() => tf.variable(tf.tensor(values, undefined, "float32")));
}

onEveryEngine("valueAndGrads", ({ options }) => {
  let tensors = 0;
  beforeAll(async () => {
    await useEngine(options);
  });
  beforeEach(() => {
    tensors = tf.memory().numTensors;
  });
  afterEach(() => {
    expect(tf.memory().numTensors).toBe(tensors);
  });

  test("of Σ x²·y, with a variable it does not depend on", () => {
    const x = variable([1, 2]);
    const y = variable(3);
    const unused = variable([
      [1, 1],
      [1, 1],
    ]);
    const { value, grads } = valueAndGrads(() => tf.sum(tf.mul(tf.square(x), y)), [x, unused, y]);
    expect(value.dataSync()[0]).toBe(15);
    expect(grads.map((grad) => grad.arraySync())).toEqual([
      [6, 12],
      [
        [0, 0],
        [0, 0],
      ],
      5,
    ]);
    tf.dispose([value, ...grads, x, y, unused]);
  });

  test("of a constant, of a variable itself, and by no variables", () => {
    const x = variable(3);
    const constant = valueAndGrads(() => tf.scalar(2), [x]);
    const itself = valueAndGrads(() => x as tf.Tensor as tf.Scalar, [x]);
    const none = valueAndGrads(() => tf.mul(x, 2), []);
    expect([constant, itself, none].map(({ value }) => value.dataSync()[0])).toEqual([2, 3, 6]);
    expect([constant, itself, none].map(({ grads }) => grads.map((grad) => grad.dataSync()[0]))).toEqual([
      [0],
      [1],
      [],
    ]);
    tf.dispose([constant, itself, none].map(({ value, grads }) => [value, ...grads]));
    expect(x.dataSync()[0]).toBe(3);
    x.dispose();
  });

  test("leaves nothing behind when f throws or gives no scalar", () => {
    const x = variable([1, 2]);
    const wrong = (): tf.Scalar => tf.square(x) as tf.Tensor as tf.Scalar;
    expect(() => valueAndGrads(wrong, [x])).toThrow(
      "valueAndGrads: the value of f: shape must be []; got [2]",
    );
    const broken = (): tf.Scalar => {
      tf.square(x);
      throw new Error("broken");
    };
    expect(() => valueAndGrads(broken, [x])).toThrow("broken");
    const { value, grads } = valueAndGrads(() => tf.sum(x), [x]);
    expect(grads[0].arraySync()).toEqual([1, 1]);
    tf.dispose([value, ...grads, x]);
  });

  test("of a KAT: the engine's way agrees with tfjs's tape", () => {
    const model = createModel("kat_test_patch7_28", { seed: 1 });
    const random = new Random(2);
    const pixels = Float32Array.from({ length: 3 * 28 * 28 }, () => random.normal());
    const images = tf.tensor4d(pixels, [3, 28, 28, 1]);
    const labels = tf.tensor1d([1, 0, 7], "int32");
    const variables = model.parameters().map(({ variable }) => variable);
    const loss = (): tf.Scalar => softmaxCrossEntropy(model.forward(images), labels);
    const ours = valueAndGrads(loss, variables);
    const tape = tf.variableGrads(loss, variables);
    expect(ours.value.dataSync()[0]).toBeCloseTo(tape.value.dataSync()[0], 5);
    variables.forEach((variable, i) => {
      const [a, b] = [ours.grads[i], tape.grads[variable.name]].map((grad) => grad.dataSync());
      const size = Math.max(...a.map(Math.abs));
      const distance = Math.max(...a.map((value, k) => Math.abs(value - b[k])));
      expect(distance).toBeLessThanOrEqual(1e-4 * size + 1e-7);
    });
    tf.dispose([ours.value, ...ours.grads, tape.value, ...Object.values(tape.grads), images, labels]);
    model.dispose();
  });
});
