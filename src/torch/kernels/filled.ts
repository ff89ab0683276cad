import type * as tf from "@tensorflow/tfjs-core";
import type { KernelTorch, Temp } from "../defineKernel.js";

/** A tensor all of whose elements have this value; it must be one that the dtype has. */
export function filled(
  torch: KernelTorch,
  shape: readonly number[],
  value: number | boolean,
  dtype: tf.DataType = "float32",
): Temp {
  return torch.call("full", shape, value, torch.storage(dtype), null, torch.device);
}

/** 0, 1, 2, … below `count`, as int32. */
export function counted(torch: KernelTorch, count: number): Temp {
  return torch.call("arange", count, torch.storage("int32"), null, torch.device);
}
