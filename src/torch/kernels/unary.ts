import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, type KernelDefinition } from "../defineKernel.js";
import { asReal, keepReal, toFloat64 } from "./cast.js";

function unary(kernelName: string, operator: string): KernelDefinition {
  return defineKernel<tf.UnaryInputs>(kernelName, ({ inputs: { x }, torch }) => torch.result(operator, x));
}

/** A function that is 0 at 0 and not at 1, so that truth values stay as they are. */
function keepingTruth(kernelName: string, operator: string, ...args: number[]): KernelDefinition {
  return defineKernel<tf.UnaryInputs>(kernelName, ({ inputs: { x }, torch }) =>
    x.dtype === "bool" ? torch.share(x) : torch.result(operator, x, ...args),
  );
}

/** Torch answers in reals to integers, tfjs in the dtype it was asked in. */
function ofReals(kernelName: string, operator: string, ...args: number[]): KernelDefinition {
  return defineKernel<tf.UnaryInputs>(kernelName, ({ inputs: { x }, torch }) =>
    x.dtype === "int32" || x.dtype === "bool"
      ? keepReal(torch, torch.call(operator, toFloat64(torch, x), ...args), x.dtype)
      : torch.result(operator, x, ...args),
  );
}

const leakyRelu = defineKernel<tf.LeakyReluInputs, tf.LeakyReluAttrs>(
  tf.LeakyRelu,
  ({ inputs: { x }, attrs: { alpha }, torch }) => torch.result("leaky_relu", asReal(torch, x), alpha),
);

/** Reals even of integers. */
const exp = defineKernel<tf.ExpInputs>(tf.Exp, ({ inputs: { x }, torch }) =>
  torch.result("exp", asReal(torch, x)),
);

const step = defineKernel<tf.StepInputs, tf.StepAttrs>(
  tf.Step,
  ({ inputs: { x }, attrs: { alpha }, torch }) => {
    const below = torch.call("full_like", x, x.dtype === "float32" ? alpha : Math.trunc(alpha));
    const step = torch.call("where.ScalarSelf", torch.call("gt.Scalar", x, 0), 1, below);
    const known = torch.call("where.self", torch.call("isnan", x), x, step);
    return torch.result("detach", known);
  },
);

const clipByValue = defineKernel<tf.ClipByValueInputs, tf.ClipByValueAttrs>(
  tf.ClipByValue,
  ({ inputs: { x }, attrs: { clipValueMin, clipValueMax }, torch }) =>
    x.dtype === "float32"
      ? torch.result("clamp", x, clipValueMin, clipValueMax)
      : keepReal(torch, torch.call("clamp", toFloat64(torch, x), clipValueMin, clipValueMax), x.dtype),
);

/** Functions of one tensor, element by element. */
export const unaryKernels: readonly KernelDefinition[] = [
  keepingTruth(tf.Abs, "abs"),
  keepingTruth(tf.Neg, "neg"),
  keepingTruth(tf.Sign, "sign"),
  keepingTruth(tf.Square, "square"),
  keepingTruth(tf.Ceil, "ceil"),
  keepingTruth(tf.Floor, "floor"),
  keepingTruth(tf.Round, "round"),
  keepingTruth(tf.Relu, "relu"),
  keepingTruth(tf.Relu6, "clamp", 0, 6),
  unary(tf.LogicalNot, "logical_not"),
  unary(tf.IsFinite, "isfinite"),
  unary(tf.IsInf, "isinf"),
  unary(tf.IsNan, "isnan"),
  unary(tf.ComplexAbs, "abs"),
  ofReals(tf.Acos, "acos"),
  ofReals(tf.Acosh, "acosh"),
  ofReals(tf.Asin, "asin"),
  ofReals(tf.Asinh, "asinh"),
  ofReals(tf.Atan, "atan"),
  ofReals(tf.Atanh, "atanh"),
  ofReals(tf.Cos, "cos"),
  ofReals(tf.Cosh, "cosh"),
  ofReals(tf.Elu, "elu"),
  ofReals(tf.Erf, "erf"),
  ofReals(tf.Expm1, "expm1"),
  ofReals(tf.Log, "log"),
  ofReals(tf.Log1p, "log1p"),
  ofReals(tf.Reciprocal, "reciprocal"),
  ofReals(tf.Rsqrt, "rsqrt"),
  ofReals(tf.Selu, "selu"),
  ofReals(tf.Sigmoid, "sigmoid"),
  ofReals(tf.Sin, "sin"),
  ofReals(tf.Sinh, "sinh"),
  // Torch goes over to softplus(x) = x at 20, where e⁻²⁰ still counts in float64; at 40 it does not.
  ofReals(tf.Softplus, "softplus", 1, 40),
  ofReals(tf.Sqrt, "sqrt"),
  ofReals(tf.Tan, "tan"),
  ofReals(tf.Tanh, "tanh"),
  exp,
  leakyRelu,
  step,
  clipByValue,
];
