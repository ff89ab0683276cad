import type * as tf from "@tensorflow/tfjs-core";
import { rationalPreset, type RationalPresetName } from "../bases/rationalPreset.js";
import { mustDivide, mustHaveShape } from "../errors.js";
import { groupRational } from "../ops/groupRational.js";
import { sizeOf } from "../shape.js";
import { rows } from "./initializer.js";
import { Module } from "./module.js";
import { composedOutline, type LayerOutline } from "./outline.js";
import type { Parameter } from "./parameter.js";
import type { Scope } from "./scope.js";

/** Settings of {@link GroupRational}. */
export interface GroupRationalOptions {
  /** Channels, the last axis of the input. */
  readonly dim: number;
  /** Groups of neighbouring channels with a denominator each; divides `dim`. Default 8, as KAT has it. */
  readonly groups?: number;
  /** The activation every group starts as. */
  readonly start: RationalPresetName;
}

/**
 * Learnable activations, one rational function F = P/Q per group of channels: `[…, dim]` → `[…, dim]`.
 * All groups share P. Parameters, named as in KAT's checkpoints: `weight_numerator`, `weight_denominator`.
 */
export class GroupRational extends Module {
  /** Channels, the last axis of the input. */
  readonly dim: number;
  /** Groups of neighbouring channels with a denominator each. */
  readonly groups: number;
  /** The activation every group started as. */
  readonly start: RationalPresetName;
  /** a₀ … a₅, `[1, 6]` */
  readonly numerator: Parameter;
  /** b₁ … b₄, `[groups, 4]` */
  readonly denominator: Parameter;

  /** @throws KatlabError `indivisible` when `groups` does not divide `dim`, `unknown` for another start */
  constructor(scope: Scope, { dim, groups = 8, start }: GroupRationalOptions) {
    super(scope);
    if (dim % groups !== 0) {
      throw mustDivide("GroupRational", { name: "dim", value: dim }, { name: "groups", value: groups });
    }
    this.dim = dim;
    this.groups = groups;
    this.start = start;
    const { numerator, denominator } = rationalPreset(start);
    this.numerator = scope.parameter("weight_numerator", {
      kind: "coefficient",
      axes: ["shared", "power"],
      shape: [1, numerator.length],
      initializer: rows(numerator),
    });
    this.denominator = scope.parameter("weight_denominator", {
      kind: "coefficient",
      axes: ["group", "power"],
      shape: [groups, denominator.length],
      initializer: rows(denominator),
    });
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    const numerator = this.numerator.variable as tf.Tensor as tf.Tensor2D;
    const denominator = this.denominator.variable as tf.Tensor as tf.Tensor2D;
    return groupRational(x, numerator, denominator);
  }

  override outline(input: readonly number[]): LayerOutline {
    if (input.at(-1) !== this.dim) throw mustHaveShape(this.path, ["…", this.dim], input);
    return composedOutline({
      path: this.path,
      layer: "GroupRational",
      output: input,
      parameters: this.numerator.size + this.denominator.size,
      multiplyAdds: 21 * sizeOf(input),
      layers: [],
    });
  }
}
