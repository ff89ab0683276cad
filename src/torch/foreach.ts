import type * as tf from "@tensorflow/tfjs-core";
import { currentTorchBackend } from "./torchBackend.js";
import { keepHandle, writableHandle } from "./variableStorage.js";

/**
 * Moves each variable towards a tensor of its shape, in place and in one operator: `xᵢ ← xᵢ + share · (yᵢ − xᵢ)`.
 * Clones and views of a variable keep their values.
 *
 * @param variables x, updated in place
 * @param towards y, one per variable
 * @param share in [0, 1]
 */
export function foreachLerp(
  variables: readonly tf.Variable[],
  towards: readonly tf.Tensor[],
  share: number,
): void {
  const backend = currentTorchBackend("foreachLerp");
  const written = variables.map((variable) => writableHandle(backend, "foreachLerp", variable));
  const read = towards.map((tensor) => backend.handle(tensor));
  backend.addon.callVoid(backend.operator("_foreach_lerp_.Scalar"), written, read, share);
}

/**
 * Copies a tensor of its shape into each variable, in place: a captured step that uses the variables stays valid, which
 * `assign` would end. Clones keep their values.
 *
 * @param variables what is written
 * @param values one per variable
 */
export function foreachCopy(variables: readonly tf.Variable[], values: readonly tf.Tensor[]): void {
  const backend = currentTorchBackend("foreachCopy");
  for (const variable of variables) keepHandle(backend, variable);
  const written = variables.map((variable) => writableHandle(backend, "foreachCopy", variable));
  const read = values.map((value) => backend.handle(value));
  backend.addon.callVoid(backend.operator("_foreach_copy_"), written, read);
}
