import * as tf from "@tensorflow/tfjs-core";
import type { Parameter } from "../layers/parameter.js";
import { fusedAdamW, TorchBackend } from "../torch/backend.js";
import type { Recipe } from "./recipe.js";

interface Group {
  readonly weightDecay: number;
  /** Places of its parameters in the whole list. */
  readonly places: readonly number[];
  readonly parameters: readonly tf.Variable[];
  readonly means: readonly tf.Variable[];
  readonly variances: readonly tf.Variable[];
  readonly steps: readonly tf.Variable[];
}

/** The part of a recipe that AdamW needs. */
export type AdamWSettings = Pick<
  Recipe,
  "weightDecay" | "coefficientWeightDecay" | "beta1" | "beta2" | "epsilon"
>;

/**
 * AdamW with weight decay by kind of parameter: `weightDecay` for weights, `coefficientWeightDecay` for rational
 * coefficients, none for the rest.
 *
 *     θ ← θ − ηλθ;  m ← β₁m + (1 − β₁)g;  v ← β₂v + (1 − β₂)g²;  θ ← θ − η·m̂/(√v̂ + ε)
 *
 * with m̂ = m/(1 − β₁ᵗ) and v̂ = v/(1 − β₂ᵗ). On the torch engine one fused operator updates all of a group in place.
 *
 * Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019, algorithm 2.
 */
export class AdamW {
  readonly #settings: AdamWSettings;
  readonly #groups: readonly Group[];
  #taken = 0;

  /** @param parameters what is trained; `step` takes gradients in this order */
  constructor(parameters: readonly Parameter[], settings: AdamWSettings) {
    this.#settings = settings;
    this.#groups = groupsByDecay(parameters, settings);
  }

  /**
   * One step.
   *
   * @param gradients one per parameter; they stay the caller's
   * @param learningRate η of this step; as a scalar tensor in a step that `compileStep` captures
   */
  step(gradients: readonly tf.Tensor[], learningRate: number | tf.Scalar): void {
    this.#taken++;
    const fused = tf.backend() instanceof TorchBackend;
    for (const group of this.#groups) {
      const own = group.places.map((place) => gradients[place]);
      if (fused) fusedAdamW({ ...this.#settings, ...group, gradients: own, learningRate });
      else this.#composed(group, own, learningRate);
    }
  }

  /** Frees the running means. */
  dispose(): void {
    for (const { means, variances, steps } of this.#groups) tf.dispose([...means, ...variances, ...steps]);
  }

  #composed(group: Group, gradients: readonly tf.Tensor[], learningRate: number | tf.Scalar): void {
    const { beta1, beta2, epsilon } = this.#settings;
    const meanScale = 1 - beta1 ** this.#taken;
    const varianceScale = 1 - beta2 ** this.#taken;
    group.parameters.forEach((parameter, i) => {
      tf.tidy(() => {
        const mean = tf.add(tf.mul(group.means[i], beta1), tf.mul(gradients[i], 1 - beta1));
        const variance = tf.add(
          tf.mul(group.variances[i], beta2),
          tf.mul(tf.square(gradients[i]), 1 - beta2),
        );
        const kept = tf.mul(parameter, tf.sub(1, tf.mul(learningRate, group.weightDecay)));
        const scale = tf.add(tf.sqrt(tf.div(variance, varianceScale)), epsilon);
        const move = tf.div(tf.div(mean, meanScale), scale);
        group.means[i].assign(mean);
        group.variances[i].assign(variance);
        parameter.assign(tf.sub(kept, tf.mul(move, learningRate)));
      });
    });
  }
}

function groupsByDecay(parameters: readonly Parameter[], settings: AdamWSettings): Group[] {
  const places = new Map<number, number[]>();
  parameters.forEach(({ kind }, place) => {
    const decay =
      kind === "weight" ? settings.weightDecay : kind === "coefficient" ? settings.coefficientWeightDecay : 0;
    places.set(decay, [...(places.get(decay) ?? []), place]);
  });
  return [...places].map(([weightDecay, own]) => {
    const variables = own.map((place) => parameters[place].variable);
    return {
      weightDecay,
      places: own,
      parameters: variables,
      means: variables.map(zeros),
      variances: variables.map(zeros),
      steps: variables.map(() => zeros(undefined)),
    };
  });
}

function zeros(like: tf.Tensor | undefined): tf.Variable {
  return tf.tidy(() => tf.variable(tf.zeros(like?.shape ?? []), false));
}
