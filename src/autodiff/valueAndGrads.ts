import * as tf from "@tensorflow/tfjs-core";
import { mustBe } from "../errors.js";
import { TorchBackend, torchValueAndGrads, type ValueAndGrads } from "../torch/backend.js";
import { outermost, scalarOf } from "./arguments.js";

export type { ValueAndGrads } from "../torch/backend.js";

const subject = "valueAndGrads";

/**
 * Value of a loss and its gradient by each variable, by reverse differentiation.
 *
 * On the torch engine torch's autograd differentiates what `f` computed; elsewhere tfjs's tape does.
 * Everything `f` makes is disposed, except what it returns.
 *
 * @param f computes a scalar loss from the variables
 * @param variables float32 variables to differentiate by
 * @returns the loss, and one gradient per variable, of its shape and in its order; zeros where the loss does not
 *   depend on it. The caller disposes them.
 * @throws KatlabError `shape` when `f` returns no scalar, `invalid` inside the function of another derivative, and for
 *   `tf.grad` and the like inside `f`, except on torch, which differentiates them; on torch also as `torchValueAndGrads`
 */
export function valueAndGrads(f: () => tf.Scalar, variables: readonly tf.Variable[]): ValueAndGrads {
  return outermost(subject, () => engineGradients(scalarOf(subject, f), variables));
}

/** `valueAndGrads` of a function that is checked already, inside `outermost`. */
export function engineGradients(loss: () => tf.Scalar, variables: readonly tf.Variable[]): ValueAndGrads {
  return tf.backend() instanceof TorchBackend
    ? torchValueAndGrads(loss, variables)
    : tapeValueAndGrads(loss, variables);
}

function tapeValueAndGrads(loss: () => tf.Scalar, variables: readonly tf.Variable[]): ValueAndGrads {
  if (variables.length === 0) return { value: tf.tidy(loss), grads: [] };
  try {
    return tf.tidy(() => {
      const { value, grads } = tf
        .engine()
        .gradients(withoutInnerGradients(loss), [...variables], undefined, true);
      const byVariable = grads as readonly (tf.Tensor | undefined)[];
      return { value, grads: variables.map((variable, i) => byVariable[i] ?? tf.zerosLike(variable)) };
    });
  } catch (error) {
    dropTape();
    throw error;
  }
}

/** `loss` with tfjs's own gradients refused inside: its tape would lose saved outputs (tanh, softmax, exp) in silence. */
function withoutInnerGradients(loss: () => tf.Scalar): () => tf.Scalar {
  return () => {
    const engine = tf.engine();
    engine.gradients = () => {
      throw mustBe({
        subject,
        must: "f must not take gradients of tfjs: its tape gets derivatives of them wrong",
        got: "tf.grad or the like inside f",
        remedy: "Use the torch engine, or hessianVectorProduct in place of a gradient of a gradient.",
      });
    };
    try {
      return loss();
    } finally {
      Reflect.deleteProperty(engine, "gradients");
    }
  };
}

/** Disposes what an interrupted tape has saved; tfjs does so only for tapes that reach their end. */
function dropTape(): void {
  const { state } = tf.engine();
  if (state.gradientDepth > 0) return;
  const tape = state.activeTape as typeof state.activeTape | null;
  for (const { saved } of tape ?? []) tf.dispose(saved ?? []);
  state.activeTape = [];
}
