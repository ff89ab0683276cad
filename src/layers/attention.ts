import * as tf from "@tensorflow/tfjs-core";
import { mustDivide } from "../errors.js";
import { scaledDotProductAttention } from "../ops/scaledDotProductAttention.js";
import { assertShape } from "../shape.js";
import { Linear } from "./linear.js";
import { type ForwardOptions, Module } from "./module.js";
import { composedOutline, type LayerOutline } from "./outline.js";
import type { Scope } from "./scope.js";

/** Settings of {@link Attention}. */
export interface AttentionLayerOptions {
  /** Channels of a token. */
  readonly dim: number;
  /** Number of heads; divides `dim`. */
  readonly heads: number;
  /** Whether queries, keys and values have offsets. Default true. */
  readonly qkvBias?: boolean;
}

/**
 * Multi-head self-attention: `[batch, tokens, dim]` → `[batch, tokens, dim]`. Layers, named as in timm: `qkv`, whose
 * rows are all queries, then all keys, then all values, each head by head; and `proj`.
 */
export class Attention extends Module {
  /** Channels of a token. */
  readonly dim: number;
  /** Number of heads; each has `dim / heads` channels. */
  readonly heads: number;
  /** Queries, keys and values: `[…, dim]` → `[…, 3·dim]`. */
  readonly qkv: Linear;
  /** What mixes the joined heads: `[…, dim]` → `[…, dim]`. */
  readonly proj: Linear;

  /** @throws KatlabError `indivisible` when `heads` does not divide `dim` */
  constructor(scope: Scope, { dim, heads, qkvBias = true }: AttentionLayerOptions) {
    super(scope);
    if (dim % heads !== 0) {
      throw mustDivide("Attention", { name: "dim", value: dim }, { name: "heads", value: heads });
    }
    this.dim = dim;
    this.heads = heads;
    this.qkv = new Linear(scope.child("qkv"), { inputDim: dim, outputDim: 3 * dim, bias: qkvBias });
    this.proj = new Linear(scope.child("proj"), { inputDim: dim, outputDim: dim });
  }

  protected override compute(x: tf.Tensor, options: ForwardOptions): tf.Tensor {
    const { dim, heads } = this;
    const { batch, tokens } = assertShape(this.path || "Attention", x.shape, ["batch", "tokens", dim]);
    if (x.size === 0) return tf.clone(x);
    // Split first: tfjs's wasm backend is slow to transpose five axes at once.
    const [query, key, value] = tf
      .split(this.qkv.forward(x, options), 3, -1)
      .map((part) =>
        tf.transpose<tf.Tensor4D>(tf.reshape(part, [batch, tokens, heads, dim / heads]), [0, 2, 1, 3]),
      );
    const mixed = scaledDotProductAttention(query, key, value); // [batch, heads, tokens, headDim]
    const joined = tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [batch, tokens, dim]);
    return this.proj.forward(joined, options);
  }

  override outline(input: readonly number[]): LayerOutline {
    const { tokens } = assertShape(this.path || "Attention", input, ["tokens", this.dim]);
    return composedOutline({
      path: this.path,
      layer: "Attention",
      output: input,
      attentionMultiplyAdds: 2 * tokens ** 2 * this.dim,
      layers: [this.qkv.outline(input), this.proj.outline(input)],
    });
  }
}
