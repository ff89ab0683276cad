import type * as tf from "@tensorflow/tfjs-core";
import { mustBe } from "../errors.js";

/** PyTorch's numbers for its element types (c10/core/ScalarType.h), as `aten::` operators take them. */
export const ScalarType = {
  /** Unsigned integers of 8 bits. */
  uint8: 0,
  /** Integers of 8 bits. */
  int8: 1,
  /** Integers of 16 bits. */
  int16: 2,
  /** Integers of 32 bits; tfjs's `int32`. */
  int32: 3,
  /** Integers of 64 bits. */
  int64: 4,
  /** IEEE half precision. */
  float16: 5,
  /** IEEE single precision; tfjs's `float32`, unless the backend stores it as float64. */
  float32: 6,
  /** IEEE double precision. */
  float64: 7,
  /** Two float32, real and imaginary; tfjs's `complex64`. */
  complex64: 9,
  /** Two float64, real and imaginary. */
  complex128: 10,
  /** True or false, one byte; tfjs's `bool`. */
  bool: 11,
  /** float32's exponent with 8 bits of precision. */
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
