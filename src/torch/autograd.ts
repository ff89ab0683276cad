import type * as tf from "@tensorflow/tfjs-core";
import { mustBe } from "../errors.js";
import type { Handle } from "./addon.js";
import { torchAutocast } from "./autocast.js";
import { mustBeReals, recorded, recording, toTensor, toTensors, weightedGradients } from "./recording.js";
import { currentTorchBackend, type TorchBackend } from "./torchBackend.js";
import { leafHandle } from "./variableStorage.js";

/** A loss and its gradients; the caller owns the tensors. */
export interface ValueAndGrads {
  /** The loss, outside the autograd graph. */
  value: tf.Scalar;
  /** One gradient per variable, of its shape; zeros where the loss does not depend on it. */
  grads: tf.Tensor[];
}

const subject = "torchValueAndGrads";

/**
 * Value and gradients of `f` by torch autograd: one reverse pass over the operators that `f` ran.
 *
 * `f` runs inside `tf.tidy`. Gradients registered with tfjs (`tf.customGrad`, `tf.registerGradient`) are not used.
 *
 * @param f computes a scalar from the variables
 * @param variables float32 variables to differentiate by
 * @throws KatlabError `invalid` inside another call, for a variable that is not float32, and when `f` returns no scalar
 */
export function torchValueAndGrads(f: () => tf.Scalar, variables: readonly tf.Variable[]): ValueAndGrads {
  const backend = currentTorchBackend(subject);
  return recording(backend, subject, 1, () => {
    mustBeReals(subject, variables);
    const leaves = variables.map((variable) => leafHandle(backend, variable));
    try {
      for (const leaf of leaves) backend.addon.requiresGrad(leaf, true);
      // Also under bfloat16 the gradients are those of the float32 variables.
      return differentiate(backend, () => torchAutocast(backend, f, variables), leaves);
    } finally {
      for (const leaf of leaves) backend.addon.requiresGrad(leaf, false);
    }
  });
}

function differentiate(backend: TorchBackend, f: () => tf.Scalar, leaves: readonly Handle[]): ValueAndGrads {
  const loss = recorded(backend, f);
  try {
    if (loss.rank !== 0) {
      throw mustBe({
        subject,
        must: "f must return a scalar",
        got: `shape [${loss.shape.join(", ")}]`,
        remedy: "Reduce it with tf.sum or tf.mean.",
      });
    }
    const handle = backend.handle(loss);
    const grads = weightedGradients(backend, subject, [handle], leaves, null);
    return {
      value: toTensor(backend, backend.addon.detach(handle)) as tf.Scalar,
      grads: toTensors(backend, grads, leaves),
    };
  } finally {
    loss.dispose();
  }
}
