import type * as tf from "@tensorflow/tfjs-core";
import type { KernelTorch, Operand } from "../defineKernel.js";

/**
 * The activation at the end of tfjs's fused tfjs kernels.
 *
 * @param slopes what `prelu` multiplies negative values by; broadcast
 * @param alpha what `leakyrelu` multiplies negative values by
 */
export function activate(
  torch: KernelTorch,
  x: Operand,
  activation: tf.fused.Activation | null | undefined,
  slopes: Operand | undefined,
  alpha = 0,
): Operand {
  switch (activation) {
    case undefined:
    case null:
    case "linear":
      return x;
    case "relu":
      return torch.call("relu", x);
    case "relu6":
      return torch.call("clamp", x, 0, 6);
    case "elu":
      return torch.call("elu", x);
    case "sigmoid":
      return torch.call("sigmoid", x);
    case "leakyrelu":
      return torch.call("leaky_relu", x, alpha);
    case "prelu":
      return torch.call("where.self", torch.call("lt.Scalar", x, 0), torch.call("mul.Tensor", x, slopes), x);
  }
}
