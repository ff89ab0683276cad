import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, type KernelDefinition } from "../defineKernel.js";
import { keepReal, toFloat64, toInt32 } from "./cast.js";

function binary(kernelName: string, operator: string): KernelDefinition {
  return defineKernel<tf.BinaryInputs>(kernelName, ({ inputs: { a, b }, torch }) =>
    torch.result(operator, a, b),
  );
}

/** Booleans count as 0 and 1 in tfjs, and a result other than 0 is true. */
function arithmetic(kernelName: string, operator: string, ofBooleans: string): KernelDefinition {
  return defineKernel<tf.BinaryInputs>(kernelName, ({ inputs: { a, b }, torch }) =>
    torch.result(a.dtype === "bool" && b.dtype === "bool" ? ofBooleans : operator, a, b),
  );
}

/** A quotient of integers is exact in float64; torch itself refuses to divide integers by 0, which tfjs takes as 0. */
function quotient(kernelName: string, operator: string): KernelDefinition {
  return defineKernel<tf.BinaryInputs>(kernelName, ({ inputs: { a, b }, torch }) =>
    a.dtype === "int32" && b.dtype === "int32"
      ? keepReal(torch, torch.call(operator, toFloat64(torch, a), toFloat64(torch, b)), "int32")
      : torch.result(operator, a, b),
  );
}

const floorDiv = defineKernel<tf.FloorDivInputs>(tf.FloorDiv, ({ inputs: { a, b }, torch }) =>
  torch.keep(
    toInt32(torch, torch.call("floor", torch.call("div.Tensor", toFloat64(torch, a), toFloat64(torch, b)))),
  ),
);

const squaredDifference = defineKernel<tf.SquaredDifferenceInputs>(
  tf.SquaredDifference,
  ({ inputs: { a, b }, torch }) => torch.result("square", torch.call("sub.Tensor", a, b)),
);

const prelu = defineKernel<tf.PreluInputs>(tf.Prelu, ({ inputs: { x, alpha }, torch }) =>
  torch.result("where.self", torch.call("lt.Scalar", x, 0), torch.call("mul.Tensor", x, alpha), x),
);

const eluGradient = defineKernel<tf.EluGradInputs>(tf.EluGrad, ({ inputs: { dy, y }, torch }) =>
  torch.result(
    "where.self",
    torch.call("ge.Scalar", y, 0),
    dy,
    torch.call("mul.Tensor", dy, torch.call("add.Scalar", y, 1)),
  ),
);

const addN = defineKernel<tf.AddNInputs>(tf.AddN, ({ inputs: [first, ...others], torch }) => {
  if (others.length === 0) return torch.share(first);
  const last = others.pop() ?? first;
  let sum: tf.TensorInfo | ReturnType<typeof torch.call> = first;
  for (const term of others) sum = torch.call("add.Tensor", sum, term);
  return torch.result("add.Tensor", sum, last);
});

/** Functions of two tensors, element by element, with broadcasting. */
export const binaryKernels: readonly KernelDefinition[] = [
  arithmetic(tf.Add, "add.Tensor", "logical_or"),
  arithmetic(tf.Sub, "sub.Tensor", "logical_xor"),
  binary(tf.Multiply, "mul.Tensor"),
  quotient(tf.RealDiv, "div.Tensor"),
  quotient(tf.Mod, "remainder.Tensor"),
  floorDiv,
  squaredDifference,
  addN,
  binary(tf.Maximum, "maximum"),
  binary(tf.Minimum, "minimum"),
  binary(tf.Pow, "pow.Tensor_Tensor"),
  quotient(tf.Atan2, "atan2"),
  prelu,
  eluGradient,
  binary(tf.BitwiseAnd, "bitwise_and.Tensor"),
  binary(tf.Equal, "eq.Tensor"),
  binary(tf.NotEqual, "ne.Tensor"),
  binary(tf.Greater, "gt.Tensor"),
  binary(tf.GreaterEqual, "ge.Tensor"),
  binary(tf.Less, "lt.Tensor"),
  binary(tf.LessEqual, "le.Tensor"),
  binary(tf.LogicalAnd, "logical_and"),
  binary(tf.LogicalOr, "logical_or"),
  binary(tf.LogicalXor, "logical_xor"),
];
