import * as tf from "@tensorflow/tfjs-core";
import { mustBe, mustHaveShape } from "../errors.js";
import type { Parameter } from "../layers/parameter.js";
import { fusedAdamW, TorchBackend } from "../torch/backend.js";
import { copyInto } from "./copyInto.js";
import type { Recipe } from "./recipe.js";

interface Group {
  readonly weightDecay: number;
  /** Factor on the learning rate. */
  readonly rate: number;
  /** Places of its parameters in the whole list. */
  readonly places: readonly number[];
  readonly parameters: readonly tf.Variable[];
  readonly means: readonly tf.Variable[];
  readonly variances: readonly tf.Variable[];
  readonly steps: readonly tf.Variable[];
}

/** The part of a recipe that AdamW needs; `coefficientRate` is 1 where it is left out. */
export type AdamWSettings = Pick<
  Recipe,
  "weightDecay" | "coefficientWeightDecay" | "beta1" | "beta2" | "epsilon"
> &
  Partial<Pick<Recipe, "coefficientRate">>;

/**
 * AdamW with groups by kind of parameter: weight decay is `weightDecay` for weights, `coefficientWeightDecay` for learned
 * functions' coefficients, none for the rest; the learning rate of coefficients is `coefficientRate` times the others'.
 *
 *     θ ← θ − ηλθ;  m ← β₁m + (1 − β₁)g;  v ← β₂v + (1 − β₂)g²;  θ ← θ − η·m̂/(√v̂ + ε)
 *
 * with m̂ = m/(1 − β₁ᵗ) and v̂ = v/(1 − β₂ᵗ). On the torch engine one fused operator updates all of a group in place.
 *
 * Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019, algorithm 2.
 */
export class AdamW {
  readonly #settings: AdamWSettings;
  readonly #parameters: readonly Parameter[];
  readonly #groups: readonly Group[];
  #taken = 0;

  /** @param parameters what is trained; `step` takes gradients in this order */
  constructor(parameters: readonly Parameter[], settings: AdamWSettings) {
    this.#settings = settings;
    this.#parameters = parameters;
    this.#groups = groupsByKind(parameters, settings);
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
      const rate = group.rate === 1 ? learningRate : scaled(learningRate, group.rate);
      if (fused) fusedAdamW({ ...this.#settings, ...group, gradients: own, learningRate: rate });
      else this.#composed(group, own, rate);
      if (rate instanceof tf.Tensor && rate !== learningRate) rate.dispose();
    }
  }

  /** The running means by name, `mean.` and `variance.` before the parameter's; they stay the optimizer's own. */
  state(): Record<string, tf.Variable> {
    const entries = this.#groups.flatMap(({ places, means, variances }) =>
      places.flatMap((place, i) => {
        const { name } = this.#parameters[place];
        return [[`mean.${name}`, means[i]] as const, [`variance.${name}`, variances[i]] as const];
      }),
    );
    return Object.fromEntries(entries);
  }

  /**
   * Goes on where another optimizer of the same parameters was.
   *
   * @param state as `state()` gave it; stays the caller's
   * @param taken steps it had taken
   * @throws KatlabError `invalid` for a mean that is missing, `shape` for one that does not fit
   */
  restore(state: Readonly<Record<string, tf.Tensor>>, taken: number): void {
    const own = Object.entries(this.state());
    for (const [name, { shape }] of own) {
      if (!Object.hasOwn(state, name)) {
        throw mustBe({
          subject: "AdamW",
          must: `the state must hold ${name}`,
          got: `${Object.keys(state).length} other tensors`,
          remedy: "Pass the state of an optimizer of the same model.",
        });
      }
      if (!tf.util.arraysEqual(state[name].shape, shape)) throw mustHaveShape(name, shape, state[name].shape);
    }
    copyInto(
      own.map(([, variable]) => variable),
      own.map(([name]) => state[name]),
    );
    for (const { steps } of this.#groups) {
      for (const step of steps) tf.tidy(() => step.assign(tf.scalar(taken)));
    }
    this.#taken = taken;
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

function groupsByKind(parameters: readonly Parameter[], settings: AdamWSettings): Group[] {
  const { weightDecay, coefficientWeightDecay, coefficientRate = 1 } = settings;
  const groups = new Map<string, { weightDecay: number; rate: number; places: number[] }>();
  parameters.forEach(({ kind }, place) => {
    const coefficient = kind === "coefficient";
    const decay = coefficient ? coefficientWeightDecay : kind === "weight" ? weightDecay : 0;
    const rate = coefficient ? coefficientRate : 1;
    const key = `${decay} ${rate}`;
    const group = groups.get(key) ?? { weightDecay: decay, rate, places: [] };
    groups.set(key, group);
    group.places.push(place);
  });
  return [...groups.values()].map((group) => {
    const variables = group.places.map((place) => parameters[place].variable);
    return {
      ...group,
      parameters: variables,
      means: variables.map(zeros),
      variances: variables.map(zeros),
      steps: variables.map(() => zeros(undefined)),
    };
  });
}

function scaled(learningRate: number | tf.Scalar, factor: number): number | tf.Scalar {
  return typeof learningRate === "number" ? learningRate * factor : tf.mul(learningRate, factor);
}

function zeros(like: tf.Tensor | undefined): tf.Variable {
  return tf.tidy(() => tf.variable(tf.zeros(like?.shape ?? []), false));
}
