import * as tf from "@tensorflow/tfjs-core";
import { mustBe } from "../errors.js";
import { TorchBackend, torchJvp } from "../torch/backend.js";
import { mustBeDistinctReals, mustMatch, outermost } from "./arguments.js";
import { centralDifference, type DifferenceCheck, warnOfDisagreement } from "./centralDifference.js";

/** A tensor and how it changes along vectors; the caller disposes both. */
export interface Jvp {
  /** The value of the function. */
  readonly value: tf.Tensor;
  /** J·v, of the value's shape. */
  readonly tangent: tf.Tensor;
  /** Whether the tangent is exact but for rounding; else it comes from finite differences. */
  readonly exact: boolean;
  /** How well the finite differences agree; null where the tangent is exact. */
  readonly check: DifferenceCheck | null;
}

const subject = "jvp";

/**
 * The directional derivative of a tensor-valued function, J·v: how its value changes when the variables move along v.
 *
 * On torch it is exact, from two reverse passes, in the precision that tensors are stored in. On other engines it comes
 * from central differences of values, with a check in the result and a warning where that fails; `f` must then give the
 * same value every time.
 *
 * @param f computes a float32 tensor of any shape from the variables
 * @param variables float32 variables, each once
 * @param vectors v, one float32 tensor per variable, of its shape
 * @throws KatlabError `shape` or `invalid` for other arguments or results, and inside the function of another derivative;
 *   `unavailable` for an operator without second derivative
 * Cost: on torch about four gradients; elsewhere five evaluations of `f`.
 */
export function jvp(
  f: () => tf.Tensor,
  variables: readonly tf.Variable[],
  vectors: readonly tf.Tensor[],
): Jvp {
  mustBeDistinctReals(subject, variables);
  mustMatch(subject, vectors, variables);
  const real = (): tf.Tensor => {
    const value = f();
    if (value.dtype !== "float32") {
      throw mustBe({
        subject: `${subject}: the value of f`,
        must: "dtype must be float32",
        got: value.dtype,
        remedy: "Only reals have derivatives.",
      });
    }
    return tf.clone(value);
  };
  return outermost(subject, () => {
    const backend = tf.backend();
    return backend instanceof TorchBackend
      ? { ...torchJvp(backend, real, variables, vectors), exact: true, check: null }
      : differenceJvp(real, variables, vectors);
  });
}

function differenceJvp(
  f: () => tf.Tensor,
  variables: readonly tf.Variable[],
  vectors: readonly tf.Tensor[],
): Jvp {
  const { value, tangent, ...differences } = tf.tidy(() => {
    const value = f();
    const point = variables.map((variable) => tf.clone(variable));
    const { derivatives, ...rest } = centralDifference(() => [f()], variables, point, vectors, [value]);
    return { value, tangent: derivatives[0], ...rest };
  });
  const check: DifferenceCheck = { ...differences, asymmetry: null };
  warnOfDisagreement(subject, check);
  return { value, tangent, exact: false, check };
}
