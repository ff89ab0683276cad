import * as tf from "@tensorflow/tfjs-core";

/**
 * Gradients scaled together so that their joint L2 norm is at most `norm`: g · min(1, norm / (‖g‖ + 10⁻⁶)).
 *
 * @returns new tensors the caller disposes; nothing is read back from the device
 * Source: Pascanu et al., 2013; the 10⁻⁶ is PyTorch's.
 */
export function clipByNorm(gradients: readonly tf.Tensor[], norm: number): tf.Tensor[] {
  return tf.tidy(() => {
    const squares = gradients.map((gradient) => tf.sum(tf.square(gradient)));
    const total = tf.sqrt(tf.sum(tf.stack(squares)));
    const factor = tf.minimum(tf.div(norm, tf.add(total, 1e-6)), 1);
    return gradients.map((gradient) => tf.mul(gradient, factor));
  });
}
