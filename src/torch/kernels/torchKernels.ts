import type { KernelDefinition } from "../defineKernel.js";

/** Every tfjs kernel of the torch backend, gathered from the families in this folder. */
export const torchKernels: readonly KernelDefinition[] = [];
