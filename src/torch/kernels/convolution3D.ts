import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, type KernelDefinition } from "../defineKernel.js";
import { convolve, inputGradient, weightGradient } from "./convolve.js";
import { denseFilters as filters } from "./filters.js";
import { channelsFirst, channelsLast, isEmpty, type Windows, windows3D } from "./windows.js";
import { filled } from "./filled.js";

type Shape5D = [number, number, number, number, number];

/** The attributes that place the windows; the gradients' tfjs kernels know no dilations. */
type Placement = Pick<tf.Conv3DAttrs, "strides" | "pad"> & Partial<Pick<tf.Conv3DAttrs, "dilations">>;

function windowsOf(x: readonly number[], filter: readonly number[], attrs: Placement): Windows {
  const { strides, dilations = 1, pad } = attrs;
  return windows3D(
    tf.backend_util.computeConv3DInfo(x as Shape5D, filter as Shape5D, strides, dilations, pad),
  );
}

const conv3D = defineKernel<tf.Conv3DInputs, tf.Conv3DAttrs>(
  tf.Conv3D,
  ({ inputs: { x, filter }, attrs, torch }) => {
    const windows = windowsOf(x.shape, filter.shape, attrs);
    if (isEmpty(windows)) return torch.keep(filled(torch, windows.shape, 0));
    const weight = filters.toTorch(torch, filter, filter.shape);
    return torch.keep(
      channelsLast(torch, convolve(torch, channelsFirst(torch, x, x.shape), weight, windows, 1), 3),
    );
  },
);

const byInput = defineKernel<tf.Conv3DBackpropInputV2Inputs, tf.Conv3DBackpropInputV2Attrs>(
  tf.Conv3DBackpropInputV2,
  ({ inputs: { dy, filter }, attrs, torch }) => {
    const [batch, depth, height, width, channels] = attrs.inputShape;
    const shape = [batch, channels, depth, height, width];
    const windows = windowsOf(attrs.inputShape, filter.shape, attrs);
    if (isEmpty(windows)) return torch.keep(filled(torch, attrs.inputShape, 0));
    const weight = filters.toTorch(torch, filter, filter.shape);
    const dx = inputGradient(torch, channelsFirst(torch, dy, dy.shape), shape, weight, windows, 1);
    return torch.keep(channelsLast(torch, dx, 3));
  },
);

const byFilter = defineKernel<tf.Conv3DBackpropFilterV2Inputs, tf.Conv3DBackpropFilterV2Attrs>(
  tf.Conv3DBackpropFilterV2,
  ({ inputs: { x, dy }, attrs, torch }) => {
    const { filterShape } = attrs;
    const windows = windowsOf(x.shape, filterShape, attrs);
    if (isEmpty(windows)) return torch.keep(filled(torch, filterShape, 0));
    const weight = weightGradient(
      torch,
      channelsFirst(torch, dy, dy.shape),
      channelsFirst(torch, x, x.shape),
      filters.shape(filterShape),
      windows,
      1,
    );
    return torch.result("alias", filters.fromTorch(torch, weight, filterShape));
  },
);

/** Convolution in three dimensions, with the tfjs kernels that are its gradients. */
export const convolution3DKernels: readonly KernelDefinition[] = [conv3D, byInput, byFilter];
