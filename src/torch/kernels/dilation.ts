import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, type KernelDefinition, type KernelTorch, type Temp } from "../defineKernel.js";
import {
  channelsFirst,
  channelsLast,
  cropped,
  isEmpty,
  padded,
  paddedSizes,
  type Windows,
  windows2D,
} from "./windows.js";
import { filled } from "./filled.js";

type Shape4D = [number, number, number, number];

function windowsOf(x: tf.TensorInfo, filter: tf.TensorInfo, attrs: tf.Dilation2DAttrs): Windows {
  const { strides, pad, dilations } = attrs;
  return windows2D(
    tf.backend_util.computeDilation2DInfo(
      x.shape as Shape4D,
      filter.shape as [number, number, number],
      strides,
      pad,
      "NHWC",
      dilations,
    ),
  );
}

/** Window contents plus filter, `[batch, channels, place in the window, window]`; paddings count as −∞. */
function candidates(torch: KernelTorch, x: tf.TensorInfo, filter: tf.TensorInfo, windows: Windows): Temp {
  const [height, width, channels] = filter.shape;
  const source = padded(torch, channelsFirst(torch, x, x.shape), windows, -Infinity);
  const columns = torch.call("im2col", source, windows.filter, windows.dilation, [0, 0], windows.stride);
  const contents = torch.call("reshape", columns, [x.shape[0], channels, height * width, -1]);
  const offsets = torch.call("reshape", torch.call("permute", filter, [2, 0, 1]), [channels, -1, 1]);
  return torch.call("add.Tensor", contents, offsets);
}

/** `dy` at the place of each window's largest candidate, the first of equals; 0 elsewhere. */
function routed(
  torch: KernelTorch,
  dy: tf.TensorInfo,
  x: tf.TensorInfo,
  filter: tf.TensorInfo,
  windows: Windows,
): Temp {
  const all = candidates(torch, x, filter, windows);
  const winner = torch.call("argmax", all, 2, true);
  const [batch, channels] = [x.shape[0], filter.shape[2]];
  const share = torch.call("reshape", channelsFirst(torch, dy, dy.shape), [batch, channels, 1, -1]);
  return torch.call("scatter.src", torch.call("zeros_like", all), 2, winner, share);
}

const dilation2D = defineKernel<tf.Dilation2DInputs, tf.Dilation2DAttrs>(
  tf.Dilation2D,
  ({ inputs: { x, filter }, attrs, torch }) => {
    const windows = windowsOf(x, filter, attrs);
    if (isEmpty(windows)) return torch.keep(filled(torch, windows.shape, 0));
    const largest = torch.call("amax", candidates(torch, x, filter, windows), [2]);
    const shape = [x.shape[0], filter.shape[2], ...windows.out];
    return torch.keep(channelsLast(torch, torch.call("reshape", largest, shape), 2));
  },
);

const byInput = defineKernel<tf.Dilation2DBackpropInputInputs, tf.Dilation2DAttrs>(
  tf.Dilation2DBackpropInput,
  ({ inputs: { x, filter, dy }, attrs, torch }) => {
    const windows = windowsOf(x, filter, attrs);
    if (isEmpty(windows)) return torch.keep(filled(torch, x.shape, 0));
    const columns = torch.call("flatten.using_ints", routed(torch, dy, x, filter, windows), 1, 2);
    const sizes = paddedSizes(x.shape.slice(1, 3), windows);
    const { filter: size, dilation, stride } = windows;
    const sum = torch.call("col2im", columns, sizes, size, dilation, [0, 0], stride);
    return torch.keep(channelsLast(torch, cropped(torch, sum, windows), 2));
  },
);

const byFilter = defineKernel<tf.Dilation2DBackpropFilterInputs, tf.Dilation2DAttrs>(
  tf.Dilation2DBackpropFilter,
  ({ inputs: { x, filter, dy }, attrs, torch }) => {
    const windows = windowsOf(x, filter, attrs);
    if (isEmpty(windows)) return torch.keep(filled(torch, filter.shape, 0));
    const sum = torch.call("sum.dim_IntList", routed(torch, dy, x, filter, windows), [0, 3]);
    const [height, width, channels] = filter.shape;
    return torch.result("permute", torch.call("reshape", sum, [channels, height, width]), [1, 2, 0]);
  },
);

/** Greyscale dilation, the largest of window plus filter, with the tfjs kernels that are its gradients. */
export const dilationKernels: readonly KernelDefinition[] = [dilation2D, byInput, byFilter];
