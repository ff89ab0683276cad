import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { perSampleGrads } from "../../src/autodiff/perSampleGrads.js";
import { valueAndGrads } from "../../src/autodiff/valueAndGrads.js";
import { useEngine } from "../../src/engine.js";
import { createModel } from "../../src/models/registry.js";
import { softmaxCrossEntropy } from "../../src/ops/softmaxCrossEntropy.js";
import { Random } from "../../src/random.js";
import { onEveryEngine } from "../presentEngines.js";

onEveryEngine("perSampleGrads", ({ options }) => {
  beforeAll(async () => {
    await useEngine(options);
  });

  test("their mean is the gradient of the batch", () => {
    const model = createModel("kat_test_patch7_28", { seed: 1 });
    const variables = model.parameters().map((parameter) => parameter.variable);
    const random = new Random(2);
    const pixels = Float32Array.from({ length: 3 * 28 * 28 }, () => random.normal());
    const [images, labels] = [tf.tensor4d(pixels, [3, 28, 28, 1]), tf.tensor1d([4, 0, 7], "int32")];
    const before = tf.memory().numTensors;
    const loss = (from: number, size: number): tf.Scalar =>
      softmaxCrossEntropy(
        model.forward(tf.slice(images, [from, 0, 0, 0], [size, 28, 28, 1])),
        tf.slice(labels, from, size),
      );
    const each = perSampleGrads((sample) => loss(sample, 1), 3, variables);
    const batch = valueAndGrads(() => loss(0, 3), variables);
    expect(each.values.shape).toEqual([3]);
    tf.tidy(() => {
      const [apart, size] = batch.grads.reduce(
        ([difference, norm], grad, i) => {
          expect(each.grads[i].shape).toEqual([3, ...grad.shape]);
          const error = tf.sub(tf.mean(each.grads[i], 0), grad);
          return [
            difference + tf.sum(tf.square(error)).dataSync()[0],
            norm + tf.sum(tf.square(grad)).dataSync()[0],
          ];
        },
        [0, 0],
      );
      expect(Math.sqrt(apart / size)).toBeLessThan(1e-5);
      expect(tf.mean(each.values).dataSync()[0]).toBeCloseTo(batch.value.dataSync()[0], 5);
    });
    tf.dispose([each.values, each.grads, batch.value, batch.grads]);
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([images, labels]);
    model.dispose();
  });

  test("says what is wrong", () => {
    const x = tf.tidy(() => tf.variable(tf.tensor1d([1, 2])));
    const before = tf.memory().numTensors;
    expect(() => perSampleGrads(() => tf.sum(x), 0, [x])).toThrow(
      "samples must be a whole number ≥ 1; got 0",
    );
    expect(() => perSampleGrads(() => x as unknown as tf.Scalar, 2, [x])).toThrow(
      "shape must be []; got [2]",
    );
    expect(() =>
      perSampleGrads((i) => perSampleGrads(() => tf.sum(x), 1 + i, [x]).values as unknown as tf.Scalar, 1, [
        x,
      ]),
    ).toThrow("must not be nested");
    expect(tf.memory().numTensors).toBe(before);
    x.dispose();
  });
});
