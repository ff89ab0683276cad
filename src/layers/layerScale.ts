import * as tf from "@tensorflow/tfjs-core";
import { mustBe, mustHaveShape } from "../errors.js";
import { constant } from "./initializer.js";
import { Module } from "./module.js";
import { composedOutline, type LayerOutline } from "./outline.js";
import type { Parameter } from "./parameter.js";
import type { Scope } from "./scope.js";

/** Settings of {@link LayerScale}. */
export interface LayerScaleOptions {
  /** Channels, the last axis of the input. */
  readonly dim: number;
  /** First value of every scale, finite; timm's `init_values`. */
  readonly start: number;
}

/**
 * A learnable scale per channel of a residual branch: `[…, dim]` → `[…, dim]`, y = γ·x. Parameter, named as in timm:
 * `gamma`, `[dim]`, of the kind `"norm"`, which weight decay leaves alone.
 *
 * Source: Touvron et al., "Going deeper with Image Transformers", 2021.
 */
export class LayerScale extends Module {
  /** Channels, the last axis of the input. */
  readonly dim: number;
  /** γ, `[dim]` */
  readonly gamma: Parameter;

  /** @throws KatlabError `invalid` for a start that is not finite */
  constructor(scope: Scope, { dim, start }: LayerScaleOptions) {
    super(scope);
    if (!Number.isFinite(start)) {
      throw mustBe({
        subject: "layerScale",
        must: "the first value must be a finite number",
        got: String(start),
        remedy: "1e-4 is usual; leave it out for no scales.",
      });
    }
    this.dim = dim;
    this.gamma = scope.parameter("gamma", {
      kind: "norm",
      axes: ["dim"],
      shape: [dim],
      initializer: constant(start),
    });
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    return tf.mul(x, this.gamma.variable);
  }

  override outline(input: readonly number[]): LayerOutline {
    if (input.at(-1) !== this.dim) throw mustHaveShape(this.path, ["…", this.dim], input);
    return composedOutline({
      path: this.path,
      layer: "LayerScale",
      output: input,
      parameters: this.gamma.size,
      layers: [],
    });
  }
}
