import * as tf from "@tensorflow/tfjs-core";
import { TorchBackend } from "./torchBackend.js";

/**
 * Replaces the gradients of tfjs's tape that copy arrays of ones or zeros to the device, which costs a GPU more than the
 * rest of the step. tfjs has one gradient per tfjs kernel for all backends: on others its own stay in use.
 *
 * Packages that bring tfjs's gradients register them anew when they are loaded, so this is called when a backend starts.
 */
export function registerTapeGradients(): void {
  for (const [kernelName, gradient] of Object.entries(gradients)) {
    const own = tf.getGradient(kernelName);
    if (replaced.has(own)) continue;
    const config: tf.GradConfig = {
      ...own,
      kernelName,
      gradFunc: (dy, saved, attrs) =>
        tf.engine().backend instanceof TorchBackend
          ? gradient(dy as tf.Tensor, saved, attrs)
          : own.gradFunc(dy, saved, attrs),
    };
    replaced.add(config);
    tf.registerGradient(config);
  }
}

const replaced = new WeakSet<tf.GradConfig>();

/** As tfjs's `gradFunc`, for tfjs kernels of one result: it has the same saved tensors as the gradient it stands for. */
type Gradient = (dy: tf.Tensor, saved: tf.Tensor[], attrs: tf.NamedAttrMap) => ReturnType<tf.GradFunc>;

const sum: Gradient = (dy, [x], attrs) => {
  const axes = tf.util.parseAxisParam((attrs as unknown as tf.SumAttrs).axis, x.shape);
  return { x: () => spread(dy, axes, x.shape) };
};

const mean: Gradient = (dy, [x], attrs) => {
  const axes = tf.util.parseAxisParam((attrs as unknown as tf.MeanAttrs).axis, x.shape);
  const count = axes.reduce((product, axis) => product * x.shape[axis], 1);
  return { x: () => spread(tf.div(dy, count), axes, x.shape) };
};

/** Rows of segments below 0 are in no sum. */
const unsortedSegmentSum: Gradient = (dy, [segmentIds]) => ({
  x: () => {
    const zero = tf.scalar(0, "int32");
    const rows = tf.gather(dy, tf.maximum(segmentIds, zero));
    const within = tf.reshape(tf.greaterEqual(segmentIds, zero), [
      segmentIds.size,
      ...dy.shape.slice(1).fill(1),
    ]);
    return tf.where(within, rows, tf.zerosLike(rows));
  },
});

const oneHot: Gradient = (_, [indices]) => ({ indices: () => tf.cast(tf.zerosLike(indices), "float32") });

const gradients: Readonly<Record<string, Gradient>> = {
  [tf.Sum]: sum,
  [tf.Mean]: mean,
  [tf.UnsortedSegmentSum]: unsortedSegmentSum,
  [tf.OneHot]: oneHot,
};

/** Undoes a reduction along `axes`: each result stands again where its terms were. A view, no copy. */
function spread(y: tf.Tensor, axes: readonly number[], shape: number[]): tf.Tensor {
  const inputShape = tf.backend_util.expandShapeToKeepDim(
    shape.filter((_, axis) => !axes.includes(axis)),
    [...axes],
  );
  const x = tf.reshape(y.dtype === "float32" ? y : tf.cast(y, "float32"), inputShape);
  return tf.engine().runKernel(tf.BroadcastTo, { x }, { shape, inputShape });
}
