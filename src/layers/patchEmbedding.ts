import * as tf from "@tensorflow/tfjs-core";
import { mustDivide } from "../errors.js";
import { linear } from "../ops/linear.js";
import { patches } from "../ops/patches.js";
import { assertShape } from "../shape.js";
import { uniform } from "./initializer.js";
import { Module } from "./module.js";
import { composedOutline, type LayerOutline } from "./outline.js";
import type { Parameter } from "./parameter.js";
import type { Scope } from "./scope.js";

/** Settings of {@link PatchEmbedding}. */
export interface PatchEmbeddingOptions {
  /** Height and width of the images in pixels. */
  readonly imageSize: number;
  /** Height and width of a patch in pixels; divides `imageSize`. */
  readonly patchSize: number;
  /** Channels of the images. */
  readonly channels: number;
  /** Channels of the tokens. */
  readonly dim: number;
}

/**
 * One token per patch of an image, by one linear map:
 * `[batch, height, width, channels]` → `[batch, patches, dim]`.
 * Parameters, laid out as the convolution of timm's models: `proj.weight`, `proj.bias`.
 */
export class PatchEmbedding extends Module {
  /** Number of patches of an image. */
  readonly patches: number;
  /** `[dim, channels, height, width]` */
  readonly weight: Parameter;
  /** `[dim]` */
  readonly bias: Parameter;
  readonly #options: PatchEmbeddingOptions;

  /** @throws KatlabError `indivisible` when `patchSize` does not divide `imageSize` */
  constructor(scope: Scope, options: PatchEmbeddingOptions) {
    super(scope);
    const { imageSize, patchSize, channels, dim } = options;
    if (imageSize % patchSize !== 0) {
      throw mustDivide(
        "PatchEmbedding",
        { name: "imageSize", value: imageSize },
        { name: "patchSize", value: patchSize },
      );
    }
    this.#options = options;
    this.patches = (imageSize / patchSize) ** 2;
    const proj = scope.child("proj");
    // As PyTorch starts a convolution: both within 1/√(inputs of a channel).
    const initializer = uniform(1 / Math.sqrt(channels * patchSize ** 2));
    this.weight = proj.parameter("weight", {
      kind: "weight",
      axes: ["dim", "channels", "height", "width"],
      shape: [dim, channels, patchSize, patchSize],
      initializer,
    });
    this.bias = proj.parameter("bias", { kind: "bias", axes: ["dim"], shape: [dim], initializer });
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    const { imageSize, patchSize, channels, dim } = this.#options;
    assertShape("images", x.shape, ["batch", imageSize, imageSize, channels]);
    const weight = tf.reshape(this.weight.variable, [dim, -1]);
    return linear(patches(x as tf.Tensor4D, patchSize), weight, this.bias.variable);
  }

  override outline(input: readonly number[]): LayerOutline {
    const { imageSize, channels, dim } = this.#options;
    assertShape("images", input, [imageSize, imageSize, channels]);
    return composedOutline({
      path: this.path,
      layer: "PatchEmbedding",
      output: [this.patches, dim],
      parameters: this.weight.size + this.bias.size,
      multiplyAdds: this.patches * this.weight.size,
      layers: [],
    });
  }
}
