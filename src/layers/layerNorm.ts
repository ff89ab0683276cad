import type * as tf from "@tensorflow/tfjs-core";
import { mustHaveShape } from "../errors.js";
import { layerNorm } from "../ops/layerNorm.js";
import { sizeOf } from "../shape.js";
import { constant } from "./initializer.js";
import { Module } from "./module.js";
import { composedOutline, type LayerOutline } from "./outline.js";
import type { Parameter } from "./parameter.js";
import type { Scope } from "./scope.js";

/** Settings of {@link LayerNorm}. */
export interface LayerNormOptions {
  /** Channels, the axis that is normalised. */
  readonly dim: number;
  /** ε > 0. Default 1e-6, as ViT has it. */
  readonly epsilon?: number;
}

/** Layer normalisation of the last axis: `[…, dim]` → `[…, dim]`. Parameters, named as PyTorch: `weight`, `bias`. */
export class LayerNorm extends Module {
  /** Channels, the axis that is normalised. */
  readonly dim: number;
  /** ε, added to the variance. */
  readonly epsilon: number;
  /** γ, `[dim]`; starts at one. */
  readonly weight: Parameter;
  /** β, `[dim]`; starts at zero. */
  readonly bias: Parameter;

  constructor(scope: Scope, { dim, epsilon = 1e-6 }: LayerNormOptions) {
    super(scope);
    this.dim = dim;
    this.epsilon = epsilon;
    const spec = { kind: "norm", axes: ["dim"], shape: [dim] } as const;
    this.weight = scope.parameter("weight", { ...spec, initializer: constant(1) });
    this.bias = scope.parameter("bias", { ...spec, initializer: constant(0) });
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    return layerNorm(x, this.weight.variable, this.bias.variable, this.epsilon);
  }

  override outline(input: readonly number[]): LayerOutline {
    if (input.at(-1) !== this.dim) throw mustHaveShape(this.path, ["…", this.dim], input);
    return composedOutline({
      path: this.path,
      layer: "LayerNorm",
      output: input,
      parameters: this.weight.size + this.bias.size,
      multiplyAdds: 5 * sizeOf(input),
      layers: [],
    });
  }
}
