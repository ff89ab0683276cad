import type * as tf from "@tensorflow/tfjs-core";
import { gelu } from "../ops/gelu.js";
import { Module } from "./module.js";
import { composedOutline, type LayerOutline } from "./outline.js";

/** The activation of ViT, in its exact form: any shape → the same shape. No parameters. */
export class Gelu extends Module {
  protected override compute(x: tf.Tensor): tf.Tensor {
    return gelu(x);
  }

  override outline(input: readonly number[]): LayerOutline {
    return composedOutline({ path: this.path, layer: "Gelu", output: input, layers: [] });
  }
}
