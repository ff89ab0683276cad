import type * as tf from "@tensorflow/tfjs-core";
import { defineKernel, type KernelDefinition } from "../defineKernel.js";
import { ScalarType } from "../scalarType.js";

/** A tensor or, with `?`, none. */
type Inputs<Names extends string, Optional extends string = never> = Record<Names, tf.TensorInfo> &
  Partial<Record<Optional, tf.TensorInfo>>;

/** Attributes of the tfjs kernels of `groupRational`. */
export interface GroupRationalAttrs {
  readonly form: string;
  readonly axis: number;
  readonly uneven: boolean;
}

const groupRational = defineKernel<Inputs<"x" | "numerator" | "denominator">, GroupRationalAttrs>(
  "GroupRational",
  ({ inputs: { x, numerator, denominator }, attrs: { form, axis, uneven }, torch }) =>
    torch.result("katlab::rational", x, numerator, denominator, form, axis, uneven),
);

const gelu = defineKernel<Inputs<"x">>("Gelu", ({ inputs: { x }, torch }) => torch.result("gelu", x));

const layerNorm = defineKernel<Inputs<"x" | "scale" | "offset">, { epsilon: number }>(
  "LayerNorm",
  ({ inputs: { x, scale, offset }, attrs: { epsilon }, torch }) =>
    torch.result("native_layer_norm", x, x.shape.slice(-1), scale, offset, epsilon),
);

const linear = defineKernel<Inputs<"x" | "weight", "bias">>(
  "Linear",
  ({ inputs: { x, weight, bias }, torch }) => torch.result("linear", x, weight, bias ?? null),
);

const scaledDotProductAttention = defineKernel<Inputs<"query" | "key" | "value">, { scale?: number }>(
  "ScaledDotProductAttention",
  ({ inputs: { query, key, value }, attrs: { scale = null }, torch }) => {
    const [mask, dropout, causal] = [null, 0, false];
    // PyTorch's fast forms have no second derivative.
    return torch.backend.derivatives === 2
      ? torch.result(
          "_scaled_dot_product_attention_math",
          query,
          key,
          value,
          mask,
          dropout,
          causal,
          null,
          scale,
        )
      : torch.result("scaled_dot_product_attention", query, key, value, mask, dropout, causal, scale);
  },
);

const meanReduction = 1; // at::Reduction::Mean
const noLabel = -(2 ** 31); // torch passes over one label, by default −100, in silence: none of ours

const softmaxCrossEntropy = defineKernel<Inputs<"logits" | "labels">, { labelSmoothing: number }>(
  "SoftmaxCrossEntropy",
  ({ inputs: { logits, labels }, attrs: { labelSmoothing }, torch }) => {
    // Two axes are rows of probabilities, which torch takes as they are.
    const targets = labels.shape.length === 2 ? labels : torch.call("to.dtype", labels, ScalarType.int64);
    return torch.result("cross_entropy_loss", logits, targets, null, meanReduction, noLabel, labelSmoothing);
  },
);

/**
 * The operators of `src/ops` that torch computes in one piece. Their tfjs kernel names are this project's own; torch
 * autograd differentiates them.
 */
export const fusedKernels: readonly KernelDefinition[] = [
  groupRational,
  gelu,
  layerNorm,
  linear,
  scaledDotProductAttention,
  softmaxCrossEntropy,
];
