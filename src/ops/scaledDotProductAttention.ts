import * as tf from "@tensorflow/tfjs-core";
import { mustBe } from "../errors.js";
import { assertShape, sizeOf } from "../shape.js";
import { mustBeFloat32 } from "./mustBeFloat32.js";
import { defineOperator } from "./operator.js";

/** Settings of {@link scaledDotProductAttention}. */
export interface AttentionOptions {
  /** Factor of the scores before softmax, finite. Default 1/√headDim. */
  readonly scale?: number;
}

/**
 * Softmax attention, every token to every token, in each head by itself:
 *
 *     y = softmax(scale · Q·Kᵀ) · V
 *
 * @param query Q, `[batch, heads, queries, headDim]` float32
 * @param key K, `[batch, heads, tokens, headDim]`; tokens ≥ 1
 * @param value V, `[batch, heads, tokens, valueDim]`
 * @returns `[batch, heads, queries, valueDim]`
 * @throws KatlabError `shape`, or `invalid` for another dtype than float32, no tokens or a scale that is not finite
 * Source: Vaswani et al., "Attention Is All You Need", 2017, section 3.2.1.
 * Cost: batch·heads·queries·tokens·(headDim + valueDim) multiply-adds.
 */
export function scaledDotProductAttention(
  query: tf.Tensor4D,
  key: tf.Tensor4D,
  value: tf.Tensor4D,
  options: AttentionOptions = {},
): tf.Tensor4D {
  const subject = "scaledDotProductAttention";
  const sizes = assertShape(`${subject}: query`, query.shape, ["batch", "heads", "queries", "headDim"]);
  const [batch, heads] = [sizes["batch"], sizes["heads"]];
  const { tokens } = assertShape(`${subject}: key`, key.shape, [batch, heads, "tokens", sizes["headDim"]]);
  assertShape(`${subject}: value`, value.shape, [batch, heads, tokens, "valueDim"]);
  mustBeFloat32(subject, { query, key, value });
  const { scale = 1 / Math.sqrt(sizes["headDim"]) } = options;
  if (tokens === 0 || !Number.isFinite(scale)) {
    throw mustBe({
      subject,
      must: "there must be at least one token to attend to, and scale must be finite",
      got: `${tokens} tokens, scale ${scale}`,
      remedy: "Leave scale out for 1/√headDim.",
    });
  }
  return run({ query, key, value }, { scale }) as tf.Tensor4D;
}

const run = defineOperator<
  { query: tf.Tensor4D; key: tf.Tensor4D; value: tf.Tensor4D },
  "query" | "key" | "value",
  { scale: number }
>({
  kernel: "ScaledDotProductAttention",
  compose: ({ query, key, value }, { scale }) => {
    const [batch, heads, queries] = query.shape;
    const shape: tf.Tensor4D["shape"] = [batch, heads, queries, value.shape[3]];
    if (sizeOf(shape) === 0) return tf.zeros(shape);
    return tf.matMul(attention(query, key, scale), value);
  },
  saved: ["query", "key", "value"],
  gradient: (dy, { query, key, value }, { scale }) => {
    if (dy.size === 0) {
      return { query: tf.zerosLike(query), key: tf.zerosLike(key), value: tf.zerosLike(value) };
    }
    const weights = attention(query, key, scale); // [batch, heads, queries, tokens]
    const byWeights = tf.matMul(dy, value, false, true);
    const mean = tf.sum(tf.mul(byWeights, weights), -1, true);
    const byScores = tf.mul(tf.mul(weights, tf.sub(byWeights, mean)), scale);
    return {
      query: tf.matMul(byScores, key),
      key: tf.matMul(byScores, query, true, false),
      value: tf.matMul(weights, dy, true, false),
    };
  },
  differentiable: ["query", "key", "value"],
});

/** How much each query takes from each token: softmax of the scores, [batch, heads, queries, tokens]. */
function attention(query: tf.Tensor, key: tf.Tensor, scale: number): tf.Tensor {
  return tf.softmax(tf.matMul(tf.mul(query, scale), key, false, true));
}
