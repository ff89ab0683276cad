import * as tf from "@tensorflow/tfjs-core";
import { mustBe } from "../errors.js";
import { widenBfloat16, widenFloat16 } from "./halfPrecision.js";
import { checkBooleans } from "./safetensorsBytes.js";
import type { ElementArray, SafetensorsDtype, SafetensorsEntry } from "./safetensorsHeader.js";

/**
 * A tensor of elements as they are stored, on the current engine.
 *
 * @param path names the file in messages
 * @throws KatlabError `invalid` for a value that neither float32 nor int32 can hold
 */
export function tensorOf(
  path: string,
  { name, dtype, shape }: Pick<SafetensorsEntry, "name" | "dtype" | "shape">,
  elements: ElementArray,
): tf.Tensor {
  const axes = [...shape];
  switch (dtype) {
    case "F32":
      return tf.tensor(elements as Float32Array, axes, "float32");
    case "F16":
      return tf.tensor(widenFloat16(elements as Uint16Array), axes, "float32");
    case "BF16":
      return tf.tensor(widenBfloat16(elements as Uint16Array), axes, "float32");
    case "F64":
      return tf.tensor(narrow(path, name, elements as Float64Array), axes, "float32");
    case "BOOL":
      checkBooleans(path, name, dtype, elements);
      return tf.tensor(elements as Uint8Array, axes, "bool");
    default:
      return tf.tensor(toInt32(path, name, dtype, elements), axes, "int32");
  }
}

function narrow(path: string, name: string, values: Float64Array): Float32Array {
  const narrowed = Float32Array.from(values);
  const lost = narrowed.findIndex((value, i) => !Number.isFinite(value) && Number.isFinite(values[i]));
  if (lost < 0) return narrowed;
  throw mustBe({
    subject: path,
    must: `tensor ${name} of type F64 must fit float32`,
    got: `${values[lost]} at element ${lost}`,
    remedy: "Scale it before it is saved.",
  });
}

function toInt32(path: string, name: string, dtype: SafetensorsDtype, values: ElementArray): Int32Array {
  const narrowed = new Int32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    narrowed[i] = Number(values[i]);
    if (narrowed[i] !== Number(values[i])) {
      throw mustBe({
        subject: path,
        must: `tensor ${name} of type ${dtype} must fit 32-bit signed integers`,
        got: `${values[i]} at element ${i}`,
        remedy: "Save it as F32 or I32 where it came from.",
      });
    }
  }
  return narrowed;
}

/** Sets an own property whatever its name; an assignment to `__proto__` would not. */
export function define(record: Record<string, tf.Tensor>, name: string, value: tf.Tensor): void {
  Object.defineProperty(record, name, { value, enumerable: true, configurable: true, writable: true });
}
