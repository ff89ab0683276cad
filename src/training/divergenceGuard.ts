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

/** Steps between two times that weights are kept. */
const keepEvery = 50;

/**
 * Watches the losses of a run, and keeps weights to go back to.
 *
 * A run has diverged when a loss is not finite, or when the running mean of the losses exceeds `factor` · ln(classes)
 * after the first 50 steps. Weights are kept every 50 steps, on the device. Losses tell of weights one step late, so kept
 * ones are good only once the loss of the next step has come, with a running mean of at most half the limit. Losses may
 * come late and many at once: they are those that the run reads anyway.
 */
export class DivergenceGuard {
  readonly #variables: readonly tf.Variable[];
  readonly #limit: number;
  #sum = 0;
  #weight = 0;
  #judged = 0;
  #good: tf.Tensor[];
  /** Weights whose loss has not come, in the order of their steps. */
  readonly #unproven: { readonly step: number; readonly weights: tf.Tensor[] }[] = [];

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

  /** To be called after each step, by its number: keeps the weights of some. */
  stepTaken(step: number): void {
    if (step % keepEvery === 0) this.#unproven.push({ step, weights: this.#copies() });
  }

  /**
   * Judges losses that have come, in the order of their steps.
   *
   * @returns the divergence, if there is one; the variables then have their last good values
   */
  judge(losses: readonly { readonly step: number; readonly loss: number }[]): Divergence | undefined {
    for (const { step, loss } of losses) {
      const mean = this.#meanWith(loss);
      if (!Number.isFinite(loss) || (mean > this.#limit && this.#judged >= memory)) {
        copyInto(this.#variables, this.#good);
        const reason = Number.isFinite(loss)
          ? `running mean of the loss ${mean.toFixed(2)}, above ${this.#limit.toFixed(2)}`
          : `loss ${loss}`;
        return { step, reason };
      }
      if (this.#unproven[0]?.step === step - 1) this.#settle(mean <= this.#limit / 2);
    }
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
    tf.dispose([...this.#good, ...this.#unproven.flatMap(({ weights }) => weights)]);
  }

  #meanWith(loss: number): number {
    const share = 1 / memory;
    this.#judged++;
    this.#sum = (1 - share) * this.#sum + share * loss;
    this.#weight = (1 - share) * this.#weight + share;
    return this.#sum / this.#weight;
  }

  #settle(good: boolean): void {
    const [{ weights }] = this.#unproven.splice(0, 1);
    tf.dispose(good ? this.#good : weights);
    if (good) this.#good = weights;
  }

  /** Clones share storage until a step writes the variables: one copy on the device for each time weights are kept. */
  #copies(): tf.Tensor[] {
    return this.#variables.map((variable) => tf.clone(variable));
  }
}
