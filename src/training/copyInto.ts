import * as tf from "@tensorflow/tfjs-core";
import { foreachCopy, TorchBackend } from "../torch/backend.js";

/** Gives variables other values: in place on torch, for a captured step that reads them would end by new storage. */
export function copyInto(variables: readonly tf.Variable[], values: readonly tf.Tensor[]): void {
  if (tf.backend() instanceof TorchBackend) {
    foreachCopy(variables, values);
    return;
  }
  variables.forEach((variable, i) => {
    tf.tidy(() => variable.assign(tf.clone(values[i])));
  });
}
