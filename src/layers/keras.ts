/**
 * `katlab/keras`: the layers of KAT for models of tf.layers. Importing it registers them, so that saved models load.
 *
 * ```ts
 * import * as tfl from "@tensorflow/tfjs-layers";
 * import { GroupKan } from "katlab/keras";
 * const model = tfl.sequential({ layers: [new GroupKan({ inputShape: [192], hiddenDim: 768 })] });
 * ```
 *
 * @packageDocumentation
 */
import * as tf from "@tensorflow/tfjs-core";
import { initializers, layers } from "@tensorflow/tfjs-layers";
import type { RationalForm } from "../bases/rationalForm.js";
import { mustBe, mustHaveShape } from "../errors.js";
import { linear } from "../ops/linear.js";
import { Random } from "../random.js";
import { FixedActivation } from "./fixedActivation.js";
import {
  GroupKan as GroupKanModule,
  type GroupKanOptions as GroupKanModuleOptions,
  type GroupKanWeights,
} from "./groupKan.js";
import {
  GroupRational as GroupRationalModule,
  type GroupRationalOptions as GroupRationalModuleOptions,
  type RationalOptions,
  type RationalSharing,
  type Sharing,
} from "./groupRational.js";
import type { MixerFunctionsOptions, PerFunction, RationalOptionsPerFunction } from "./mixerFunctions.js";
import type { ForwardOptions, Module } from "./module.js";
import { Scope } from "./scope.js";

export type {
  GroupKanWeights,
  MixerFunctionsOptions,
  PerFunction,
  RationalForm,
  RationalOptions,
  RationalOptionsPerFunction,
  RationalSharing,
  Sharing,
};

/** What every layer of tf.layers may be given: `inputShape`, `name`, `trainable`, … */
export type LayerSettings = ConstructorParameters<typeof layers.Layer>[0];

/** Settings of {@link GroupRational}; `dim` is the last axis of its input. */
export type GroupRationalSettings = LayerSettings &
  Omit<GroupRationalModuleOptions, "dim"> & {
    /** Seed of form D's noise, any safe integer. Default 0. */
    readonly seed?: number;
  };

/** Settings of {@link GroupKan}; `dim` is the last axis of its input. */
export type GroupKanSettings = LayerSettings &
  Omit<GroupKanModuleOptions, "dim" | "hiddenDim" | "weights"> & {
    /** How the weights of the linear maps start. Default `"variance-preserving"`. */
    readonly firstWeights?: GroupKanWeights;
    /** Channels between the two linear maps. Default four times the input's. */
    readonly hiddenDim?: number;
    /** Seed of the first weights and of form D's noise, any safe integer. Default 0. */
    readonly seed?: number;
  };

type Shape = Parameters<layers.Layer["build"]>[0];
type Config = tf.serialization.ConfigDict;

/** What a layer has once it knows its input: the module whose parameters it copied, and its own weights by their names. */
interface Built<M> {
  readonly module: M;
  readonly weights: Readonly<Record<string, { read(): tf.Tensor }>>;
}

/** A layer of tf.layers that has the parameters of a module, with the module's names, shapes and first values. */
abstract class ModuleLayer<M extends Module> extends layers.Layer {
  #built: Built<M> | undefined;
  readonly #random: Random;

  /** @param seed of what is drawn in training */
  constructor(settings: LayerSettings, seed = 0) {
    super(settings);
    this.#random = new Random(seed).split("training");
  }

  /** Makes the module for inputs of `dim` channels. */
  protected abstract moduleFor(dim: number): M;

  /**
   * The module's function, by the layer's weights.
   *
   * @internal
   */
  protected abstract compute(x: tf.Tensor, built: Built<M>, options: ForwardOptions): tf.Tensor;

  override build(inputShape: Shape): void {
    const shape = oneShape(inputShape);
    const dim = shape.at(-1);
    if (typeof dim !== "number") throw mustHaveShape(this.name, ["…", "dim"], []);
    const module = this.moduleFor(dim);
    const weights = [...module.namedParameters()].map(([name, parameter]) => {
      const weight = this.addWeight(name, [...parameter.shape], "float32", initializers.zeros());
      weight.write(parameter.variable);
      return [name, weight] as const;
    });
    module.dispose();
    this.#built = { module, weights: Object.fromEntries(weights) };
    super.build(inputShape);
  }

  override call(inputs: tf.Tensor | tf.Tensor[], { training }: { training?: boolean } = {}): tf.Tensor {
    const built = this.#built;
    if (built === undefined) {
      throw mustBe({
        subject: this.name,
        must: "the layer must be built before it is called",
        got: "one that is not",
        remedy: "Use apply, which builds it.",
      });
    }
    const options = { training, random: this.#random };
    return tf.tidy(() => this.compute(Array.isArray(inputs) ? inputs[0] : inputs, built, options));
  }

  override computeOutputShape(inputShape: Shape): Shape {
    return oneShape(inputShape);
  }
}

/**
 * Learnable activations, rational functions of groups of channels, as a layer of tf.layers: `[…, dim]` → `[…, dim]`.
 * Weights: `weight_numerator`, `weight_denominator`.
 */
export class GroupRational extends ModuleLayer<GroupRationalModule> {
  /** The name it is saved under. */
  static readonly className: string = "KatlabGroupRational";
  readonly #options: Omit<GroupRationalSettings, keyof NonNullable<LayerSettings>>;

  constructor(settings: GroupRationalSettings) {
    super(settings, settings.seed);
    const { start, groups, form, degrees, sharing, uneven, seed } = settings;
    this.#options = { start, groups, form, degrees, sharing, uneven, seed };
  }

  /** @internal */
  static override fromConfig<T extends tf.serialization.Serializable>(
    type: tf.serialization.SerializableConstructor<T>,
    config: Config,
  ): T {
    return new type(withForm(config));
  }

  protected override moduleFor(dim: number): GroupRationalModule {
    return new GroupRationalModule(new Scope(), { ...this.#options, dim });
  }

  /** @internal */
  protected override compute(
    x: tf.Tensor,
    { module, weights }: Built<GroupRationalModule>,
    options: ForwardOptions,
  ): tf.Tensor {
    return module.computeBy(x, weights.weight_numerator.read(), weights.weight_denominator.read(), options);
  }

  override getConfig(): Config {
    return { ...super.getConfig(), ...definedOnly(this.#options) };
  }
}

/**
 * The channel mixer of KAT, rational, linear, rational, linear, as a layer of tf.layers: `[…, dim]` → `[…, dim]`.
 * Weights, named and laid out as in KAT's checkpoints: `act1.weight_numerator`, …, `fc2.bias`.
 */
export class GroupKan extends ModuleLayer<GroupKanModule> {
  /** The name it is saved under. */
  static readonly className: string = "KatlabGroupKan";
  readonly #options: Omit<GroupKanSettings, keyof NonNullable<LayerSettings>>;

  constructor(settings: GroupKanSettings = {}) {
    super(settings, settings.seed);
    const { hiddenDim, firstWeights, seed, starts, fixed, groups, form, degrees, sharing, uneven } = settings;
    this.#options = { hiddenDim, firstWeights, seed, starts, fixed, groups, form, degrees, sharing, uneven };
  }

  /** @internal */
  static override fromConfig<T extends tf.serialization.Serializable>(
    type: tf.serialization.SerializableConstructor<T>,
    config: Config,
  ): T {
    return new type(withForm(config));
  }

  protected override moduleFor(dim: number): GroupKanModule {
    const { hiddenDim = 4 * dim, firstWeights: weights, seed = 0, ...rest } = this.#options;
    return new GroupKanModule(new Scope(new Random(seed).split("weights")), {
      ...rest,
      dim,
      hiddenDim,
      weights,
    });
  }

  /** @internal */
  protected override compute(
    x: tf.Tensor,
    { module, weights }: Built<GroupKanModule>,
    options: ForwardOptions,
  ): tf.Tensor {
    const act = (input: tf.Tensor, name: "act1" | "act2"): tf.Tensor => {
      const own = module[name];
      if (own instanceof FixedActivation) return own.forward(input);
      const [a, b] = ["numerator", "denominator"].map((table) => weights[`${name}.weight_${table}`].read());
      return own.computeBy(input, a, b, options);
    };
    const map = (input: tf.Tensor, name: "fc1" | "fc2"): tf.Tensor =>
      linear(input, weights[`${name}.weight`].read(), weights[`${name}.bias`].read());
    return map(act(map(act(x, "act1"), "fc1"), "act2"), "fc2");
  }

  override getConfig(): Config {
    return { ...super.getConfig(), ...definedOnly(this.#options) };
  }
}

/** As JSON has it, without what was left out. */
function definedOnly(options: object): Config {
  return JSON.parse(JSON.stringify(options)) as Config;
}

/** tf.layers writes the strings of a configuration in small letters. */
function withForm(config: Config): Config {
  if (!("form" in config)) return config;
  const capital = (letter: unknown): string => String(letter).toUpperCase();
  return { ...config, form: Array.isArray(config.form) ? config.form.map(capital) : capital(config.form) };
}

function oneShape(shape: Shape): (number | null)[] {
  return (Array.isArray(shape[0]) ? shape[0] : shape) as (number | null)[];
}

tf.serialization.registerClass(GroupRational);
tf.serialization.registerClass(GroupKan);
