import * as tf from "@tensorflow/tfjs-core";
import { Attention, type AttentionWeights } from "./attention.js";
import { DropPath } from "./dropPath.js";
import { LayerNorm } from "./layerNorm.js";
import { LayerScale } from "./layerScale.js";
import { type ForwardOptions, Module } from "./module.js";
import { composedOutline, type LayerOutline } from "./outline.js";
import type { Scope } from "./scope.js";

/** Settings of {@link TransformerBlock}. */
export interface TransformerBlockOptions {
  /** Channels of a token. */
  readonly dim: number;
  /** Attention heads; divides `dim`. */
  readonly heads: number;
  /** Probability of dropping a sample's branch in training, in [0, 1). Default 0. */
  readonly dropPath?: number;
  /** How the attention's weights start. Default `"timm"`. */
  readonly attention?: AttentionWeights;
  /** First value of the scales of both branches. Left out: no scales, as KAT and ViT have it. */
  readonly layerScale?: number;
  /** Makes the channel mixer, `[batch, tokens, dim]` → `[batch, tokens, dim]`: an `Mlp`, a `GroupKan`. */
  readonly mixer: (scope: Scope) => Module;
}

/**
 * A pre-norm transformer block: `[batch, tokens, dim]` → `[batch, tokens, dim]`. Layers, named as in timm: `norm1`,
 * `attn`, `norm2`, `mlp` (whatever the mixer is), `drop_path1`, `drop_path2`; with `layerScale` also `ls1`, `ls2`.
 *
 *     x ← x + ls1(attn(norm1(x)))        x ← x + ls2(mlp(norm2(x)))
 */
export class TransformerBlock extends Module {
  /** Normalises what the attention sees. */
  readonly norm1: LayerNorm;
  /** Mixes tokens: `[batch, tokens, dim]` → `[batch, tokens, dim]`. */
  readonly attn: Attention;
  /** Scales the attention branch, where that was asked. */
  readonly ls1: LayerScale | undefined;
  /** Drops the attention branch of some samples in training. */
  readonly dropPath1: DropPath;
  /** Normalises what the channel mixer sees. */
  readonly norm2: LayerNorm;
  /** Mixes channels: `[batch, tokens, dim]` → `[batch, tokens, dim]`; what `mixer` made. */
  readonly mlp: Module;
  /** Scales the mixer branch, where that was asked. */
  readonly ls2: LayerScale | undefined;
  /** Drops the mixer branch of some samples in training. */
  readonly dropPath2: DropPath;

  constructor(
    scope: Scope,
    { dim, heads, dropPath = 0, attention, layerScale, mixer }: TransformerBlockOptions,
  ) {
    super(scope);
    const scale = (name: string): LayerScale | undefined =>
      layerScale === undefined ? undefined : new LayerScale(scope.child(name), { dim, start: layerScale });
    this.norm1 = new LayerNorm(scope.child("norm1"), { dim });
    this.attn = new Attention(scope.child("attn"), { dim, heads, weights: attention });
    this.ls1 = scale("ls1");
    this.dropPath1 = new DropPath(scope.child("drop_path1"), dropPath);
    this.norm2 = new LayerNorm(scope.child("norm2"), { dim });
    this.mlp = mixer(scope.child("mlp"));
    this.ls2 = scale("ls2");
    this.dropPath2 = new DropPath(scope.child("drop_path2"), dropPath);
  }

  protected override compute(x: tf.Tensor, options: ForwardOptions): tf.Tensor {
    const middle = tf.add(x, through([this.norm1, this.attn, this.ls1, this.dropPath1], x, options));
    return tf.add(middle, through([this.norm2, this.mlp, this.ls2, this.dropPath2], middle, options));
  }

  override outline(input: readonly number[]): LayerOutline {
    const parts = [this.norm1, this.attn, this.ls1, this.norm2, this.mlp, this.ls2];
    const layers = parts.flatMap((part) => part?.outline(input) ?? []);
    return composedOutline({ path: this.path, layer: "TransformerBlock", output: input, layers });
  }
}

/** One layer after the other, those that are there. */
function through(
  layers: readonly (Module | undefined)[],
  input: tf.Tensor,
  options: ForwardOptions,
): tf.Tensor {
  return layers.reduce((x, layer) => layer?.forward(x, options) ?? x, input);
}
