import type * as tf from "@tensorflow/tfjs-core";
import { rationalPreset, type RationalPresetName } from "../bases/rationalPreset.js";
import { GroupRational } from "./groupRational.js";
import { normal } from "./initializer.js";
import { Linear } from "./linear.js";
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

/** Settings of {@link GroupKan}. */
export interface GroupKanOptions {
  /** Channels of a token, in and out. */
  readonly dim: number;
  /** Channels between the two layers. */
  readonly hiddenDim: number;
  /** Groups of each rational function; divides `dim` and `hiddenDim`. Default 8. */
  readonly groups?: number;
  /** What the two rational functions start as. Default identity, then silu. */
  readonly starts?: readonly [RationalPresetName, RationalPresetName];
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
  readonly act1: GroupRational;
  /** W₁ and b₁: `[…, dim]` → `[…, hiddenDim]`. */
  readonly fc1: Linear;
  /** F₂: `[…, hiddenDim]` → `[…, hiddenDim]`. */
  readonly act2: GroupRational;
  /** W₂ and b₂: `[…, hiddenDim]` → `[…, dim]`. */
  readonly fc2: Linear;

  constructor(scope: Scope, options: GroupKanOptions) {
    super(scope);
    const {
      dim,
      hiddenDim,
      groups = 8,
      starts = ["identity", "silu"],
      weights = "variance-preserving",
    } = options;
    const after = (start: RationalPresetName, inputDim: number, outputDim: number): LinearShape => ({
      inputDim,
      outputDim,
      weight: normal(weights === "timm" ? 0.02 : Math.sqrt(rationalPreset(start).gain / inputDim)),
    });
    this.act1 = new GroupRational(scope.child("act1"), { dim, groups, start: starts[0] });
    this.fc1 = new Linear(scope.child("fc1"), after(starts[0], dim, hiddenDim));
    this.act2 = new GroupRational(scope.child("act2"), { dim: hiddenDim, groups, start: starts[1] });
    this.fc2 = new Linear(scope.child("fc2"), after(starts[1], hiddenDim, dim));
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

type LinearShape = ConstructorParameters<typeof Linear>[1];
