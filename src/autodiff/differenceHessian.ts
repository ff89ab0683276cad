import * as tf from "@tensorflow/tfjs-core";
import { centralDifference, type DifferenceCheck, dot, norm, ratio, slope } from "./centralDifference.js";
import { engineGradients } from "./valueAndGrads.js";

/** How much shorter than `step` the one along a product is. */
const probeFraction = 16;

/** A vector and its product; both are this object's own. */
interface Pair {
  readonly vectors: readonly tf.Tensor[];
  readonly products: readonly tf.Tensor[];
}

/** The Hessian of a scalar function at one point by central differences of its gradient, on engines that have no other. */
export class DifferenceHessian {
  /** The value at the point; the caller's. */
  readonly value: tf.Scalar;
  /** The gradient at the point, one tensor per variable; the caller's. */
  readonly grads: tf.Tensor[];
  readonly #variables: readonly tf.Variable[];
  readonly #point: readonly tf.Tensor[];
  readonly #evaluate: () => tf.Tensor[];
  #last: Pair | undefined;

  /** @param f computes a scalar from the variables, the same one whenever they are the same */
  constructor(f: () => tf.Scalar, variables: readonly tf.Variable[]) {
    ({ value: this.value, grads: this.grads } = engineGradients(f, variables));
    this.#variables = variables;
    this.#point = copies(variables);
    this.#evaluate = () => engineGradients(f, variables).grads;
  }

  /**
   * H·v, with a check: the first time against the product of H·v itself (two further gradients), later against the last
   * product.
   */
  times(vectors: readonly tf.Tensor[]): { products: tf.Tensor[]; check: DifferenceCheck } {
    const { derivatives, ...differences } = centralDifference(
      this.#evaluate,
      this.#variables,
      this.#point,
      vectors,
      this.#variables,
    );
    const asymmetry = this.#asymmetryOrNothing({ vectors, products: derivatives }, differences.step);
    tf.dispose([this.#last?.vectors ?? [], this.#last?.products ?? []] as tf.TensorContainer);
    this.#last = { vectors: copies(vectors), products: copies(derivatives) };
    return { products: derivatives, check: { ...differences, asymmetry } };
  }

  /** Frees what it keeps, not `value` and `grads`. */
  dispose(): void {
    tf.dispose([...this.#point, ...(this.#last?.vectors ?? []), ...(this.#last?.products ?? [])]);
    this.#last = undefined;
  }

  /** The check takes gradients, which may throw: then the products are nobody's. */
  #asymmetryOrNothing(pair: Pair, step: number): number {
    try {
      return this.#asymmetry(pair, step);
    } catch (error) {
      tf.dispose([...pair.products]);
      throw error;
    }
  }

  #asymmetry(pair: Pair, step: number): number {
    return tf.tidy(() => {
      const other = this.#last ?? this.#alongItself(pair, step);
      const largest = norm(pair.vectors) * norm(other.products) + norm(other.vectors) * norm(pair.products);
      const distance = dot(pair.vectors, other.products) - dot(other.vectors, pair.products);
      return ratio(Math.abs(distance), largest / 2);
    });
  }

  /** The product of a product: no other vector shows an asymmetry as clearly, nor does the function bend more along another. */
  #alongItself({ products }: Pair, step: number): Pair {
    const length = norm(products);
    const zero = length === 0;
    return {
      vectors: products,
      products: zero
        ? products
        : slope(this.#evaluate, this.#variables, this.#point, products, step / probeFraction / length),
    };
  }
}

/** Tensors on the same values that outlive every `tf.tidy`. */
function copies(tensors: readonly tf.Tensor[]): tf.Tensor[] {
  return tensors.map((tensor) => tf.keep(tf.clone(tensor)));
}
