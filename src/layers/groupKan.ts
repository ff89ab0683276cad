import type * as tf from "@tensorflow/tfjs-core";
import { type ActivationName, activations } from "../bases/activations.js";
import { activationGain } from "../bases/gain.js";
import { unknownOption } from "../errors.js";
import { FixedActivation } from "./fixedActivation.js";
import { GroupRational } from "./groupRational.js";
import { normal } from "./initializer.js";
import { Linear } from "./linear.js";
import { type MixerFunction, mixerFunctions, type MixerFunctionsOptions } from "./mixerFunctions.js";
import { type ForwardOptions, Module } from "./module.js";
import { composedOutline, type LayerOutline } from "./outline.js";
import type { Scope } from "./scope.js";

/**
 * How the weights behind the rational functions start.
 *
 * - `"variance-preserving"`, the paper's rule: N(0, α/d) with d inputs and the gain α = Var[x]/E[F(x)²] of the function
 *   before them, so that the variance of a normalised input stays.
 * - `"timm"`, what the released code does in the end: N(0, 0.02²).
 */
export type GroupKanWeights = "variance-preserving" | "timm";

const groupKanWeights: readonly GroupKanWeights[] = ["variance-preserving", "timm"];

/** Settings of {@link GroupKan}. */
export interface GroupKanOptions extends MixerFunctionsOptions {
  /** Channels of a token, in and out. */
  readonly dim: number;
  /** Channels between the two layers. */
  readonly hiddenDim: number;
  /** How the weights start. Default `"variance-preserving"`. */
  readonly weights?: GroupKanWeights;
}

/**
 * The channel mixer of KAT, two group-rational KAN layers: `[…, dim]` → `[…, dim]`.
 * Layers, named as in KAT's checkpoints: `act1`, `fc1`, `act2`, `fc2`.
 *
 *     y = W₂·F₂(W₁·F₁(x) + b₁) + b₂
 *
 * Source: KAT, arXiv 2409.10594, sections 4.3 and 4.4.
 */
export class GroupKan extends Module {
  /** F₁: `[…, dim]` → `[…, dim]`. */
  readonly act1: GroupRational | FixedActivation;
  /** W₁ and b₁: `[…, dim]` → `[…, hiddenDim]`. */
  readonly fc1: Linear;
  /** F₂: `[…, hiddenDim]` → `[…, hiddenDim]`. */
  readonly act2: GroupRational | FixedActivation;
  /** W₂ and b₂: `[…, hiddenDim]` → `[…, dim]`. */
  readonly fc2: Linear;

  /**
   * @throws KatlabError as {@link GroupRational}; `unknown` for weights that are not there, or for a fixed function that is
   *   no activation; `invalid` for settings that are neither one for both functions nor a pair, or that fixed ones have not
   */
  constructor(scope: Scope, options: GroupKanOptions) {
    super(scope);
    const { dim, hiddenDim, weights = "variance-preserving" } = options;
    if (!groupKanWeights.includes(weights))
      throw unknownOption("GroupKan: weights", weights, groupKanWeights);
    const [first, second] = mixerFunctions(options);
    const linearAfter = (act: Activation, name: string, [inputDim, outputDim]: [number, number]): Linear => {
      const std = weights === "timm" ? 0.02 : Math.sqrt(gainOf(act) / inputDim);
      return new Linear(scope.child(name), { inputDim, outputDim, weight: normal(std) });
    };
    this.act1 = activation(scope.child("act1"), dim, first);
    this.fc1 = linearAfter(this.act1, "fc1", [dim, hiddenDim]);
    this.act2 = activation(scope.child("act2"), hiddenDim, second);
    this.fc2 = linearAfter(this.act2, "fc2", [hiddenDim, dim]);
  }

  protected override compute(x: tf.Tensor, options: ForwardOptions): tf.Tensor {
    const hidden = this.fc1.forward(this.act1.forward(x, options), options);
    return this.fc2.forward(this.act2.forward(hidden, options), options);
  }

  override outline(input: readonly number[]): LayerOutline {
    const act1 = this.act1.outline(input);
    const fc1 = this.fc1.outline(act1.output);
    const act2 = this.act2.outline(fc1.output);
    const fc2 = this.fc2.outline(act2.output);
    const layers = [act1, fc1, act2, fc2];
    return composedOutline({ path: this.path, layer: "GroupKan", output: fc2.output, layers });
  }
}

type Activation = GroupRational | FixedActivation;

function activation(scope: Scope, dim: number, { fixed, start, ...rational }: MixerFunction): Activation {
  return fixed
    ? new FixedActivation(scope, start as ActivationName)
    : new GroupRational(scope, { ...rational, dim, start });
}

function gainOf(act: Activation): number {
  return act instanceof GroupRational ? act.preset.gain : activationGain(activations[act.activation]);
}
