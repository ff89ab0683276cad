import * as tf from "@tensorflow/tfjs-core";
import { hasKernel, runFused } from "./fused.js";

type Tensors<Name extends string> = Readonly<Record<Name, tf.Tensor>>;
type Attributes = Readonly<Record<string, number | string | boolean>>;

/** A differentiable function of tensors that a backend may compute in one tfjs kernel. */
export interface OperatorDefinition<
  Inputs extends Readonly<Record<string, tf.Tensor | undefined>>,
  Saved extends keyof Inputs & string,
  Attrs extends Attributes,
> {
  /** Name of the fused tfjs kernel; a backend may also have one of its `gradient`, named with the ending `Gradient`. */
  readonly kernel: string;
  /** The definition in tfjs's own operators, for backends without the fused tfjs kernel. */
  readonly compose: (inputs: Inputs, attrs: Attrs) => tf.Tensor;
  /** The inputs its gradient is computed from. */
  readonly saved: readonly Saved[];
  /**
   * Derivatives of the loss by the inputs, also by optional ones that are not there; `dy` is its derivative by the
   * result. An input without one is a constant.
   */
  readonly gradient: (
    dy: tf.Tensor,
    saved: Tensors<Saved>,
    attrs: Attrs,
  ) => { readonly [Name in keyof Inputs]?: tf.Tensor };
  /** The inputs that have a derivative. */
  readonly differentiable: readonly (keyof Inputs & string)[];
}

/**
 * Makes a function of an operator's definition: the fused tfjs kernel where the backend in use has it, else the
 * composed definition. On tfjs's tape both have the gradient of the definition, recomputed from saved inputs.
 */
export function defineOperator<
  Inputs extends Readonly<Record<string, tf.Tensor | undefined>>,
  Saved extends keyof Inputs & string,
  Attrs extends Attributes = Record<string, never>,
>(definition: OperatorDefinition<Inputs, Saved, Attrs>): (inputs: Inputs, attrs: Attrs) => tf.Tensor {
  const { kernel, saved } = definition;
  tf.registerGradient({
    kernelName: kernel,
    inputsToSave: [...saved],
    gradFunc: (dy, kept, attrs) => {
      const gradients = tf.tidy(() => ({
        ...fusedOrComposedGradient(definition, dy as tf.Tensor, named(saved, kept), attrs as Attrs),
      }));
      return Object.fromEntries(
        Object.entries(gradients).map(([name, tensor]) => [name, () => tensor as tf.Tensor]),
      );
    },
  });
  return (inputs, attrs) =>
    hasKernel(kernel) ? runFused(kernel, present(inputs), attrs)[0] : runComposed(definition, inputs, attrs);
}

function fusedOrComposedGradient<
  Inputs extends Readonly<Record<string, tf.Tensor | undefined>>,
  Saved extends keyof Inputs & string,
  Attrs extends Attributes,
>(
  { kernel, gradient, differentiable }: OperatorDefinition<Inputs, Saved, Attrs>,
  dy: tf.Tensor,
  saved: Tensors<Saved>,
  attrs: Attrs,
): { readonly [Name in keyof Inputs]?: tf.Tensor } {
  const name = `${kernel}Gradient`;
  // A tape that records this gradient, for a second derivative, must find operators that have gradients themselves.
  const fused = dy.size > 0 && hasKernel(name) && tf.engine().state.gradientDepth === 0;
  if (!fused) return gradient(dy, saved, attrs);
  const gradients = runFused(name, { dy, ...saved }, attrs);
  return Object.fromEntries(differentiable.map((input, i) => [input, gradients[i]])) as {
    [Name in keyof Inputs]?: tf.Tensor;
  };
}

function runComposed<
  Inputs extends Readonly<Record<string, tf.Tensor | undefined>>,
  Saved extends keyof Inputs & string,
  Attrs extends Attributes,
>(
  { compose, saved, gradient, differentiable }: OperatorDefinition<Inputs, Saved, Attrs>,
  inputs: Inputs,
  attrs: Attrs,
): tf.Tensor {
  const given = present(inputs);
  const names = differentiable.filter((name) => name in given);
  const run = tf.customGrad((...args: (tf.Tensor | tf.GradSaveFunc)[]) => {
    const save = args[names.length] as tf.GradSaveFunc;
    save(saved.map((name) => given[name]));
    return {
      value: compose(inputs, attrs),
      gradFunc: (dy: tf.Tensor, kept: tf.Tensor[]) =>
        tf.tidy(() => {
          const gradients = gradient(dy, named(saved, kept), attrs);
          return names.map((name) => gradients[name] as tf.Tensor);
        }),
    };
  });
  return run(...names.map((name) => given[name]));
}

/** The inputs that were given: an optional one that is missing must not reach tfjs. */
function present(inputs: Readonly<Record<string, tf.Tensor | undefined>>): Record<string, tf.Tensor> {
  return Object.fromEntries(
    Object.entries(inputs).filter((entry): entry is [string, tf.Tensor] => entry[1] !== undefined),
  );
}

function named<Name extends string>(names: readonly Name[], tensors: readonly tf.Tensor[]): Tensors<Name> {
  return Object.fromEntries(names.map((name, i) => [name, tensors[i]])) as Tensors<Name>;
}
