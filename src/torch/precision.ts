import type { FloatStorage } from "./scalarType.js";

/** How reals are stored and computed with: a row of {@link precisions}. */
export type Precision = "float64" | "float32" | "tf32" | "bfloat16";

/** What a precision means for tensors and operators. */
export interface PrecisionPolicy {
  /** What stands behind tfjs's `float32` tensors, and so what variables are kept and updated in. */
  readonly storage: FloatStorage;
  /** What operators inside `autocast` take and give, but those that `autocast` names. */
  readonly operators: "float64" | "float32" | "bfloat16";
  /** Whether matrix products of float32 round their factors to TF32 (10 bits) on the tensor cores of an NVIDIA GPU. */
  readonly tf32: boolean;
}

/** Every precision as the policy it stands for. */
export const precisions: Readonly<Record<Precision, PrecisionPolicy>> = {
  float64: { storage: "float64", operators: "float64", tf32: false },
  float32: { storage: "float32", operators: "float32", tf32: false },
  tf32: { storage: "float32", operators: "float32", tf32: true },
  bfloat16: { storage: "float32", operators: "bfloat16", tf32: false },
};
