import * as tf from "@tensorflow/tfjs-core";
import { mustBe } from "../errors.js";
import { assertShape } from "../shape.js";
import { mustBeFloat32 } from "./mustBeFloat32.js";
import { defineOperator } from "./operator.js";

/** Settings of {@link softmaxCrossEntropy}. */
export interface CrossEntropyOptions {
  /** ε in [0, 1]: this share of every target is spread evenly over all classes. Default 0. */
  readonly labelSmoothing?: number;
}

/** Labels `[batch]` int32, each in [0, classes), or targets `[batch, classes]` float32, each row a distribution. */
export type CrossEntropyTargets = tf.Tensor1D | tf.Tensor2D;

/**
 * Cross-entropy of softmax(logits) with smoothed targets, averaged over the batch, as PyTorch defines it:
 *
 *     loss = −1/batch · Σᵢ Σ_c t_ic · log softmax(logitsᵢ)_c        t_ic = (1 − ε)·p_ic + ε/classes
 *
 * with p_ic = [c = labelᵢ] for labels, and p itself for targets, as mixup and cutmix make them.
 *
 * @param logits `[batch, classes]` float32; batch ≥ 1
 * @param labels `[batch]` int32, each in [0, classes), or `[batch, classes]` float32, each row a distribution; constants,
 *   not differentiated by
 * @returns a scalar, in nats
 * @throws KatlabError `shape`, or `invalid` for another dtype, an empty batch, ε or (where the definition is composed)
 *   a label out of range; on torch a label out of range is PyTorch's error. That rows add up to 1 is not checked: it would
 *   make a GPU wait.
 * Source: label smoothing from Szegedy et al., "Rethinking the Inception Architecture", 2016, section 7.
 */
export function softmaxCrossEntropy(
  logits: tf.Tensor2D,
  labels: CrossEntropyTargets,
  { labelSmoothing = 0 }: CrossEntropyOptions = {},
): tf.Scalar {
  const subject = "softmaxCrossEntropy";
  const { batch, classes } = assertShape(`${subject}: logits`, logits.shape, ["batch", "classes"]);
  const soft = labels.rank === 2;
  assertShape(`${subject}: labels`, labels.shape, soft ? [batch, classes] : [batch]);
  mustBeFloat32(subject, soft ? { logits, labels } : { logits });
  if (!soft && labels.dtype !== "int32") {
    throw mustBe({
      subject: `${subject}: labels`,
      must: "dtype must be int32",
      got: labels.dtype,
      remedy: "Pass the index of each image's class, or rows [batch, classes].",
    });
  }
  if (logits.size === 0) {
    throw mustBe({
      subject,
      must: "a mean needs at least one image and one class",
      got: `logits [${logits.shape.join(", ")}]`,
      remedy: "Leave empty batches out.",
    });
  }
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw mustBe({
      subject,
      must: "labelSmoothing must be in [0, 1]",
      got: String(labelSmoothing),
      remedy: "0.1 is usual, 0 is none.",
    });
  }
  return run({ logits, labels }, { labelSmoothing }) as tf.Scalar;
}

const run = defineOperator<
  { logits: tf.Tensor2D; labels: CrossEntropyTargets },
  "logits" | "labels",
  { labelSmoothing: number }
>({
  kernel: "SoftmaxCrossEntropy",
  compose: ({ logits, labels }, { labelSmoothing }) => {
    if (labels.rank === 1) mustBeClasses(labels, logits.shape[1]);
    const terms = tf.mul(targets(labels, logits.shape[1], labelSmoothing), tf.logSoftmax(logits));
    return tf.div(tf.sum(terms), -logits.shape[0]);
  },
  saved: ["logits", "labels"],
  gradient: (dy, { logits, labels }, { labelSmoothing }) => {
    const [batch, classes] = logits.shape;
    const residual = tf.sub(
      tf.softmax(logits),
      targets(labels as CrossEntropyTargets, classes, labelSmoothing),
    );
    return { logits: tf.mul<tf.Tensor2D>(residual, tf.div(dy, batch)) };
  },
  differentiable: ["logits"],
});

/** t, [batch, classes] */
function targets(labels: CrossEntropyTargets, classes: number, labelSmoothing: number): tf.Tensor {
  // tfjs's wasm backend rounds the values of oneHot to integers, whatever its dtype.
  const certain = labels.rank === 2 ? labels : tf.cast(tf.oneHot(labels, classes), "float32");
  return tf.add(tf.mul(certain, 1 - labelSmoothing), labelSmoothing / classes);
}

/** A row of zeros stands where a label is out of range: a loss that looks fine and is wrong. */
function mustBeClasses(labels: CrossEntropyTargets, classes: number): void {
  const wrong = labels.dataSync().find((label) => label < 0 || label >= classes);
  if (wrong === undefined) return;
  throw mustBe({
    subject: "softmaxCrossEntropy: labels",
    must: `each label must be in [0, ${classes})`,
    got: String(wrong),
    remedy: "Create the model with as many classes as the labels have.",
  });
}
