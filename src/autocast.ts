import * as tf from "@tensorflow/tfjs-core";
import { TorchBackend, torchAutocast } from "./torch/backend.js";

/**
 * Computes `f` in the precision the engine was given.
 *
 * Under `"bfloat16"`, operators inside take bfloat16 in place of float32, except sums, means, exponentials, logarithms,
 * powers, softmax and losses; variables are rounded once a call and keep their own values. Under every other precision,
 * and on every other engine, it just runs `f`. `valueAndGrads` does this by itself; a forward pass alone does not.
 *
 * @param f runs inside `tf.tidy`, so it may not be async
 * @returns what `f` returns; its tensors are float32 again
 * @throws KatlabError `invalid` under bfloat16 inside a function that tfjs's tape differentiates: it goes around
 */
export function autocast<T extends tf.TensorContainer>(f: () => T): T {
  const backend = tf.backend();
  return backend instanceof TorchBackend ? torchAutocast(backend, f) : tf.tidy(f);
}
