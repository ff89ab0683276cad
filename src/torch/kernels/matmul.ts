import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, type KernelDefinition, type KernelTorch, type Operand } from "../defineKernel.js";
import { activate } from "./activation.js";
import { keepReal, toFloat64 } from "./cast.js";

/** Last two axes exchanged. */
function transposed(torch: KernelTorch, x: Operand, wanted: boolean): Operand {
  return wanted ? torch.call("transpose.int", x, -2, -1) : x;
}

function mustFit(a: tf.TensorInfo, b: tf.TensorInfo, transposeA: boolean, transposeB: boolean): void {
  const innerA = a.shape[a.shape.length - (transposeA ? 2 : 1)];
  const innerB = b.shape[b.shape.length - (transposeB ? 1 : 2)];
  tf.util.assert(
    innerA === innerB,
    () =>
      `Error in matMul: inner shapes (${innerA}) and (${innerB}) of [${a.shape.join()}] and [${b.shape.join()}] must match.`,
  );
}

const batchMatMul = defineKernel<tf.BatchMatMulInputs, tf.BatchMatMulAttrs>(
  tf.BatchMatMul,
  ({ inputs: { a, b }, attrs: { transposeA, transposeB }, torch }) => {
    mustFit(a, b, transposeA, transposeB);
    const isReal = a.dtype !== "int32" && a.dtype !== "bool";
    // Torch has no integer products on CUDA; in float64 the sums are as exact as in JavaScript.
    const factor = (x: tf.TensorInfo): Operand => (isReal ? x : toFloat64(torch, x));
    const left = transposed(torch, factor(a), transposeA);
    const right = transposed(torch, factor(b), transposeB);
    return isReal
      ? torch.result("matmul", left, right)
      : keepReal(torch, torch.call("matmul", left, right), a.dtype);
  },
);

const fusedMatMul = defineKernel<tf._FusedMatMulInputs, tf._FusedMatMulAttrs>(
  tf._FusedMatMul,
  ({ inputs: { a, b, bias, preluActivationWeights }, attrs, torch }) => {
    const { transposeA, transposeB, activation, leakyreluAlpha } = attrs;
    mustFit(a, b, transposeA, transposeB);
    const left = transposed(torch, a, transposeA);
    const right = transposed(torch, b, transposeB);
    const isPlain = bias !== undefined && a.shape.length === 2 && b.shape.length === 2;
    let y = isPlain ? torch.call("addmm", bias, left, right) : torch.call("matmul", left, right);
    if (bias !== undefined && !isPlain) y = torch.call("add.Tensor", y, bias);
    return torch.result("alias", activate(torch, y, activation, preluActivationWeights, leakyreluAlpha));
  },
);

const einsum = defineKernel<tf.EinsumInputs, tf.EinsumAttrs>(
  tf.Einsum,
  ({ inputs, attrs: { equation }, torch }) => {
    const { allDims, idDims } = tf.backend_util.decodeEinsumEquation(equation, inputs.length);
    tf.backend_util.checkEinsumDimSizes(allDims.length, idDims, [...inputs] as tf.Tensor[]);
    const [{ dtype }] = inputs;
    if (dtype !== "int32" && dtype !== "bool") return torch.result("einsum", equation, inputs);
    const factors = inputs.map((x) => toFloat64(torch, x));
    return keepReal(torch, torch.call("einsum", equation, factors), dtype);
  },
);

/** Matrix products. */
export const matmulKernels: readonly KernelDefinition[] = [batchMatMul, fusedMatMul, einsum];
