import * as tf from "@tensorflow/tfjs-core";
import { Attention } from "./attention.js";
import { DropPath } from "./dropPath.js";
import { LayerNorm } from "./layerNorm.js";
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
  /** Makes the channel mixer, `[batch, tokens, dim]` → `[batch, tokens, dim]`: an `Mlp`, a `GroupKan`. */
  readonly mixer: (scope: Scope) => Module;
}

/**
 * A pre-norm transformer block: `[batch, tokens, dim]` → `[batch, tokens, dim]`. Layers, named as in timm: `norm1`,
 * `attn`, `norm2`, `mlp` (whatever the mixer is), `drop_path1`, `drop_path2`.
 *
 *     x ← x + attn(norm1(x))        x ← x + mlp(norm2(x))
 */
export class TransformerBlock extends Module {
  /** Normalises what the attention sees. */
  readonly norm1: LayerNorm;
  /** Mixes tokens: `[batch, tokens, dim]` → `[batch, tokens, dim]`. */
  readonly attn: Attention;
  /** Drops the attention branch of some samples in training. */
  readonly dropPath1: DropPath;
  /** Normalises what the channel mixer sees. */
  readonly norm2: LayerNorm;
  /** Mixes channels: `[batch, tokens, dim]` → `[batch, tokens, dim]`; what `mixer` made. */
  readonly mlp: Module;
  /** Drops the mixer branch of some samples in training. */
  readonly dropPath2: DropPath;

  constructor(scope: Scope, { dim, heads, dropPath = 0, mixer }: TransformerBlockOptions) {
    super(scope);
    this.norm1 = new LayerNorm(scope.child("norm1"), { dim });
    this.attn = new Attention(scope.child("attn"), { dim, heads });
    this.dropPath1 = new DropPath(scope.child("drop_path1"), dropPath);
    this.norm2 = new LayerNorm(scope.child("norm2"), { dim });
    this.mlp = mixer(scope.child("mlp"));
    this.dropPath2 = new DropPath(scope.child("drop_path2"), dropPath);
  }

  protected override compute(x: tf.Tensor, options: ForwardOptions): tf.Tensor {
    const attended = this.attn.forward(this.norm1.forward(x, options), options);
    const middle = tf.add(x, this.dropPath1.forward(attended, options));
    const mixed = this.mlp.forward(this.norm2.forward(middle, options), options);
    return tf.add(middle, this.dropPath2.forward(mixed, options));
  }

  override outline(input: readonly number[]): LayerOutline {
    const parts = [this.norm1, this.attn, this.norm2, this.mlp];
    const layers = parts.map((part) => part.outline(input));
    return composedOutline({ path: this.path, layer: "TransformerBlock", output: input, layers });
  }
}
