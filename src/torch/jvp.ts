import type * as tf from "@tensorflow/tfjs-core";
import type { Handle } from "./addon.js";
import { wideHandle } from "./hessian.js";
import { Leaves } from "./leaves.js";
import { mustBeReals, recording, toTensor, toTensors, weightedGradients } from "./recording.js";
import type { TorchBackend } from "./torchBackend.js";

/** A tensor and its directional derivative; the caller disposes both. */
export interface TorchJvp {
  /** The value of the function. */
  readonly value: tf.Tensor;
  /** J·v, of the value's shape. */
  readonly tangent: tf.Tensor;
}

const subject = "jvp";

/**
 * Value and directional derivative J·v of a tensor-valued function by torch autograd: uᵀJ is linear in the weights u, and
 * its derivative by u along v is J·v.
 *
 * @param f computes a float32 tensor from the variables, in full precision
 * @param vectors v, one tensor per variable, of its shape
 * @throws KatlabError `invalid` inside another derivative's function and for a variable that is not float32;
 *   `unavailable` for an operator without second derivative
 */
export function torchJvp(
  backend: TorchBackend,
  f: () => tf.Tensor,
  variables: readonly tf.Variable[],
  vectors: readonly tf.Tensor[],
): TorchJvp {
  mustBeReals(subject, variables);
  const { addon } = backend;
  return recording(backend, subject, 2, () => {
    const owned: Handle[] = [];
    const leaves = new Leaves(backend, variables);
    try {
      const y = leaves.record(f);
      owned.push(addon.retain(backend.handle(y)));
      y.dispose();
      const [out] = owned;
      const u = addon.call(backend.operator("zeros_like"), out) as Handle;
      owned.push(u);
      addon.requiresGrad(u, true);
      const rows = weightedGradients(backend, subject, [out], leaves.handles, [u], "derivatives");
      const present = rows.flatMap((row, i) => (row === null ? [] : [{ row, i }]));
      owned.push(...present.map(({ row }) => row));
      const tangent = weightedGradients(
        backend,
        subject,
        present.map(({ row }) => row),
        [u],
        present.map(({ i }) => wideHandle(backend, vectors[i])),
      );
      return {
        value: toTensor(backend, addon.detach(out)),
        tangent: toTensors(backend, tangent, [out])[0],
      };
    } finally {
      for (const handle of owned) addon.free(handle);
      leaves.dispose();
    }
  });
}
