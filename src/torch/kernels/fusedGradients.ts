import type * as tf from "@tensorflow/tfjs-core";
import {
  defineKernel,
  type KernelDefinition,
  type KernelTorch,
  type Operand,
  type Temp,
} from "../defineKernel.js";
import type { GroupRationalAttrs } from "./fused.js";

type Inputs<Names extends string> = Record<Names, tf.TensorInfo>;

/** […, size] → [rows, size] */
function asRows(torch: KernelTorch, x: tf.TensorInfo): Operand {
  return x.shape.length === 2 ? x : torch.call("reshape", x, [-1, x.shape[x.shape.length - 1]]);
}

/** The element type of a temporary: inside autocast, a narrow one. */
function typeOf(torch: KernelTorch, x: Temp): number {
  const { addon } = torch.backend;
  addon.info(x);
  return addon.meta[2];
}

const linearGradient = defineKernel<Inputs<"dy" | "x" | "weight">>(
  "LinearGradient",
  ({ inputs: { dy, x, weight }, torch }) => {
    const rows = asRows(torch, dy); // [rows, out]
    return [
      torch.result("matmul", dy, weight),
      torch.result("mm", torch.call("t", rows), asRows(torch, x)),
      torch.result("sum.dim_IntList", rows, [0]),
    ];
  },
);

const layerNormGradient = defineKernel<Inputs<"dy" | "x" | "scale">, { epsilon: number }>(
  "LayerNormGradient",
  ({ inputs: { dy, x, scale }, attrs: { epsilon }, torch }) => {
    const dim = x.shape.slice(-1);
    const [, mean, inverseDeviation] = torch.calls("native_layer_norm", x, dim, null, null, epsilon);
    const offset = scale; // its values do not matter
    const wanted = [true, true, true];
    return torch.results(
      "native_layer_norm_backward",
      dy,
      x,
      dim,
      mean,
      inverseDeviation,
      scale,
      offset,
      wanted,
    );
  },
);

const geluGradient = defineKernel<Inputs<"dy" | "x">>("GeluGradient", ({ inputs: { dy, x }, torch }) =>
  torch.result("gelu_backward", dy, x),
);

const groupRationalGradient = defineKernel<
  Inputs<"dy" | "x" | "numerator" | "denominator">,
  GroupRationalAttrs
>(
  "GroupRationalGradient",
  ({ inputs: { dy, x, numerator, denominator }, attrs: { form, axis, uneven }, torch }) =>
    torch.results("katlab::rational_backward", dy, x, numerator, denominator, form, axis, uneven),
);

const scaledDotProductAttentionGradient = defineKernel<
  Inputs<"dy" | "query" | "key" | "value">,
  { scale: number }
>("ScaledDotProductAttentionGradient", ({ inputs: { dy, query, key, value }, attrs: { scale }, torch }) => {
  const transposed = (x: Operand): Operand => torch.call("transpose.int", x, -2, -1);
  const scaled = torch.call("mul.Scalar", query, scale);
  const scores = torch.call("matmul", scaled, transposed(key)); // [batch, heads, queries, tokens]
  const weights = torch.call("softmax.int", scores, -1);
  const byWeights = torch.call("matmul", dy, transposed(value));
  const byScores = torch.call("_softmax_backward_data", byWeights, weights, -1, typeOf(torch, weights));
  return [
    torch.result("mul.Scalar", torch.call("matmul", byScores, key), scale),
    torch.result("matmul", transposed(byScores), scaled),
    torch.result("matmul", transposed(weights), dy),
  ];
});

/**
 * What tfjs's tape takes for the gradients of the fused operators: from dy and the saved inputs, the derivative by each
 * differentiable input. Torch autograd has its own.
 */
export const fusedGradientKernels: readonly KernelDefinition[] = [
  linearGradient,
  layerNormGradient,
  geluGradient,
  groupRationalGradient,
  scaledDotProductAttentionGradient,
];
