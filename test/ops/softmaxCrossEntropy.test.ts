import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { useEngine } from "../../src/engine.js";
import { softmaxCrossEntropy } from "../../src/ops/softmaxCrossEntropy.js";
import { onEveryEngine } from "../presentEngines.js";
import { type Numbers, testOperator } from "./operatorSuite.js";

const labelsOf = (batch: number): number[] => Array.from({ length: batch }, (_, i) => (i * 2) % 3);

for (const labelSmoothing of [0, 0.1, 1]) {
  testOperator({
    name: `softmaxCrossEntropy, smoothing ${labelSmoothing}`,
    kernel: "SoftmaxCrossEntropy",
    cases: [[[4, 3]], [[1, 5]], [[9, 3]]],
    run: (logits) =>
      softmaxCrossEntropy(logits as tf.Tensor2D, tf.tensor1d(labelsOf(logits.shape[0]), "int32"), {
        labelSmoothing,
      }),
    reference: (logits) => [meanLoss(logits, labelSmoothing)],
  });
}

for (const labelSmoothing of [0, 0.1]) {
  testOperator({
    name: `softmaxCrossEntropy of soft targets, smoothing ${labelSmoothing}`,
    kernel: "SoftmaxCrossEntropy",
    cases: [[[4, 3]], [[1, 5]]],
    run: (logits) => {
      const [batch, classes] = logits.shape;
      return softmaxCrossEntropy(logits as tf.Tensor2D, tf.tensor2d(mixed(batch, classes)), {
        labelSmoothing,
      });
    },
    reference: (logits) => [softLoss(logits, labelSmoothing)],
  });
}

/** Two classes mixed, as mixup does it, 0.75 to 0.25. */
function mixed(batch: number, classes: number): number[][] {
  return Array.from({ length: batch }, (_, i) =>
    Array.from({ length: classes }, (_, c) =>
      c === i % classes ? 0.75 : c === (i + 1) % classes ? 0.25 : 0,
    ),
  );
}

function softLoss({ values, shape: [batch, classes] }: Numbers, smoothing: number): number {
  const losses = mixed(batch, classes).map((target, i) => {
    const row = values.slice(i * classes, (i + 1) * classes);
    const logSum = Math.log(row.reduce((sum, logit) => sum + Math.exp(logit), 0));
    return row.reduce(
      (loss, logit, c) => loss - ((1 - smoothing) * target[c] + smoothing / classes) * (logit - logSum),
      0,
    );
  });
  return losses.reduce((a, b) => a + b) / batch;
}

function meanLoss({ values, shape: [batch, classes] }: Numbers, smoothing: number): number {
  const losses = labelsOf(batch).map((label, i) => {
    const row = values.slice(i * classes, (i + 1) * classes);
    const logSum = Math.log(row.reduce((sum, logit) => sum + Math.exp(logit), 0));
    return row.reduce((loss, logit, c) => {
      const target = (c === label ? 1 - smoothing : 0) + smoothing / classes;
      return loss - target * (logit - logSum);
    }, 0);
  });
  return losses.reduce((a, b) => a + b) / batch;
}

onEveryEngine("softmaxCrossEntropy of large logits", ({ options }) => {
  beforeAll(async () => {
    await useEngine(options);
  });

  test("stays finite", () => {
    const [loss] = softmaxCrossEntropy(tf.tensor2d([[1e4, -1e4]]), tf.tensor1d([1], "int32")).dataSync();
    expect(loss).toBe(2e4);
  });

  test("refuses a label out of range", () => {
    const logits = tf.tensor2d([[1, 2, 3]]);
    for (const label of [3, -1, -100]) {
      expect(() => softmaxCrossEntropy(logits, tf.tensor1d([label], "int32")).dataSync()).toThrow(
        /each label must be in \[0, 3\)|Target -?\d+ is out of bounds/,
      );
    }
  });
});

describe("softmaxCrossEntropy", () => {
  test("checks shapes, dtypes, smoothing and an empty batch", async () => {
    await useEngine({ engine: "cpu" });
    const logits = tf.zeros<tf.Rank.R2>([2, 3]);
    const labels = tf.tensor1d([0, 1], "int32");
    expect(() => softmaxCrossEntropy(logits, tf.tensor1d([0], "int32"))).toThrow(
      "softmaxCrossEntropy: labels: shape must be [2]; got [1]",
    );
    expect(() => softmaxCrossEntropy(logits, tf.tensor1d([0, 1]))).toThrow(
      "labels: dtype must be int32; got float32",
    );
    expect(() => softmaxCrossEntropy(logits, tf.zeros<tf.Rank.R2>([2, 4]))).toThrow(
      "softmaxCrossEntropy: labels: shape must be [2, 3]; got [2, 4]",
    );
    expect(() => softmaxCrossEntropy(logits, tf.zeros<tf.Rank.R2>([2, 3], "int32"))).toThrow("float32");
    expect(() => softmaxCrossEntropy(logits, labels, { labelSmoothing: 1.1 })).toThrow(
      "must be in [0, 1]; got 1.1",
    );
    expect(() => softmaxCrossEntropy(tf.zeros([0, 3]), tf.tensor1d([], "int32"))).toThrow(
      "got logits [0, 3]",
    );
  });
});
