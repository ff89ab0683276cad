import * as tf from "@tensorflow/tfjs-core";
import { mustBe, unavailable } from "../errors.js";
import type { Handle } from "./addon.js";
import { precisions } from "./precision.js";
import type { TorchBackend } from "./torchBackend.js";

/**
 * A stretch of a program that torch autograd differentiates once or twice. Twice is for exactness: then operators compute
 * in the precision tensors are stored in, whatever the engine's.
 *
 * @throws KatlabError `invalid` inside another stretch
 */
export function recording<Result>(
  backend: TorchBackend,
  subject: string,
  derivatives: 1 | 2,
  run: () => Result,
): Result {
  if (backend.derivatives !== 0) {
    throw mustBe({
      subject,
      must: "calls must not be nested",
      got: "a call inside another's function",
      remedy: "Take the inner gradient before, or use a Hessian-vector product.",
    });
  }
  backend.derivatives = derivatives;
  try {
    return derivatives === 2 ? inFullPrecision(backend, run) : run();
  } finally {
    backend.derivatives = 0;
  }
}

/** @throws KatlabError `invalid` for a variable that has no derivative */
export function mustBeReals(subject: string, variables: readonly tf.Variable[]): void {
  for (const { name, dtype } of variables) {
    if (dtype === "float32") continue;
    throw mustBe({
      subject,
      must: "variables must be float32",
      got: `${dtype} (${name})`,
      remedy: "Leave it out: only reals have gradients.",
    });
  }
}

/** Runs `f` inside `tf.tidy` with grad mode on, and only `f`. */
export function recorded<Result extends tf.TensorContainer>(backend: TorchBackend, f: () => Result): Result {
  const before = backend.addon.gradMode(true);
  try {
    return tf.tidy(f);
  } finally {
    backend.addon.gradMode(before);
  }
}

/**
 * Σ over outputs of weight · ∂output/∂input, one handle per input, the caller's; null where nothing depends on it.
 * Outputs that are constants are passed over.
 *
 * @param weights one per output, of its shape; without them outputs are scalars of weight 1
 * @param keep `"graph"` to differentiate the same outputs again; `"derivatives"` to differentiate the result, too
 * @throws KatlabError `unavailable` for an operator whose derivative torch does not have
 */
export function weightedGradients(
  { addon }: TorchBackend,
  subject: string,
  outputs: readonly Handle[],
  inputs: readonly Handle[],
  weights: readonly Handle[] | null,
  keep: "nothing" | "graph" | "derivatives" = "nothing",
): (Handle | null)[] {
  const dependent = outputs.map((_, i) => i).filter((i) => addon.requiresGrad(outputs[i]));
  if (dependent.length === 0 || inputs.length === 0) return inputs.map(() => null);
  try {
    return addon.grad(
      dependent.map((i) => outputs[i]),
      inputs,
      weights === null ? null : dependent.map((i) => weights[i]),
      keep !== "nothing",
      keep === "derivatives",
      true,
    );
  } catch (error) {
    throw withoutDerivative(subject, error);
  }
}

/** A handle as a tensor of tfjs. */
export function toTensor(backend: TorchBackend, handle: Handle): tf.Tensor {
  return tf.engine().makeTensorFromTensorInfo(backend.tensorFromHandle(handle));
}

/** Handles as tensors of tfjs, zeros of the likes' shapes where there is none. */
export function toTensors(
  backend: TorchBackend,
  handles: readonly (Handle | null)[],
  likes: readonly Handle[],
): tf.Tensor[] {
  const { addon } = backend;
  return handles.map((handle, i) =>
    toTensor(backend, handle ?? (addon.call(backend.operator("zeros_like"), likes[i]) as Handle)),
  );
}

function inFullPrecision<Result>(backend: TorchBackend, run: () => Result): Result {
  const { addon, autocast, precision } = backend;
  backend.autocast = undefined;
  backend.precision = backend.float;
  addon.tf32(false);
  try {
    return run();
  } finally {
    backend.autocast = autocast;
    backend.precision = precision;
    addon.tf32(precisions[precision].tf32);
  }
}

function withoutDerivative(subject: string, error: unknown): unknown {
  const text = error instanceof Error ? error.message : "";
  const operator = /derivative for '?([\w:.]+)'? is not implemented/.exec(text)?.[1];
  if (operator === undefined) return error;
  return unavailable(
    {
      subject,
      must: "every operator of f must have the derivatives that are asked for",
      got: `${operator.replace(/^aten::/, "torch's ")}, which lacks one`,
      remedy: "Compute f by other operators.",
    },
    error,
  );
}
