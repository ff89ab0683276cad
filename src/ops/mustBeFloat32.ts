import type * as tf from "@tensorflow/tfjs-core";
import { mustBe } from "../errors.js";

/**
 * Checks that an operator's tensors hold reals.
 *
 * @throws KatlabError `invalid` for another dtype than float32
 */
export function mustBeFloat32(subject: string, tensors: Readonly<Record<string, tf.Tensor>>): void {
  for (const [name, { dtype }] of Object.entries(tensors)) {
    if (dtype === "float32") continue;
    throw mustBe({
      subject: `${subject}: ${name}`,
      must: "dtype must be float32",
      got: dtype,
      remedy: 'Convert it by tf.cast(tensor, "float32").',
    });
  }
}
