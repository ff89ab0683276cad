import * as tf from "@tensorflow/tfjs-core";
import { mustDivide, unknownOption } from "../errors.js";
import { scaledDotProductAttention } from "../ops/scaledDotProductAttention.js";
import { assertShape } from "../shape.js";
import type { Initializer } from "./initializer.js";
import { Linear } from "./linear.js";
import { mimeticWeights, type MimeticWeights } from "./mimetic.js";
import { type ForwardOptions, Module } from "./module.js";
import { composedOutline, type LayerOutline } from "./outline.js";
import type { Scope } from "./scope.js";

/**
 * How the weights of an attention start.
 *
 * - `"timm"`: N(0, 0.02²).
 * - `"mimetic"`: as those of trained transformers, query·keyᵀ near 0.7·I and value·projection near −0.4·I (Trockman and
 *   Kolter, arXiv 2305.09828), each split evenly by a singular value decomposition. On the host, in float64: about
 *   ten seconds for tiny's twelve blocks, over a minute for small's, a quarter of an hour for base's.
 * - `"upstream-mimetic"`: as KAT's released code, which means the same but does not transpose values and projection: their
 *   product has the eigenvalues of `"mimetic"`, and is not near −0.4·I. For comparison with it.
 */
export type AttentionWeights = "timm" | "mimetic" | "upstream-mimetic";

const attentionWeights: readonly AttentionWeights[] = ["timm", "mimetic", "upstream-mimetic"];

/** Settings of {@link Attention}. */
export interface AttentionLayerOptions {
  /** Channels of a token. */
  readonly dim: number;
  /** Number of heads; divides `dim`. */
  readonly heads: number;
  /** Whether queries, keys and values have offsets. Default true. */
  readonly qkvBias?: boolean;
  /** How the weights start. Default `"timm"`. */
  readonly weights?: AttentionWeights;
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

  /** @throws KatlabError `indivisible` when `heads` does not divide `dim`, `unknown` for weights that are not there */
  constructor(scope: Scope, { dim, heads, qkvBias = true, weights = "timm" }: AttentionLayerOptions) {
    super(scope);
    if (!attentionWeights.includes(weights))
      throw unknownOption("Attention: weights", weights, attentionWeights);
    if (dim % heads !== 0) {
      throw mustDivide("Attention", { name: "dim", value: dim }, { name: "heads", value: heads });
    }
    this.dim = dim;
    this.heads = heads;
    const initializers = weights === "timm" ? undefined : mimetic(scope, { dim, heads, weights });
    const [qkvWeight, projWeight] = [initializers?.qkv, initializers?.proj];
    this.qkv = new Linear(scope.child("qkv"), {
      inputDim: dim,
      outputDim: 3 * dim,
      bias: qkvBias,
      weight: qkvWeight,
    });
    this.proj = new Linear(scope.child("proj"), { inputDim: dim, outputDim: dim, weight: projWeight });
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

/** Both weights come from one draw: whichever is made first leaves the other's to it. */
function mimetic(
  scope: Scope,
  {
    dim,
    heads,
    weights,
  }: { readonly dim: number; readonly heads: number; readonly weights: AttentionWeights },
): Record<keyof MimeticWeights, Initializer> {
  let left: MimeticWeights | undefined;
  const take = (part: keyof MimeticWeights) => (): Float32Array => {
    const untransposed = weights === "upstream-mimetic";
    const drawn = left ?? mimeticWeights({ dim, heads, untransposed }, scope.stream("mimetic"));
    left = left === undefined ? drawn : undefined;
    return drawn[part];
  };
  return { qkv: take("qkv"), proj: take("proj") };
}
