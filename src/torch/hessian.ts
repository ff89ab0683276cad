import type * as tf from "@tensorflow/tfjs-core";
import type { Handle } from "./addon.js";
import { Leaves } from "./leaves.js";
import { mustBeReals, recording, toTensor, toTensors, weightedGradients } from "./recording.js";
import type { TorchBackend } from "./torchBackend.js";

/**
 * The Hessian of a scalar function at one point, as what it does to vectors: torch autograd differentiates its own reverse
 * pass. The graph of value and gradients is recorded once, and held until `dispose`.
 */
export class TorchHessian {
  /** The value at the point; the caller's. */
  readonly value: tf.Scalar;
  /** The gradient at the point, one tensor per variable; the caller's. */
  readonly grads: tf.Tensor[];
  readonly #backend: TorchBackend;
  readonly #subject: string;
  readonly #leaves: Leaves;
  /** Gradients inside the graph; null where the value does not depend on a variable. */
  #gradients: readonly (Handle | null)[] = [];

  /**
   * @param subject what complains in messages
   * @param f computes a scalar from the variables, in full precision
   * @throws KatlabError `invalid` inside another derivative's function and for a variable that is not float32;
   *   `unavailable` for an operator without second derivative
   */
  constructor(backend: TorchBackend, subject: string, f: () => tf.Scalar, variables: readonly tf.Variable[]) {
    mustBeReals(subject, variables);
    const { addon } = backend;
    this.#backend = backend;
    this.#subject = subject;
    [this.#leaves, this.value, this.grads] = recording(backend, subject, 2, () => {
      const leaves = new Leaves(backend, variables);
      try {
        const loss = leaves.record(f);
        try {
          const out = backend.handle(loss);
          this.#gradients = weightedGradients(backend, subject, [out], leaves.handles, null, "derivatives");
          return [leaves, toTensor(backend, addon.detach(out)) as tf.Scalar, this.#constants(leaves.handles)];
        } finally {
          loss.dispose();
        }
      } catch (error) {
        this.#freeGradients();
        leaves.dispose();
        throw error;
      }
    });
  }

  /**
   * H·v.
   *
   * @param vectors v, one tensor per variable, of its shape
   * @returns one tensor per variable; the caller's
   */
  times(vectors: readonly tf.Tensor[]): tf.Tensor[] {
    const backend = this.#backend;
    const subject = this.#subject;
    const leaves = this.#leaves.handles;
    return recording(backend, subject, 2, () => {
      const present = this.#gradients.flatMap((gradient, i) => (gradient === null ? [] : [{ gradient, i }]));
      const outs = present.map(({ gradient }) => gradient);
      const weights = present.map(({ i }) => wideHandle(backend, vectors[i]));
      return toTensors(backend, weightedGradients(backend, subject, outs, leaves, weights, "graph"), leaves);
    });
  }

  /** Frees the graph, not `value` and `grads`. */
  dispose(): void {
    this.#freeGradients();
    this.#leaves.dispose();
  }

  /** The gradients outside the graph. */
  #constants(likes: readonly Handle[]): tf.Tensor[] {
    const { addon } = this.#backend;
    const detached = this.#gradients.map((gradient) => (gradient === null ? null : addon.detach(gradient)));
    return toTensors(this.#backend, detached, likes);
  }

  #freeGradients(): void {
    for (const gradient of this.#gradients) if (gradient !== null) this.#backend.addon.free(gradient);
    this.#gradients = [];
  }
}

/** The handle of a tensor as torch's gradients are: not in the narrow form that `autocast` leaves. */
export function wideHandle(backend: TorchBackend, tensor: tf.Tensor): Handle {
  backend.widen(tensor);
  return backend.handle(tensor);
}
