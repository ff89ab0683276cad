import * as tf from "@tensorflow/tfjs-core";
import { mustBe } from "../errors.js";
import type { Handle } from "./addon.js";
import type { TorchBackend } from "./torchBackend.js";

/**
 * The handle of a variable as a leaf of the autograd graph: no other tensor has this handle, and no earlier
 * graph leads to it. A variable that shares its data id (`tf.clone`, `tf.variable(x)`) gets its own, without a copy.
 */
export function leafHandle(backend: TorchBackend, variable: tf.Variable): Handle {
  const handle = backend.handle(variable);
  if (backend.refCount(variable.dataId) === 1 && !backend.addon.requiresGrad(handle)) return handle;
  return replace(backend, variable, backend.addon.detach(handle));
}

/**
 * The handle of a tensor for writing in place: contiguous, and nothing else refers to its storage.
 * A variable that shares storage (with a clone or a view) gets its own copy, so that the others keep their values.
 *
 * @throws KatlabError `invalid` for a shared tensor that is not a variable
 */
export function writableHandle(backend: TorchBackend, subject: string, tensor: tf.Tensor): Handle {
  backend.capture?.writes(tensor);
  const handle = backend.handle(tensor);
  if (backend.refCount(tensor.dataId) === 1 && backend.addon.exclusive(handle)) return handle;
  if (!isVariable(tensor)) {
    throw mustBe({
      subject,
      must: "a tensor that is updated in place must be a tf.Variable or the only tensor on its values",
      got: `a tensor [${tensor.shape.join(", ")}] that shares them`,
      remedy: "Make it with tf.variable.",
    });
  }
  const copy = backend.addon.call(backend.operator("clone"), handle, contiguous) as Handle;
  return replace(backend, tensor, copy);
}

/** Gives clones of a variable values of their own, which leaves the variable its handle. */
export function keepHandle(backend: TorchBackend, variable: tf.Variable): void {
  if (backend.refCount(variable.dataId) === 1) return;
  const copy = backend.addon.call(backend.operator("clone"), backend.handle(variable), contiguous) as Handle;
  replace(backend, variable, backend.exchange(variable, copy));
}

const contiguous = 0; // c10::MemoryFormat::Contiguous

function isVariable(tensor: tf.Tensor): tensor is tf.Variable {
  return tensor instanceof tf.Variable;
}

/** Puts a new handle behind a variable. */
function replace(backend: TorchBackend, variable: tf.Variable, handle: Handle): Handle {
  const value = tf.engine().makeTensorFromTensorInfo(backend.tensorFromHandle(handle));
  variable.assign(value);
  value.dispose();
  return backend.handle(variable);
}
