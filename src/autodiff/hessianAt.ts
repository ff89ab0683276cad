import * as tf from "@tensorflow/tfjs-core";
import { mustBe } from "../errors.js";
import { TorchBackend, TorchHessian } from "../torch/backend.js";
import { mustBeDistinctReals, mustMatch, outermost, scalarOf } from "./arguments.js";
import { type DifferenceCheck, warnOfDisagreement } from "./centralDifference.js";
import { DifferenceHessian } from "./differenceHessian.js";

/** What a Hessian does to a vector. */
export interface HessianProduct {
  /** H·v, one tensor per variable, of its shape; the caller disposes them. */
  readonly products: tf.Tensor[];
  /** Whether it is exact but for rounding; else it comes from finite differences. */
  readonly exact: boolean;
  /** How well the finite differences agree; null where the product is exact. */
  readonly check: DifferenceCheck | null;
}

/** The Hessian of a loss at one point, as what it does to vectors. {@link hessianAt} makes it. */
export class Hessian {
  /** The loss at the point; this object's. */
  readonly value: tf.Scalar;
  /** Its gradient, one tensor per variable; this object's. */
  readonly grads: readonly tf.Tensor[];
  /** Whether products are exact but for rounding. */
  readonly exact: boolean;
  readonly #products: HessianProducts;

  /** @internal */
  constructor(products: HessianProducts) {
    this.#products = products;
    this.value = tf.keep(products.value);
    this.grads = products.grads.map((grad) => tf.keep(grad));
    this.exact = products.exact;
  }

  /**
   * H·v at the point, whatever the variables are by now.
   *
   * @param vectors v, one float32 tensor per variable, of its shape
   * @throws KatlabError `shape` or `invalid` for other vectors, inside the function of another derivative, after `dispose`,
   *   and while another engine is in use; `unavailable` for an operator without second derivative
   */
  times(vectors: readonly tf.Tensor[]): HessianProduct {
    return outermost("Hessian.times", () => this.#products.times(vectors));
  }

  /** Frees the graph, the loss and the gradient. */
  dispose(): void {
    this.#products.dispose();
    tf.dispose([this.value, ...this.grads]);
  }
}

/**
 * The Hessian of a loss by variables, at the values they have now, for many products with vectors: the loss and its
 * gradient are computed once, and what that takes is held until `dispose`.
 *
 * On torch a product is exact, by one reverse pass through the recorded gradient, always in the precision that tensors are
 * stored in, even if the engine's is `"tf32"` or `"bfloat16"`. On other engines it comes from central differences of the
 * gradient, with a check in the result, and a warning where that fails; `f` must then give the same value every time.
 *
 * @param f computes a scalar loss from the variables
 * @param variables float32 variables, each once
 * @throws KatlabError `shape` when `f` returns no scalar; `invalid` for other variables and inside the function of another
 *   derivative; `unavailable` for an operator without derivative
 * Cost: on torch about two gradients here and two for every product, and the memory of both passes; elsewhere one gradient
 *   here, four for every product, and two more for the first.
 * Source: Pearlmutter, "Fast Exact Multiplication by the Hessian", 1994.
 */
export function hessianAt(f: () => tf.Scalar, variables: readonly tf.Variable[]): Hessian {
  const subject = "hessianAt";
  mustBeDistinctReals(subject, variables);
  return outermost(subject, () => new Hessian(new HessianProducts(subject, f, variables)));
}

/** @internal The Hessian as the engine in use has it. Used inside `outermost`. */
export class HessianProducts {
  /** The loss; the caller's. */
  readonly value: tf.Scalar;
  /** Its gradient; the caller's. */
  readonly grads: tf.Tensor[];
  /** Whether products are exact but for rounding. */
  readonly exact: boolean;
  readonly #subject: string;
  readonly #variables: readonly tf.Variable[];
  readonly #backend: tf.KernelBackend;
  #hessian: TorchHessian | DifferenceHessian | undefined;
  #warned = false;

  constructor(subject: string, f: () => tf.Scalar, variables: readonly tf.Variable[]) {
    const backend = tf.backend();
    const loss = scalarOf(subject, f);
    this.#subject = subject;
    this.#variables = [...variables];
    this.#backend = backend;
    this.exact = backend instanceof TorchBackend;
    this.#hessian =
      backend instanceof TorchBackend
        ? new TorchHessian(backend, subject, loss, variables)
        : new DifferenceHessian(loss, variables);
    ({ value: this.value, grads: this.grads } = this.#hessian);
  }

  times(vectors: readonly tf.Tensor[]): HessianProduct {
    mustMatch(this.#subject, vectors, this.#variables);
    const hessian = this.#usable();
    if (hessian instanceof TorchHessian) {
      return { products: hessian.times(vectors), exact: true, check: null };
    }
    const { products, check } = hessian.times(vectors);
    // Once: an eigenvalue takes a hundred products.
    if (!this.#warned) this.#warned = warnOfDisagreement(this.#subject, check);
    return { products, exact: false, check };
  }

  dispose(): void {
    this.#hessian?.dispose();
    this.#hessian = undefined;
  }

  #usable(): TorchHessian | DifferenceHessian {
    if (this.#hessian !== undefined && tf.backend() === this.#backend) return this.#hessian;
    throw mustBe({
      subject: this.#subject,
      must: "the Hessian must be alive, and the engine it was made on in use",
      got: this.#hessian === undefined ? "a disposed one" : `the engine ${JSON.stringify(tf.getBackend())}`,
      remedy: "Make a new one with hessianAt.",
    });
  }
}
