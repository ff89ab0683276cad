import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, type KernelDefinition, type Operand } from "../defineKernel.js";
import { ScalarType } from "../scalarType.js";
import { toInt32 } from "./cast.js";
import { counted, filled } from "./filled.js";

const fill = defineKernel<object, tf.FillAttrs>(tf.Fill, ({ attrs: { shape, value, dtype }, torch }) => {
  const type = (dtype as tf.DataType | undefined) ?? tf.util.inferDtype(value);
  if (typeof value === "string") {
    const values = new Array<Uint8Array>(tf.util.sizeFromShape(shape)).fill(tf.util.encodeString(value));
    return { dataId: torch.backend.write(values, shape, "string"), shape, dtype: "string" };
  }
  const stored = type === "int32" ? value | 0 : type === "bool" ? value !== 0 : value;
  return torch.keep(filled(torch, shape, stored, type));
});

const zerosLike = defineKernel<tf.ZerosLikeInputs>(tf.ZerosLike, ({ inputs: { x }, torch }) =>
  torch.result("zeros_like", x),
);

const onesLike = defineKernel<tf.OnesLikeInputs>(tf.OnesLike, ({ inputs: { x }, torch }) =>
  torch.result("ones_like", x),
);

const range = defineKernel<object, tf.RangeAttrs>(
  tf.Range,
  ({ attrs: { start, stop, step, dtype }, torch }) => {
    // A step of 1 is tfjs's default and follows the direction; one the wrong way gives nothing.
    const stride = stop < start && step === 1 ? -1 : step;
    const count = Math.max(0, Math.ceil((stop - start) / stride));
    const steps = torch.call("arange", count, ScalarType.float64, null, torch.device);
    const values = torch.call("add.Scalar", torch.call("mul.Scalar", steps, stride), start);
    return dtype === "int32"
      ? torch.keep(toInt32(torch, values))
      : torch.result("to.dtype", values, torch.storage("float32"));
  },
);

const linSpace = defineKernel<object, tf.LinSpaceAttrs>(
  tf.LinSpace,
  ({ attrs: { start, stop, num }, torch }) =>
    torch.result("linspace", start, stop, num, torch.storage("float32"), null, torch.device),
);

const diag = defineKernel<tf.DiagInputs>(tf.Diag, ({ inputs: { x }, torch }) => {
  const matrix = torch.call("diag_embed", torch.call("reshape", x, [-1]));
  return torch.result("reshape", matrix, [...x.shape, ...x.shape]);
});

interface MatrixBandPartInputs {
  input: tf.TensorInfo;
  numLower: tf.TensorInfo;
  numUpper: tf.TensorInfo;
}

const matrixBandPart = defineKernel<MatrixBandPartInputs>(
  tf.MatrixBandPart,
  ({ inputs: { input, numLower, numUpper }, torch }) => {
    const [rows, columns] = input.shape.slice(-2);
    const row = torch.call("unsqueeze", counted(torch, rows), -1);
    const below = torch.call("sub.Tensor", row, counted(torch, columns));
    const within = (distance: Operand, limit: tf.TensorInfo): Operand =>
      torch.call(
        "logical_or",
        torch.call("lt.Scalar", limit, 0), // a negative number keeps the whole triangle
        torch.call("le.Tensor", distance, limit),
      );
    const band = torch.call(
      "logical_and",
      within(below, numLower),
      within(torch.call("neg", below), numUpper),
    );
    return torch.result("where.self", band, input, torch.call("zeros_like", input));
  },
);

/** What browsers can read pixels from, and plain RGBA bytes. */
type Pixels = { width: number; height: number } & (
  { data: Uint8Array | Uint8ClampedArray } | { getContext(kind: "2d"): CanvasContext }
);
interface CanvasContext {
  getImageData(x: number, y: number, width: number, height: number): { data: Uint8ClampedArray };
}

const fromPixels = defineKernel<{ pixels: Pixels }, tf.FromPixelsAttrs>(
  tf.FromPixels,
  ({ inputs: { pixels }, attrs: { numChannels }, torch }) => {
    const { width, height } = pixels;
    const bytes =
      "data" in pixels ? pixels.data : pixels.getContext("2d").getImageData(0, 0, width, height).data;
    const rgba = torch.constant(Int32Array.from(bytes), [height, width, 4]);
    return torch.result("narrow", rgba, 2, 0, numChannels);
  },
);

/** Tensors from nothing or from a pattern. */
export const creationKernels: readonly KernelDefinition[] = [
  fill,
  zerosLike,
  onesLike,
  range,
  linSpace,
  diag,
  matrixBandPart,
  fromPixels,
];
