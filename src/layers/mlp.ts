import type * as tf from "@tensorflow/tfjs-core";
import { Gelu } from "./gelu.js";
import { Linear } from "./linear.js";
import { type ForwardOptions, Module } from "./module.js";
import { composedOutline, type LayerOutline } from "./outline.js";
import type { Scope } from "./scope.js";

/** Settings of {@link Mlp}. */
export interface MlpOptions {
  /** Channels of a token, in and out. */
  readonly dim: number;
  /** Channels between the two layers. */
  readonly hiddenDim: number;
}

/** The channel mixer of ViT: `[…, dim]` → `[…, dim]`. Layers, named as in timm: `fc1`, `act` (gelu), `fc2`. */
export class Mlp extends Module {
  /** First layer: `[…, dim]` → `[…, hiddenDim]`. */
  readonly fc1: Linear;
  /** The activation between the layers, gelu. */
  readonly act: Gelu;
  /** Second layer: `[…, hiddenDim]` → `[…, dim]`. */
  readonly fc2: Linear;

  constructor(scope: Scope, { dim, hiddenDim }: MlpOptions) {
    super(scope);
    this.fc1 = new Linear(scope.child("fc1"), { inputDim: dim, outputDim: hiddenDim });
    this.act = new Gelu(scope.child("act"));
    this.fc2 = new Linear(scope.child("fc2"), { inputDim: hiddenDim, outputDim: dim });
  }

  protected override compute(x: tf.Tensor, options: ForwardOptions): tf.Tensor {
    const hidden = this.act.forward(this.fc1.forward(x, options), options);
    return this.fc2.forward(hidden, options);
  }

  override outline(input: readonly number[]): LayerOutline {
    const fc1 = this.fc1.outline(input);
    const act = this.act.outline(fc1.output);
    const fc2 = this.fc2.outline(act.output);
    return composedOutline({ path: this.path, layer: "Mlp", output: fc2.output, layers: [fc1, act, fc2] });
  }
}
