import * as tf from "@tensorflow/tfjs-core";
import { unknownOption } from "../errors.js";
import type { AttentionWeights } from "../layers/attention.js";
import { normal } from "../layers/initializer.js";
import { LayerNorm } from "../layers/layerNorm.js";
import { Linear } from "../layers/linear.js";
import {
  type ForwardOptions,
  type LoadedWeights,
  type LoadWeightsSettings,
  Module,
} from "../layers/module.js";
import { composedOutline, type LayerOutline } from "../layers/outline.js";
import type { Parameter } from "../layers/parameter.js";
import { PatchEmbedding } from "../layers/patchEmbedding.js";
import type { Scope } from "../layers/scope.js";
import { TransformerBlock } from "../layers/transformerBlock.js";
import { assertShape, type Sides } from "../shape.js";
import { ModelDescription } from "./modelDescription.js";
import { type PatchGrid, resizePositions, squareGrid } from "./resizePositions.js";

/** What the head of a {@link VisionTransformer} sees: the class token, or the mean of all patches. */
export type Pooling = "token" | "mean";

/** The poolings, in order. */
export const poolings: readonly Pooling[] = ["token", "mean"];

/** Everything that makes a vision transformer. */
export interface VisionTransformerConfig {
  /** Name of the model, for example `"kat_tiny_patch16_224"`. */
  readonly name: string;
  /** Pixels of an image: one size for both sides, or `[height, width]`. */
  readonly imageSize: Sides;
  /** Pixels of a patch, likewise; each side divides the image's. */
  readonly patchSize: Sides;
  /** Colour channels of the images. */
  readonly channels: number;
  /** Channels of a token. */
  readonly dim: number;
  /** Number of blocks. */
  readonly depth: number;
  /** Attention heads of a block; divides `dim`. */
  readonly heads: number;
  /** Channels inside the mixer of a block. */
  readonly hiddenDim: number;
  /** Number of classes the head tells apart. */
  readonly classes: number;
  /** Stochastic depth of the last block, in [0, 1); earlier blocks linearly less, the first none. */
  readonly dropPath: number;
  /** How the attentions' weights start. Default `"timm"`. */
  readonly attention?: AttentionWeights;
  /** First value of every scale of a branch, timm's `init_values`; 0.1 and 1e-4 are usual. Left out: no scales. */
  readonly layerScale?: number;
  /**
   * What the head sees of the normalised tokens: the class token, or the mean of all patches. With `"mean"` there is no
   * class token, and a position for each patch alone. Default `"token"`.
   */
  readonly pooling?: Pooling;
  /** What `createModel` was asked for, plain data; undefined for a model that was put together by hand. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Makes the channel mixer of a block: what tells KAT from ViT. */
  readonly mixer: (scope: Scope, dim: number, hiddenDim: number) => Module;
}

/**
 * An image classifier on patches: `[batch, height, width, channels]` → logits `[batch, classes]`.
 *
 * Patches become tokens, a class token goes first, positions are added; blocks mix tokens (attention) and channels
 * (`mixer`); the class token, normalised, goes through the head. Parameters are named and laid out as timm's.
 *
 * With `pooling: "mean"` the head sees the mean of the normalised patches instead, as timm's models with
 * `global_pool="avg", class_token=False, fc_norm=False`. By default timm keeps the class token there, leaves it out of the
 * mean, and normalises after the mean, by `fc_norm` instead of `norm`.
 *
 * Source: Dosovitskiy et al., "An Image is Worth 16x16 Words", 2021.
 */
export class VisionTransformer extends Module {
  /** What it was made from. */
  readonly config: VisionTransformerConfig;
  /** `[1, 1, dim]`; none with `pooling: "mean"`. */
  readonly clsToken: Parameter | undefined;
  /** `[1, tokens, dim]` */
  readonly posEmbed: Parameter;
  /** Images to tokens: `[batch, height, width, channels]` → `[batch, patches, dim]`. */
  readonly patchEmbed: PatchEmbedding;
  /** The transformer blocks, in order of use. */
  readonly blocks: readonly TransformerBlock[];
  /** Normalises the tokens after the last block. */
  readonly norm: LayerNorm;
  /** What is pooled to logits: `[batch, dim]` → `[batch, classes]`. */
  readonly head: Linear;

  /**
   * @throws KatlabError `indivisible` for sizes that do not divide, `invalid` for a rate or scale out of range, `unknown`
   *   for another pooling
   */
  constructor(scope: Scope, config: VisionTransformerConfig) {
    super(scope);
    const { imageSize, patchSize, channels, dim, depth, heads, hiddenDim, classes, dropPath, mixer } = config;
    const { attention, layerScale, pooling = "token" } = config;
    if (!poolings.includes(pooling)) throw unknownOption("VisionTransformer: pooling", pooling, poolings);
    this.config = config;
    this.patchEmbed = new PatchEmbedding(scope.child("patch_embed"), { imageSize, patchSize, channels, dim });
    this.clsToken =
      pooling === "mean"
        ? undefined
        : scope.parameter("cls_token", {
            kind: "token",
            axes: ["batch", "token", "dim"],
            shape: [1, 1, dim],
            initializer: normal(1e-6),
          });
    this.posEmbed = scope.parameter("pos_embed", {
      kind: "embedding",
      axes: ["batch", "tokens", "dim"],
      shape: [1, this.tokens, dim],
      initializer: normal(0.02),
    });
    this.blocks = Array.from(
      { length: depth },
      (_, i) =>
        new TransformerBlock(scope.child("blocks").child(i), {
          dim,
          heads,
          dropPath: depth === 1 ? dropPath : (dropPath * i) / (depth - 1),
          attention,
          layerScale,
          mixer: (place) => mixer(place, dim, hiddenDim),
        }),
    );
    this.norm = new LayerNorm(scope.child("norm"), { dim });
    this.head = new Linear(scope.child("head"), { inputDim: dim, outputDim: classes });
  }

  /** For example `"kat_tiny_patch16_224"`. */
  get name(): string {
    return this.config.name;
  }

  /** Number of classes the head tells apart. */
  get classes(): number {
    return this.config.classes;
  }

  /** Number of tokens of an image: its patches, and the class token where there is one. */
  get tokens(): number {
    return this.patchEmbed.patches + (this.clsToken === undefined ? 0 : 1);
  }

  /** Shape of one image. */
  get inputShape(): readonly [height: number, width: number, channels: number] {
    const [height, width] = this.patchEmbed.imageSize;
    return [height, width, this.config.channels];
  }

  /**
   * Copies values into the parameters, as {@link Module.loadWeights}.
   *
   * @param options `resizePositions` (default false): position embeddings of images of another size are resized by
   *   {@link resizePositions}. With true they must be a square grid of patches; any other is given as `[down, across]`
   * @throws KatlabError as there, and `invalid` for positions that may be of two grids; nothing is loaded then
   */
  override loadWeights(
    weights: Readonly<Record<string, tf.Tensor>>,
    options: LoadWeightsSettings & { readonly resizePositions?: boolean | PatchGrid } = {},
  ): LoadedWeights {
    const { resizePositions: grid = false } = options;
    const fitting = grid === false ? weights : this.#withOwnPositions(weights, grid);
    try {
      return super.loadWeights(fitting, options);
    } finally {
      if (fitting !== weights) fitting.pos_embed.dispose();
    }
  }

  /** The same weights, with positions for images of this size; those that are none stay. */
  #withOwnPositions(
    weights: Readonly<Record<string, tf.Tensor>>,
    grid: true | PatchGrid,
  ): Readonly<Record<string, tf.Tensor>> {
    if (!Object.hasOwn(weights, "pos_embed")) return weights;
    const { pos_embed: positions } = weights;
    const own = this.patchEmbed.grid;
    const prefix = this.tokens - this.patchEmbed.patches;
    const from = grid === true ? squareGrid((positions.shape[1] ?? 0) - prefix, own) : grid;
    if (from === undefined) return weights;
    return { ...weights, pos_embed: resizePositions(positions, { from, to: own, prefix }) };
  }

  /**
   * Logits of normalised images.
   *
   * @param images `[batch, height, width, channels]` float32, normalised as in training
   * @returns `[batch, classes]`, the caller's
   * @throws KatlabError `shape` for images of another size
   */
  override forward(images: tf.Tensor, options: ForwardOptions = {}): tf.Tensor2D {
    return super.forward(images, options) as tf.Tensor2D;
  }

  protected override compute(images: tf.Tensor, options: ForwardOptions): tf.Tensor {
    const { batch } = assertShape(`${this.name}: images`, images.shape, ["batch", ...this.inputShape]);
    const { classes } = this.config;
    if (batch === 0) return tf.zeros([0, classes]);
    let x = this.#tokens(this.patchEmbed.forward(images, options), batch);
    for (const block of this.blocks) x = block.forward(x, options); // [batch, tokens, dim]
    x = this.norm.forward(x, options);
    return this.head.forward(this.#pooled(x, batch), options);
  }

  /** [batch, patches, dim] → [batch, tokens, dim] */
  #tokens(patches: tf.Tensor, batch: number): tf.Tensor {
    if (this.clsToken === undefined) return tf.add(patches, this.posEmbed.variable);
    // Added to zeros rather than tiled: on tfjs's tape the gradient of tile takes one operator per image.
    const cls = tf.add(tf.fill([batch, 1, this.config.dim], 0), this.clsToken.variable);
    return tf.add(tf.concat([cls, patches], 1), this.posEmbed.variable);
  }

  /** [batch, tokens, dim] → [batch, dim] */
  #pooled(x: tf.Tensor, batch: number): tf.Tensor {
    if (this.clsToken === undefined) return tf.mean(x, 1);
    const { dim } = this.config;
    return tf.reshape(tf.slice(x, [0, 0, 0], [batch, 1, dim]), [batch, dim]);
  }

  override outline(input: readonly number[]): LayerOutline {
    const patchEmbed = this.patchEmbed.outline(input);
    const output = [this.tokens, this.config.dim];
    const own = (parameter: Parameter, layer: string): LayerOutline =>
      composedOutline({ path: parameter.name, layer, output, parameters: parameter.size, layers: [] });
    return composedOutline({
      path: this.path,
      layer: "VisionTransformer",
      output: [this.classes],
      layers: [
        patchEmbed,
        ...(this.clsToken === undefined ? [] : [own(this.clsToken, "Token")]),
        own(this.posEmbed, "Embedding"),
        ...this.blocks.map((block) => block.outline(output)),
        this.norm.outline(output),
        this.head.outline([this.config.dim]),
      ],
    });
  }

  /** Layers, shapes, parameters and multiply-adds for one image; counted, so the weights need not exist. */
  describe(): ModelDescription {
    return new ModelDescription(this.name, this.inputShape, this.outline(this.inputShape));
  }
}
