import type * as tf from "@tensorflow/tfjs-core";
import { mustBe } from "../errors.js";

/** PyTorch's numbers for its element types (c10/core/ScalarType.h), as `aten::` operators take them. */
export const ScalarType = {
  uint8: 0,
  int8: 1,
  int16: 2,
  int32: 3,
  int64: 4,
  float16: 5,
  float32: 6,
  float64: 7,
  complex64: 9,
  complex128: 10,
  bool: 11,
  bfloat16: 15,
} as const;

/** One of PyTorch's element types, by its number. */
export type ScalarType = (typeof ScalarType)[keyof typeof ScalarType];

/** The element types that can stand behind tfjs's `float32`. */
export type FloatStorage = "float32" | "float64";

/** The element type in which a tfjs dtype is stored. `string` has none. */
export function storageOf(dtype: tf.DataType, float: FloatStorage): ScalarType {
  switch (dtype) {
    case "float32":
      return ScalarType[float];
    case "int32":
      return ScalarType.int32;
    case "bool":
      return ScalarType.bool;
    case "complex64":
      return float === "float64" ? ScalarType.complex128 : ScalarType.complex64;
    case "string":
      throw mustBe({
        subject: "torch",
        must: "tensors of this operator must hold numbers",
        got: "dtype string",
        remedy: "Encode the strings as numbers first.",
      });
  }
}

/** The tfjs dtype under which an element type is shown: all integers are `int32`, all reals `float32`. */
export function dtypeOf(scalarType: number): tf.NumericDataType {
  switch (scalarType) {
    case ScalarType.uint8:
    case ScalarType.int8:
    case ScalarType.int16:
    case ScalarType.int32:
    case ScalarType.int64:
      return "int32";
    case ScalarType.float16:
    case ScalarType.bfloat16:
    case ScalarType.float32:
    case ScalarType.float64:
      return "float32";
    case ScalarType.complex64:
    case ScalarType.complex128:
      return "complex64";
    case ScalarType.bool:
      return "bool";
    default:
      throw mustBe({
        subject: "torch",
        must: "results must have an element type that tfjs knows",
        got: `scalar type ${scalarType}`,
        remedy: "Convert it with aten::to.dtype inside the tfjs kernel.",
      });
  }
}
