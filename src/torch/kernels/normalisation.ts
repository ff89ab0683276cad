import * as tf from "@tensorflow/tfjs-core";
import {
  defineKernel,
  type KernelDefinition,
  type KernelTorch,
  type Operand,
  type Temp,
} from "../defineKernel.js";

const softmax = defineKernel<tf.SoftmaxInputs, tf.SoftmaxAttrs>(
  tf.Softmax,
  ({ inputs: { logits }, attrs: { dim }, torch }) => torch.result("softmax.int", logits, dim),
);

const logSoftmax = defineKernel<tf.LogSoftmaxInputs, tf.LogSoftmaxAttrs>(
  tf.LogSoftmax,
  ({ inputs: { logits }, attrs: { axis }, torch }) => torch.result("log_softmax.int", logits, axis),
);

const fusedBatchNorm = defineKernel<
  Omit<tf.FusedBatchNormInputs, "scale" | "offset"> &
    Partial<Pick<tf.FusedBatchNormInputs, "scale" | "offset">>,
  tf.FusedBatchNormAttrs
>(
  tf.FusedBatchNorm,
  ({ inputs: { x, mean, variance, scale, offset }, attrs: { varianceEpsilon }, torch }) => {
    const inverse = torch.call("rsqrt", torch.call("add.Scalar", variance, varianceEpsilon));
    let y = torch.call("mul.Tensor", torch.call("sub.Tensor", x, mean), inverse);
    if (scale !== undefined) y = torch.call("mul.Tensor", y, scale);
    if (offset !== undefined) y = torch.call("add.Tensor", y, offset);
    return torch.keep(y);
  },
);

/** Σ over the 2r + 1 neighbouring channels, those outside counting 0. */
function channelSum(torch: KernelTorch, x: Operand, radius: number): Temp {
  const padded = torch.call("constant_pad_nd", x, [radius, radius], 0);
  return torch.call("sum.dim_IntList", torch.call("unfold", padded, -1, 2 * radius + 1, 1), [-1]);
}

/** bias + alpha · Σ x² over the neighbouring channels. */
function lrnBase(torch: KernelTorch, x: tf.TensorInfo, { depthRadius, bias, alpha }: tf.LRNAttrs): Temp {
  const power = channelSum(torch, torch.call("square", x), depthRadius);
  return torch.call("add.Scalar", torch.call("mul.Scalar", power, alpha), bias);
}

const lrn = defineKernel<tf.LRNInputs, tf.LRNAttrs>(tf.LRN, ({ inputs: { x }, attrs, torch }) =>
  torch.result("mul.Tensor", x, torch.call("pow.Tensor_Scalar", lrnBase(torch, x, attrs), -attrs.beta)),
);

// dx = dy · base^−β − 2αβ · x · Σ dy · y / base, summed over the channels that x took part in
const lrnGradient = defineKernel<tf.LRNGradInputs, tf.LRNGradAttrs>(
  tf.LRNGrad,
  ({ inputs: { x, y, dy }, attrs, torch }) => {
    const { depthRadius, alpha, beta } = attrs;
    const base = lrnBase(torch, x, attrs);
    const own = torch.call("mul.Tensor", dy, torch.call("pow.Tensor_Scalar", base, -beta));
    const shares = torch.call("div.Tensor", torch.call("mul.Tensor", dy, y), base);
    const others = torch.call("mul.Tensor", x, channelSum(torch, shares, depthRadius));
    return torch.result("sub.Tensor", own, others, 2 * alpha * beta);
  },
);

/** Softmax and normalisations. */
export const normalisationKernels: readonly KernelDefinition[] = [
  softmax,
  logSoftmax,
  fusedBatchNorm,
  lrn,
  lrnGradient,
];
