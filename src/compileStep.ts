import type * as tf from "@tensorflow/tfjs-core";
import {
  type CompiledStep,
  type CompileOptions,
  type StepResult,
  torchCompileStep,
} from "./torch/backend.js";

export type { CompiledStep, CompiledStepStatus, CompileOptions, StepResult } from "./torch/backend.js";

/**
 * Makes a step of many operators one launch: on a CUDA device its third call of a shape is captured as a CUDA graph, and
 * that and all later calls replay it. Launching one by one is what small models wait for on a GPU.
 *
 * ```ts
 * const step = kl.compileStep((images: tf.Tensor4D, labels: tf.Tensor1D, rate: tf.Scalar) => {
 *   const { value, grads } = kl.valueAndGrads(() => loss(model.forward(images), labels), variables);
 *   optimizer.step(grads, rate);
 *   return value;
 * });
 * ```
 *
 * - What changes from call to call must be an input tensor: numbers, and random numbers drawn on the host, are baked in.
 * - Variables may be assigned inside, which is done in place, and outside, after which the step is captured anew.
 * - Inputs of another shape are captured by themselves. Graphs share one pool of memory.
 * - A step that cannot be captured (it reads a value, makes a tensor of host values, makes a variable, keeps a tensor) runs as
 *   it is; it says why once, and in `status()`. So it does on the CPU, and on every other engine.
 * - Clones and views of variables keep their values. Graphs of a step that is forgotten are freed.
 * - An error in the step leaves engine and variables usable.
 *
 * A step must not catch the engine's errors itself: what it goes on to do while it is captured is what is replayed.
 *
 * With `useEngine({ deterministic: true })` a captured step gives the bits of the step itself.
 *
 * @param step runs inside `tf.tidy`; may not be async, dispose its inputs or what is not its own
 * @returns a function of the same inputs; its results are copies, the caller's to dispose
 */
export function compileStep<Inputs extends readonly tf.Tensor[], Result extends StepResult>(
  step: (...inputs: Inputs) => Result,
  options: CompileOptions = {},
): CompiledStep<Inputs, Result> {
  return torchCompileStep(step, options);
}
