import * as tf from "@tensorflow/tfjs-core";

/** Whether the engine in use brings its own tfjs kernel of this name. */
export function hasKernel(kernelName: string): boolean {
  // tfjs declares the result as always there.
  const kernel = tf.getKernel(kernelName, tf.getBackend()) as tf.KernelConfig | undefined;
  return kernel !== undefined;
}

/**
 * Runs a tfjs kernel of the engine in use, outputs in the kernel's order.
 *
 * @throws Error where the engine has none: ask `hasKernel` first
 */
export function runFused(
  kernelName: string,
  inputs: Readonly<Record<string, tf.Tensor>>,
  attrs: tf.NamedAttrMap = {},
): tf.Tensor[] {
  const outputs: tf.Tensor | tf.Tensor[] = tf.engine().runKernel(kernelName, { ...inputs }, attrs);
  return Array.isArray(outputs) ? outputs : [outputs];
}
