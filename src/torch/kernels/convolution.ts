import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, type KernelDefinition, type KernelTorch, type Operand } from "../defineKernel.js";
import { activate } from "./activation.js";
import { convolve, inputGradient, weightGradient } from "./convolve.js";
import { denseFilters, depthwiseFilters, type FilterLayout } from "./filters.js";
import { channelsFirst, channelsLast, isEmpty, type Windows, windows2D } from "./windows.js";
import { filled } from "./filled.js";

type Shape4D = [number, number, number, number];

/** The attributes that place the windows; some tfjs kernels leave some out. */
type Placement = Pick<tf.Conv2DAttrs, "strides" | "pad" | "dimRoundingMode"> &
  Partial<Pick<tf.Conv2DAttrs, "dataFormat" | "dilations">>;

interface Plan {
  readonly windows: Windows;
  readonly groups: number;
  readonly isLast: boolean;
}

/** How torch is to convolve what these shapes and attributes describe. */
function plan(x: readonly number[], filter: readonly number[], layout: FilterLayout, attrs: Placement): Plan {
  const format = tf.backend_util.convertConv2DDataFormat(attrs.dataFormat ?? "NHWC");
  const info = tf.backend_util.computeConv2DInfo(
    x as Shape4D,
    filter as Shape4D,
    attrs.strides,
    attrs.dilations ?? 1,
    attrs.pad,
    attrs.dimRoundingMode,
    layout.depthwise,
    format,
  );
  return {
    windows: windows2D(info),
    groups: layout.depthwise ? info.inChannels : 1,
    isLast: format === "channelsLast",
  };
}

function first(torch: KernelTorch, x: tf.TensorInfo, { isLast }: Plan): Operand {
  // Reshaped to its own shape it has the strides that its shape suggests; `channelsFirst` says why that matters.
  return isLast ? channelsFirst(torch, x, x.shape) : torch.call("reshape", x, x.shape);
}

function back(torch: KernelTorch, x: Operand, { isLast }: Plan): Operand {
  return isLast ? channelsLast(torch, x, 2) : x;
}

function forward(
  torch: KernelTorch,
  x: tf.TensorInfo,
  filter: tf.TensorInfo,
  layout: FilterLayout,
  attrs: Placement,
): Operand {
  const planned = plan(x.shape, filter.shape, layout, attrs);
  if (isEmpty(planned.windows)) return filled(torch, planned.windows.shape, 0);
  const weight = layout.toTorch(torch, filter, filter.shape);
  const y = convolve(torch, first(torch, x, planned), weight, planned.windows, planned.groups);
  return back(torch, y, planned);
}

function convolution(kernelName: string, layout: FilterLayout): KernelDefinition {
  return defineKernel<tf.Conv2DInputs, tf.Conv2DAttrs>(
    kernelName,
    ({ inputs: { x, filter }, attrs, torch }) =>
      torch.result("alias", forward(torch, x, filter, layout, attrs)),
  );
}

/** The part of `dy` that has a window: for transposed convolutions tfjs lets it be larger. */
function sharing(
  torch: KernelTorch,
  dy: Operand,
  shape: readonly number[],
  { windows, isLast }: Plan,
): Operand {
  const sizes = isLast ? shape.slice(1, -1) : shape.slice(2);
  let part = dy;
  windows.out.forEach((count, i) => {
    if (sizes[i] > count) part = torch.call("narrow", part, i + 2, 0, count);
  });
  return part;
}

function byInput(kernelName: string, layout: FilterLayout): KernelDefinition {
  return defineKernel<tf.Conv2DBackpropInputInputs, Placement & { inputShape: Shape4D }>(
    kernelName,
    ({ inputs: { dy, filter }, attrs, torch }) => {
      const planned = plan(attrs.inputShape, filter.shape, layout, attrs);
      if (isEmpty(planned.windows)) return torch.keep(filled(torch, attrs.inputShape, 0));
      const [batch, ...others] = attrs.inputShape;
      const channels = planned.isLast ? others.pop() : others.shift();
      const shape = [batch, channels ?? 0, ...others];
      const weight = layout.toTorch(torch, filter, filter.shape);
      const { windows, groups } = planned;
      const used = sharing(torch, first(torch, dy, planned), dy.shape, planned);
      const dx = inputGradient(torch, used, shape, weight, windows, groups);
      return torch.result("alias", back(torch, dx, planned));
    },
  );
}

function byFilter(kernelName: string, layout: FilterLayout): KernelDefinition {
  return defineKernel<tf.Conv2DBackpropFilterInputs, Placement & { filterShape: Shape4D }>(
    kernelName,
    ({ inputs: { x, dy }, attrs, torch }) => {
      const { filterShape } = attrs;
      const planned = plan(x.shape, filterShape, layout, attrs);
      if (isEmpty(planned.windows)) return torch.keep(filled(torch, filterShape, 0));
      const weight = weightGradient(
        torch,
        first(torch, dy, planned),
        first(torch, x, planned),
        layout.shape(filterShape),
        planned.windows,
        planned.groups,
      );
      return torch.result("alias", layout.fromTorch(torch, weight, filterShape));
    },
  );
}

/** One value per channel, in a form that broadcasts to the convolution's output. */
function perChannel(
  torch: KernelTorch,
  x: tf.TensorInfo | undefined,
  dataFormat: tf.Conv2DAttrs["dataFormat"],
): Operand | undefined {
  const isVector = x?.shape.length === 1 && x.shape[0] !== 1;
  return isVector && dataFormat === "NCHW" ? torch.call("reshape", x, [-1, 1, 1]) : x;
}

function fused(kernelName: string, layout: FilterLayout): KernelDefinition {
  return defineKernel<tf.FusedConv2DInputs, tf.FusedConv2DAttrs>(
    kernelName,
    ({ inputs: { x, filter, bias, preluActivationWeights }, attrs, torch }) => {
      let y = forward(torch, x, filter, layout, attrs);
      const offset = perChannel(torch, bias, attrs.dataFormat);
      if (offset !== undefined) y = torch.call("add.Tensor", y, offset);
      const slopes = perChannel(torch, preluActivationWeights, attrs.dataFormat);
      return torch.result("alias", activate(torch, y, attrs.activation, slopes, attrs.leakyreluAlpha));
    },
  );
}

/** Convolutions in two dimensions, with the tfjs kernels that are their gradients. */
export const convolutionKernels: readonly KernelDefinition[] = [
  convolution(tf.Conv2D, denseFilters),
  byInput(tf.Conv2DBackpropInput, denseFilters),
  byFilter(tf.Conv2DBackpropFilter, denseFilters),
  fused(tf.FusedConv2D, denseFilters),
  convolution(tf.DepthwiseConv2dNative, depthwiseFilters),
  byInput(tf.DepthwiseConv2dNativeBackpropInput, depthwiseFilters),
  byFilter(tf.DepthwiseConv2dNativeBackpropFilter, depthwiseFilters),
  fused(tf.FusedDepthwiseConv2D, depthwiseFilters),
];
