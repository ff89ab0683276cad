import * as tf from "@tensorflow/tfjs-core";
import { mustDivide } from "../errors.js";
import { linear } from "../ops/linear.js";
import { patches } from "../ops/patches.js";
import { assertShape, type Sides, sidesOf, sizeOf } from "../shape.js";
import { uniform } from "./initializer.js";
import { Module } from "./module.js";
import { composedOutline, type LayerOutline } from "./outline.js";
import type { Parameter } from "./parameter.js";
import type { Scope } from "./scope.js";

/** Settings of {@link PatchEmbedding}. */
export interface PatchEmbeddingOptions {
  /** Pixels of an image: one size for both sides, or `[height, width]`. */
  readonly imageSize: Sides;
  /** Pixels of a patch, likewise; each side divides the image's. */
  readonly patchSize: Sides;
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
  /** Pixels of an image. */
  readonly imageSize: readonly [height: number, width: number];
  /** Pixels of a patch. */
  readonly patchSize: readonly [height: number, width: number];
  /** Patches of an image, down and across. */
  readonly grid: readonly [down: number, across: number];
  /** `[dim, channels, height, width]` */
  readonly weight: Parameter;
  /** `[dim]` */
  readonly bias: Parameter;
  readonly #channels: number;
  readonly #dim: number;

  /** @throws KatlabError `invalid` for sizes that are none, `indivisible` when `patchSize` does not divide `imageSize` */
  constructor(scope: Scope, { imageSize, patchSize, channels, dim }: PatchEmbeddingOptions) {
    super(scope);
    const subject = "PatchEmbedding";
    this.imageSize = sidesOf(subject, "imageSize", imageSize);
    this.patchSize = sidesOf(subject, "patchSize", patchSize);
    const [[height, width], [high, wide]] = [this.imageSize, this.patchSize];
    for (const [side, value, part] of [["height", height, high] as const, ["width", width, wide] as const]) {
      if (value % part === 0) continue;
      throw mustDivide(
        subject,
        { name: `image ${side}`, value },
        { name: `patch ${side}`, value: part },
        "Choose another imageSize or patchSize.",
      );
    }
    this.grid = [height / high, width / wide];
    this.#channels = channels;
    this.#dim = dim;
    const proj = scope.child("proj");
    // As PyTorch starts a convolution: both within 1/√(inputs of a channel).
    const initializer = uniform(1 / Math.sqrt(channels * high * wide));
    this.weight = proj.parameter("weight", {
      kind: "weight",
      axes: ["dim", "channels", "height", "width"],
      shape: [dim, channels, high, wide],
      initializer,
    });
    this.bias = proj.parameter("bias", { kind: "bias", axes: ["dim"], shape: [dim], initializer });
  }

  /** Number of patches of an image. */
  get patches(): number {
    return sizeOf(this.grid);
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    assertShape("images", x.shape, ["batch", ...this.imageSize, this.#channels]);
    const weight = tf.reshape(this.weight.variable, [this.#dim, -1]);
    return linear(patches(x as tf.Tensor4D, this.patchSize), weight, this.bias.variable);
  }

  override outline(input: readonly number[]): LayerOutline {
    assertShape("images", input, [...this.imageSize, this.#channels]);
    return composedOutline({
      path: this.path,
      layer: "PatchEmbedding",
      output: [this.patches, this.#dim],
      parameters: this.weight.size + this.bias.size,
      multiplyAdds: this.patches * this.weight.size,
      layers: [],
    });
  }
}
