import * as tf from "@tensorflow/tfjs-core";
import { copyInto } from "./copyInto.js";

/** What ended a run. */
export interface Divergence {
  /** Step whose loss showed it. */
  readonly step: number;
  /** In words: what the loss was. */
  readonly reason: string;
}

/** Memory of the running mean, in steps, and the steps before it counts: one bad batch, or a bad start, is no divergence. */
const memory = 50;

/**
 * Watches the losses of a run, and keeps weights to go back to.
 *
 * A run has diverged when a loss is not finite, or when the running mean of the losses exceeds `factor` · ln(classes)
 * after the first 50 steps.
 * Losses tell of weights one step late, so weights that are kept count as good only once a loss computed from them has come,
 * at a running mean of at most half the limit. Both copies stay on the device; the losses are those the run reads anyway.
 */
export class DivergenceGuard {
  readonly #variables: readonly tf.Variable[];
  readonly #limit: number;
  #sum = 0;
  #weight = 0;
  #judged = 0;
  #good: tf.Tensor[];
  #newest: tf.Tensor[] | undefined;

  /**
   * @param variables what is kept; they are good as they are now
   * @param classes number of classes
   * @param factor in units of ln(classes); `null` watches for losses that are not finite only
   */
  constructor(variables: readonly tf.Variable[], classes: number, factor: number | null) {
    this.#variables = variables;
    this.#limit = factor === null ? Infinity : factor * Math.log(Math.max(2, classes));
    this.#good = this.#copies();
  }

  /**
   * Judges losses that have come, in the order of their steps, and keeps the weights as they are now.
   *
   * @returns the divergence, if there is one; the variables then have their last good values
   */
  judge(losses: readonly { readonly step: number; readonly loss: number }[]): Divergence | undefined {
    for (const { step, loss } of losses) {
      const mean = this.#meanWith(loss);
      if (Number.isFinite(loss) && (mean <= this.#limit || this.#judged < memory)) continue;
      copyInto(this.#variables, this.#good);
      const reason = Number.isFinite(loss)
        ? `running mean of the loss ${mean.toFixed(2)}, above ${this.#limit.toFixed(2)}`
        : `loss ${loss}`;
      return { step, reason };
    }
    if (losses.length > 0) this.#keep();
    return undefined;
  }

  /** Goes on in a run that had these losses; its weights as they are now count as good. */
  resume(losses: readonly number[]): void {
    tf.dispose(this.#good);
    this.#good = this.#copies();
    for (const loss of losses) this.#meanWith(loss);
  }

  /** Frees what is kept. */
  dispose(): void {
    tf.dispose([...this.#good, ...(this.#newest ?? [])]);
  }

  #meanWith(loss: number): number {
    const share = 1 / memory;
    this.#judged++;
    this.#sum = (1 - share) * this.#sum + share * loss;
    this.#weight = (1 - share) * this.#weight + share;
    return this.#sum / this.#weight;
  }

  #keep(): void {
    if (this.#newest !== undefined) {
      const proven = this.#sum / this.#weight <= this.#limit / 2;
      tf.dispose(proven ? this.#good : this.#newest);
      if (proven) this.#good = this.#newest;
    }
    this.#newest = this.#copies();
  }

  /** Clones share storage until a step writes the variables: one copy on the device for each time weights are kept. */
  #copies(): tf.Tensor[] {
    return this.#variables.map((variable) => tf.clone(variable));
  }
}
