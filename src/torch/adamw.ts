import * as tf from "@tensorflow/tfjs-core";
import { mustBe, mustHaveShape } from "../errors.js";
import type { Handle } from "./addon.js";
import { ScalarType } from "./scalarType.js";
import { currentTorchBackend, type TorchBackend } from "./torchBackend.js";
import { writableHandle } from "./variableStorage.js";

/** One AdamW step of one group of parameters; all lists have the same length and order. */
export interface FusedAdamW {
  /** θ, updated in place. */
  parameters: readonly tf.Tensor[];
  /** g, one per parameter, of its shape. */
  gradients: readonly tf.Tensor[];
  /** m, the running mean of g; zeros at first; updated in place. */
  means: readonly tf.Tensor[];
  /** v, the running mean of g²; zeros at first; updated in place. */
  variances: readonly tf.Tensor[];
  /** t, scalars: steps taken before this one; incremented in place. */
  steps: readonly tf.Tensor[];
  /** η ≥ 0, per step: a number, or a scalar that stays on the device, which a captured step needs. */
  learningRate: number | tf.Scalar;
  /** β₁ in [0, 1), decay of m. */
  beta1: number;
  /** β₂ in [0, 1), decay of v. */
  beta2: number;
  /** ε ≥ 0. */
  epsilon: number;
  /** λ ≥ 0, decoupled from the gradient. Groups with different decay take one call each. */
  weightDecay: number;
}

const subject = "fusedAdamW";

/**
 * One AdamW step in place by torch's fused operator, as `torch.optim.AdamW(fused=True)` computes it:
 *
 * `t ← t + 1;  θ ← θ − ηλθ;  m ← β₁m + (1 − β₁)g;  v ← β₂v + (1 − β₂)g²;`
 * `θ ← θ − η · m/(1 − β₁ᵗ) / (√(v/(1 − β₂ᵗ)) + ε)`
 *
 * Clones and views of the tensors keep their old values: a variable that shares storage is first given its own.
 *
 * @throws KatlabError `invalid` for options out of range or a shared tensor that is no variable, `shape` where shapes
 *   differ
 * Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019, algorithm 2.
 * Cost: reads g, and reads and writes θ, m and v, once.
 */
export function fusedAdamW(step: FusedAdamW): void {
  const backend = currentTorchBackend(subject);
  check(step);
  if (step.parameters.length === 0) return;
  const writable = (tensors: readonly tf.Tensor[]): Handle[] =>
    tensors.map((tensor) => writableHandle(backend, subject, tensor));
  const parameters = writable(step.parameters);
  const means = writable(step.means);
  const variances = writable(step.variances);
  const steps = writable(step.steps);
  const gradients = step.gradients.map((gradient) => contiguous(backend, gradient));
  try {
    withFloat32(backend, steps, (counters) => {
      const { addon } = backend;
      addon.callVoid(backend.operator("_foreach_add_.Scalar"), counters, 1);
      const { learningRate } = step;
      const onDevice = learningRate instanceof tf.Tensor;
      addon.callVoid(
        backend.operator(onDevice ? "_fused_adamw_.tensor_lr" : "_fused_adamw_"),
        parameters,
        gradients,
        means,
        variances,
        [], // running maxima, of AMSGrad only
        counters,
        onDevice ? backend.handle(learningRate) : learningRate,
        step.beta1,
        step.beta2,
        step.weightDecay,
        step.epsilon,
        false, // amsgrad
        false, // maximize
      );
    });
  } finally {
    for (const gradient of gradients) backend.addon.free(gradient);
  }
}

/** A handle of the caller's on contiguous values: the operator reads memory in order, whatever the strides. */
function contiguous(backend: TorchBackend, tensor: tf.Tensor): Handle {
  return backend.addon.call(backend.operator("contiguous"), backend.handle(tensor)) as Handle;
}

/** The operator counts in float32 only; on a float64 backend it gets copies, written back afterwards. */
function withFloat32(
  backend: TorchBackend,
  steps: readonly Handle[],
  run: (steps: readonly Handle[]) => void,
): void {
  if (backend.float === "float32") {
    run(steps);
    return;
  }
  const { addon } = backend;
  const copies = steps.map(
    (step) => addon.call(backend.operator("to.dtype"), step, ScalarType.float32) as Handle,
  );
  try {
    run(copies);
    steps.forEach((step, i) => addon.callVoid(backend.operator("copy_"), step, copies[i]));
  } finally {
    for (const copy of copies) addon.free(copy);
  }
}

function check(step: FusedAdamW): void {
  const { parameters, steps, ...rest } = step;
  for (const name of ["gradients", "means", "variances"] as const) {
    mustHaveLength(name, rest[name], parameters.length);
    parameters.forEach(({ shape }, i) => {
      const other = rest[name][i].shape;
      if (!tf.util.arraysEqual(shape, other)) throw mustHaveShape(`${subject}: ${name}[${i}]`, shape, other);
    });
  }
  mustHaveLength("steps", steps, parameters.length);
  steps.forEach(({ shape }, i) => {
    if (shape.length > 0) throw mustHaveShape(`${subject}: steps[${i}]`, [], shape);
  });
  const { learningRate, epsilon, weightDecay } = step;
  if (learningRate instanceof tf.Tensor) {
    if (learningRate.rank > 0) throw mustHaveShape(`${subject}: learningRate`, [], learningRate.shape);
  } else mustLie("learningRate", learningRate, learningRate >= 0 && learningRate < Infinity, "a number ≥ 0");
  for (const [name, value] of Object.entries({ epsilon, weightDecay })) {
    mustLie(name, value, value >= 0 && value < Infinity, "a number ≥ 0");
  }
  for (const name of ["beta1", "beta2"] as const) {
    mustLie(name, step[name], step[name] >= 0 && step[name] < 1, "in [0, 1)");
  }
}

function mustHaveLength(name: string, list: readonly tf.Tensor[], length: number): void {
  if (list.length === length) return;
  throw mustBe({
    subject,
    must: `${name} must have one entry per parameter (${length})`,
    got: String(list.length),
    remedy: "Pass lists of the same order.",
  });
}

function mustLie(name: string, value: number, holds: boolean, range: string): void {
  if (holds) return;
  throw mustBe({
    subject,
    must: `${name} must be ${range}`,
    got: String(value),
    remedy: "Check the recipe.",
  });
}
