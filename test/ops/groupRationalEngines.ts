import * as tf from "@tensorflow/tfjs-core";
import { type EngineName, useEngine } from "../../src/engine.js";
import { groupRational } from "../../src/ops/groupRational.js";
import type { TorchBackend } from "../../src/torch/backend.js";
import type { GroupRationalCase, Results } from "./groupRationalReference.js";

/** The engines the operator is tested on. */
export const engines: EngineName[] = ["cpu", "wasm", "torch", "tensorflow"];

/** Those that are not there, and why. */
export const missing = new Map<EngineName, string>();
for (const engine of engines) {
  await useEngine({ engine }).catch((error: unknown) => missing.set(engine, String(error)));
}

/** Value and gradients on the engine in use, by tfjs's tape. */
export function tapeResults({ shape, x, dy, numerator, denominator, settings }: GroupRationalCase): Results {
  return tf.tidy(() => {
    const inputs = [tf.tensor(x, shape), tf.tensor2d(numerator), tf.tensor2d(denominator)];
    const f = (...t: tf.Tensor[]): tf.Tensor =>
      groupRational(t[0], t[1] as tf.Tensor2D, t[2] as tf.Tensor2D, settings);
    const y = f(...inputs);
    const gradients = tf.grads(f)(inputs, tf.tensor(dy, shape));
    return [y, ...gradients].map((t) => Array.from(readValues(t))) as Results;
  });
}

/**
 * Slope of the squared gradients along the ray from the origin through all inputs: by the tape, differentiated twice, and by
 * a difference. On such rays no input changes its sign.
 *
 * @param step of the difference, as a share of the inputs; no kink may lie within it
 */
export function secondAlongRay(
  { shape, x, numerator, denominator, settings }: GroupRationalCase,
  step: number,
): { tape: number; difference: number } {
  const [tape, difference] = tf.tidy(() => {
    const inputs = [tf.tensor(x, shape), tf.tensor2d(numerator), tf.tensor2d(denominator)];
    const f = (...t: tf.Tensor[]): tf.Tensor =>
      groupRational(t[0], t[1] as tf.Tensor2D, t[2] as tf.Tensor2D, settings);
    const energy = (...t: tf.Tensor[]): tf.Scalar =>
      tf.addN<tf.Scalar>(
        tf
          .grads(f)(t)
          .map((gradient) => tf.sum(tf.square(gradient))),
      );
    const at = (scale: number): number => energy(...inputs.map((t) => tf.mul(t, scale))).dataSync()[0];
    const gradients = tf.grads(energy)(inputs);
    const slope = tf.addN(gradients.map((gradient, i) => tf.sum(tf.mul(gradient, inputs[i]))));
    return [slope.dataSync()[0], (at(1 + step) - at(1 - step)) / (2 * step)];
  });
  return { tape, difference };
}

/** Values as the engine stores them: in full precision where that is float64. */
function readValues(t: tf.Tensor): ArrayLike<number> {
  const backend = tf.backend();
  return "readFloat64" in backend ? (backend as TorchBackend).readFloat64(t) : t.dataSync();
}

/** Runs `f` as if the engine in use had no fused tfjs kernel. */
export function composed<T>(f: () => T): T {
  const backend = tf.getBackend();
  const kernels = ["GroupRational", "GroupRationalGradient"].map((name) => tf.getKernel(name, backend));
  for (const { kernelName } of kernels) tf.unregisterKernel(kernelName, backend);
  try {
    return f();
  } finally {
    for (const kernel of kernels) tf.registerKernel(kernel);
  }
}
