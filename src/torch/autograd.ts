import * as tf from "@tensorflow/tfjs-core";
import { mustBe } from "../errors.js";
import type { Handle } from "./addon.js";
import { torchAutocast } from "./autocast.js";
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
const recording = new WeakSet<TorchBackend>();

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
  if (recording.has(backend)) {
    throw mustBe({
      subject,
      must: "calls must not be nested",
      got: "a call inside another's function",
      remedy: "Take the inner gradient before, or use a Hessian-vector product.",
    });
  }
  for (const { name, dtype } of variables) {
    if (dtype === "float32") continue;
    throw mustBe({
      subject,
      must: "variables must be float32",
      got: `${dtype} (${name})`,
      remedy: "Leave it out: only reals have gradients.",
    });
  }
  const leaves = variables.map((variable) => leafHandle(backend, variable));
  recording.add(backend);
  try {
    for (const leaf of leaves) backend.addon.requiresGrad(leaf, true);
    // Also under bfloat16 the gradients are those of the float32 variables.
    return differentiate(backend, () => torchAutocast(backend, f, variables), leaves);
  } finally {
    for (const leaf of leaves) backend.addon.requiresGrad(leaf, false);
    recording.delete(backend);
  }
}

function differentiate(backend: TorchBackend, f: () => tf.Scalar, leaves: readonly Handle[]): ValueAndGrads {
  const { addon } = backend;
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
    const depends = leaves.length > 0 && addon.requiresGrad(handle);
    const grads = depends ? addon.grad([handle], leaves, null, false, false, true) : leaves.map(() => null);
    return {
      value: toTensor(backend, addon.detach(handle)) as tf.Scalar,
      grads: grads.map((grad, i) => toTensor(backend, grad ?? zerosLike(backend, leaves[i]))),
    };
  } finally {
    loss.dispose();
  }
}

/** Runs `f` with grad mode on, and only `f`. */
function recorded(backend: TorchBackend, f: () => tf.Scalar): tf.Scalar {
  const before = backend.addon.gradMode(true);
  try {
    return tf.tidy(f);
  } finally {
    backend.addon.gradMode(before);
  }
}

function zerosLike(backend: TorchBackend, handle: Handle): Handle {
  return backend.addon.call(backend.operator("zeros_like"), handle) as Handle;
}

function toTensor(backend: TorchBackend, handle: Handle): tf.Tensor {
  return tf.engine().makeTensorFromTensorInfo(backend.tensorFromHandle(handle));
}
