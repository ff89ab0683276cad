import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, type KernelDefinition } from "../defineKernel.js";
import { asReal, keepReal, toFloat64 } from "./cast.js";

function unary(kernelName: string, operator: string): KernelDefinition {
  return defineKernel<tf.UnaryInputs>(kernelName, ({ inputs: { x }, torch }) => torch.result(operator, x));
}

/** Torch answers in reals to integers, tfjs in the dtype it was asked in. */
function ofReals(kernelName: string, operator: string): KernelDefinition {
  return defineKernel<tf.UnaryInputs>(kernelName, ({ inputs: { x }, torch }) =>
    x.dtype === "int32" || x.dtype === "bool"
      ? keepReal(torch, torch.call(operator, toFloat64(torch, x)), x.dtype)
      : torch.result(operator, x),
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

const relu6 = defineKernel<tf.Relu6Inputs>(tf.Relu6, ({ inputs: { x }, torch }) =>
  torch.result("clamp", x, 0, 6),
);

// Torch switches to softplus(x) = x at 20, where e⁻²⁰ still counts in float64; at 40 it does not.
const softplus = defineKernel<tf.SoftplusInputs>(tf.Softplus, ({ inputs: { x }, torch }) =>
  torch.result("softplus", x, 1, 40),
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
  unary(tf.Abs, "abs"),
  unary(tf.Neg, "neg"),
  unary(tf.Sign, "sign"),
  unary(tf.Square, "square"),
  unary(tf.Ceil, "ceil"),
  unary(tf.Floor, "floor"),
  unary(tf.Round, "round"),
  unary(tf.Relu, "relu"),
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
  ofReals(tf.Sqrt, "sqrt"),
  ofReals(tf.Tan, "tan"),
  ofReals(tf.Tanh, "tanh"),
  exp,
  leakyRelu,
  relu6,
  softplus,
  step,
  clipByValue,
];
