import * as tf from "@tensorflow/tfjs-core";
import { mustBe } from "../errors.js";
import { outermost, scalarOf } from "./arguments.js";
import { engineGradients } from "./valueAndGrads.js";

/** The loss and the gradient of each sample; the caller disposes the tensors. */
export interface PerSampleGrads {
  /** The losses, `[samples]`. */
  readonly values: tf.Tensor1D;
  /** One tensor per variable, `[samples, …shape of the variable]`. */
  readonly grads: tf.Tensor[];
}

const subject = "perSampleGrads";

/**
 * The gradient of every sample's own loss, of which a batch gives only the mean.
 *
 * ```ts
 * perSampleGrads((i) => softmaxCrossEntropy(model.forward(tf.slice(images, i, 1)), tf.slice(labels, i, 1)), 32, variables);
 * ```
 *
 * @param f computes the scalar loss of one sample, counted from 0
 * @param samples how many there are, at least 1
 * @param variables float32 variables to differentiate by
 * @throws KatlabError `shape` when `f` returns no scalar; `invalid` for no samples and as {@link valueAndGrads}
 * Cost: one gradient of one sample for each, one after the other, which on a GPU is much slower than a batch; the memory of
 *   `samples` times the variables, and once more that of the largest variable's gradients.
 */
export function perSampleGrads(
  f: (sample: number) => tf.Scalar,
  samples: number,
  variables: readonly tf.Variable[],
): PerSampleGrads {
  if (!(Number.isInteger(samples) && samples >= 1)) {
    throw mustBe({
      subject,
      must: "samples must be a whole number ≥ 1",
      got: String(samples),
      remedy: "Give the size of the batch.",
    });
  }
  return outermost(subject, () =>
    tf.tidy((): PerSampleGrads & tf.TensorContainerObject => {
      const each = Array.from({ length: samples }, (_, sample) =>
        engineGradients(
          scalarOf(subject, () => f(sample)),
          variables,
        ),
      );
      return {
        values: stacked(each.map(({ value }) => value)) as tf.Tensor1D,
        grads: variables.map((_, k) => stacked(each.map(({ grads }) => grads[k]))),
      };
    }),
  );
}

/** The tensors as one, and then themselves disposed: what is needed at once stays small. */
function stacked(tensors: tf.Tensor[]): tf.Tensor {
  const whole = tf.stack(tensors);
  tf.dispose(tensors);
  return whole;
}
