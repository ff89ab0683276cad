import * as tf from "@tensorflow/tfjs-core";
import {
  defineKernel,
  type KernelDefinition,
  type KernelTorch,
  type Operand,
  type Temp,
} from "../defineKernel.js";
import { ScalarType } from "../scalarType.js";

/**
 * Real numbers as int32, the way tfjs stores them in an `Int32Array`: truncated, modulo 2³², NaN and ±∞ as 0.
 * Torch's own conversion leaves these cases to the processor.
 */
export function toInt32(torch: KernelTorch, x: Operand): Temp {
  const wrapped = torch.call("fmod.Scalar", x, 2 ** 32); // exact; NaN for ±∞
  const finite = torch.call("nan_to_num", wrapped, 0);
  return torch.call("to.dtype", torch.call("to.dtype", finite, ScalarType.int64), ScalarType.int32);
}

/** A tensor as reals in the backend's float storage. */
export function asReal(torch: KernelTorch, x: tf.TensorInfo): Operand {
  return x.dtype === "float32" ? x : torch.call("to.dtype", x, torch.storage("float32"));
}

/** A tensor in float64, which holds every int32 exactly. */
export function toFloat64(torch: KernelTorch, x: Operand): Temp {
  return torch.call("to.dtype", x, ScalarType.float64);
}

/** A temporary of reals, as a result of the tfjs dtype that the operator's input had. */
export function keepReal(torch: KernelTorch, reals: Temp, dtype: tf.DataType): tf.TensorInfo {
  if (dtype === "int32") return torch.keep(toInt32(torch, reals));
  return torch.result("to.dtype", reals, torch.storage(dtype), false, true);
}

const cast = defineKernel<tf.CastInputs, tf.CastAttrs>(
  tf.Cast,
  ({ inputs: { x }, attrs: { dtype }, torch }) => {
    if (dtype === x.dtype) return torch.share(x);
    const values = x.dtype === "complex64" ? torch.call("real", x) : x;
    const isReal = x.dtype === "float32" || x.dtype === "complex64";
    if (dtype === "int32" && isReal) return torch.keep(toInt32(torch, values));
    return torch.result("to.dtype", values, torch.storage(dtype), false, true);
  },
);

/** Conversion between tfjs dtypes. */
export const castKernels: readonly KernelDefinition[] = [cast];
