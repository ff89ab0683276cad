import type * as tf from "@tensorflow/tfjs-core";
import { dispose } from "@tensorflow/tfjs-core";
import { mustBeDistinctReals, mustMatch, outermost } from "./arguments.js";
import { type HessianProduct, HessianProducts } from "./hessianAt.js";

/** A loss, its gradient, and its Hessian times a vector; the caller disposes the tensors. */
export interface HessianVectorProduct extends HessianProduct {
  /** The loss. */
  readonly value: tf.Scalar;
  /** Its gradient, one tensor per variable. */
  readonly grads: tf.Tensor[];
}

/**
 * The Hessian of a loss by variables times a vector, H·v, with the loss and its gradient: how the gradient changes when the
 * variables move along v. {@link hessianAt} is cheaper for several vectors, and says how it is computed.
 *
 * @param f computes a scalar loss from the variables
 * @param variables float32 variables, each once
 * @param vectors v, one float32 tensor per variable, of its shape
 * @returns `products` one tensor per variable, zeros where the gradient does not depend on it; `exact` on torch, else with
 *   a `check` of the finite differences it comes from
 * @throws KatlabError `shape` when `f` returns no scalar or a vector does not fit; `invalid` for other variables and inside
 *   the function of another derivative; `unavailable` for an operator without second derivative
 * Cost: on torch about four gradients; elsewhere seven.
 */
export function hessianVectorProduct(
  f: () => tf.Scalar,
  variables: readonly tf.Variable[],
  vectors: readonly tf.Tensor[],
): HessianVectorProduct {
  const subject = "hessianVectorProduct";
  mustBeDistinctReals(subject, variables);
  mustMatch(subject, vectors, variables);
  return outermost(subject, () => {
    const hessian = new HessianProducts(subject, f, variables);
    const { value, grads } = hessian;
    try {
      return { value, grads, ...hessian.times(vectors) };
    } catch (error) {
      dispose([value, ...grads]);
      throw error;
    } finally {
      hessian.dispose();
    }
  });
}
