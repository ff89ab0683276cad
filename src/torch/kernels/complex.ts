import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, type KernelDefinition } from "../defineKernel.js";

const complex = defineKernel<tf.ComplexInputs>(tf.Complex, ({ inputs: { real, imag }, torch }) =>
  torch.result("complex", real, imag),
);

function part(kernelName: string, operator: string): KernelDefinition {
  return defineKernel<tf.RealInputs>(kernelName, ({ inputs: { input }, torch }) =>
    torch.result(operator, input),
  );
}

/** Complex numbers and Fourier transforms along the last axis. */
export const complexKernels: readonly KernelDefinition[] = [
  complex,
  part(tf.Real, "real"),
  part(tf.Imag, "imag"),
  part(tf.FFT, "fft_fft"),
  part(tf.IFFT, "fft_ifft"),
];
