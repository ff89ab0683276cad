import * as tf from "@tensorflow/tfjs-core";
import { mustBe, mustHaveShape } from "../errors.js";
import type { Parameter } from "../layers/parameter.js";
import { foreachLerp, TorchBackend } from "../torch/backend.js";
import { copyInto } from "./copyInto.js";

/**
 * Exponential moving average of the weights, on the device: e ← e + (1 − d)·(θ − e), e₀ = θ₀.
 *
 * Source: Polyak and Juditsky, 1992; as timm's ModelEmaV2, without bias correction or warm-up.
 */
export class WeightAverage {
  readonly #names: readonly string[];
  readonly #weights: readonly tf.Variable[];
  readonly #averages: readonly tf.Variable[];
  readonly #decay: number;

  /**
   * @param parameters what is averaged; the average starts at their values
   * @param decay d in [0, 1)
   */
  constructor(parameters: readonly Pick<Parameter, "name" | "variable">[], decay: number) {
    this.#decay = decay;
    this.#names = parameters.map(({ name }) => name);
    this.#weights = parameters.map(({ variable }) => variable);
    this.#averages = this.#weights.map((weight) =>
      // A clone shares storage, which whoever updates a variable in place first makes its own.
      tf.tidy(() => tf.variable(tf.clone(weight), false)),
    );
  }

  /** Takes the weights as they are now into the average; may run inside a captured step. */
  update(): void {
    const share = 1 - this.#decay;
    if (tf.backend() instanceof TorchBackend) foreachLerp(this.#averages, this.#weights, share);
    else {
      this.#averages.forEach((average, i) => {
        tf.tidy(() => average.assign(tf.add(average, tf.mul(tf.sub(this.#weights[i], average), share))));
      });
    }
  }

  /** The averages by parameter name; they stay this object's own. */
  weights(): Record<string, tf.Variable> {
    return Object.fromEntries(this.#names.map((name, i) => [name, this.#averages[i]]));
  }

  /**
   * Goes on from other averages.
   *
   * @param averages by parameter name; they stay the caller's
   * @throws KatlabError `invalid` for one that is missing, `shape` for one that does not fit
   */
  restore(averages: Readonly<Record<string, tf.Tensor>>): void {
    const values = this.#names.map((name, i) => {
      if (!Object.hasOwn(averages, name)) {
        throw mustBe({
          subject: "WeightAverage",
          must: `the averages must hold ${name}`,
          got: `${Object.keys(averages).length} others`,
          remedy: "Pass the averages of the same model.",
        });
      }
      const { shape } = this.#averages[i];
      if (!tf.util.arraysEqual(averages[name].shape, shape)) {
        throw mustHaveShape(name, shape, averages[name].shape);
      }
      return averages[name];
    });
    copyInto(this.#averages, values);
  }

  /** Gives the model the averages for good. */
  apply(): void {
    copyInto(this.#weights, this.#averages);
  }

  /** Runs `f` while the model has the averages for weights, and gives it its own back. */
  async during<T>(f: () => Promise<T>): Promise<T> {
    const kept = this.#weights.map((weight) => tf.clone(weight));
    try {
      this.apply();
      return await f();
    } finally {
      copyInto(this.#weights, kept);
      tf.dispose(kept);
    }
  }

  /** Frees the averages. */
  dispose(): void {
    tf.dispose([...this.#averages]);
  }
}
