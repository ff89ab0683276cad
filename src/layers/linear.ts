import type * as tf from "@tensorflow/tfjs-core";
import { mustHaveShape } from "../errors.js";
import { linear } from "../ops/linear.js";
import { sizeOf } from "../shape.js";
import { constant, type Initializer, normal } from "./initializer.js";
import { Module } from "./module.js";
import { composedOutline, type LayerOutline } from "./outline.js";
import type { Parameter } from "./parameter.js";
import type { Scope } from "./scope.js";

/** Settings of {@link Linear}. */
export interface LinearOptions {
  /** Channels of the input, its last axis. */
  readonly inputDim: number;
  /** Channels of the output, its last axis. */
  readonly outputDim: number;
  /** Whether an offset is added. Default true. */
  readonly bias?: boolean;
  /** First values of the weight. Default N(0, 0.02²), timm's for transformers. The bias starts at zero. */
  readonly weight?: Initializer;
}

/** `y = x·Wᵀ + b` on the last axis: `[…, inputDim]` → `[…, outputDim]`. Parameters: `weight`, `bias`. */
export class Linear extends Module {
  /** Channels of the input, its last axis. */
  readonly inputDim: number;
  /** Channels of the output, its last axis. */
  readonly outputDim: number;
  /** W, `[out, in]`. */
  readonly weight: Parameter;
  /** b, `[out]`. */
  readonly bias: Parameter | undefined;

  constructor(scope: Scope, { inputDim, outputDim, bias = true, weight = normal(0.02) }: LinearOptions) {
    super(scope);
    this.inputDim = inputDim;
    this.outputDim = outputDim;
    this.weight = scope.parameter("weight", {
      kind: "weight",
      axes: ["out", "in"],
      shape: [outputDim, inputDim],
      initializer: weight,
    });
    this.bias = bias
      ? scope.parameter("bias", {
          kind: "bias",
          axes: ["out"],
          shape: [outputDim],
          initializer: constant(0),
        })
      : undefined;
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    return linear(x, this.weight.variable, this.bias?.variable);
  }

  override outline(input: readonly number[]): LayerOutline {
    if (input.at(-1) !== this.inputDim) throw mustHaveShape(this.path, ["…", this.inputDim], input);
    return composedOutline({
      path: this.path,
      layer: "Linear",
      output: [...input.slice(0, -1), this.outputDim],
      parameters: this.weight.size + (this.bias?.size ?? 0),
      multiplyAdds: sizeOf(input) * this.outputDim,
      layers: [],
    });
  }
}
