import type { KernelDefinition } from "../defineKernel.js";
import { binaryKernels } from "./binary.js";
import { castKernels } from "./cast.js";
import { complexKernels } from "./complex.js";
import { convolutionKernels } from "./convolution.js";
import { convolution3DKernels } from "./convolution3D.js";
import { countingKernels } from "./counting.js";
import { creationKernels } from "./creation.js";
import { delegatedKernels } from "./delegated.js";
import { dilationKernels } from "./dilation.js";
import { fusedKernels } from "./fused.js";
import { fusedGradientKernels } from "./fusedGradients.js";
import { gatherKernels } from "./gather.js";
import { imageKernels } from "./image.js";
import { matmulKernels } from "./matmul.js";
import { normalisationKernels } from "./normalisation.js";
import { normalisedImagesKernels } from "./normalisedImages.js";
import { poolingKernels } from "./pooling.js";
import { reductionKernels } from "./reduction.js";
import { scatterKernels } from "./scatter.js";
import { shapeKernels } from "./shape.js";
import { sortingKernels } from "./sorting.js";
import { unaryKernels } from "./unary.js";

/** tfjs kernels computed by torch operators. */
const nativeKernels: readonly KernelDefinition[] = [
  binaryKernels,
  unaryKernels,
  castKernels,
  reductionKernels,
  matmulKernels,
  shapeKernels,
  creationKernels,
  gatherKernels,
  scatterKernels,
  sortingKernels,
  countingKernels,
  normalisationKernels,
  convolutionKernels,
  convolution3DKernels,
  poolingKernels,
  dilationKernels,
  imageKernels,
  normalisedImagesKernels,
  complexKernels,
  fusedKernels,
  fusedGradientKernels,
].flat();

/** Every tfjs kernel of the torch backend, gathered from the families in this folder. */
export const kernelDefinitions: readonly KernelDefinition[] = [...nativeKernels, ...delegatedKernels];

/** The names of the torch backend's tfjs kernels, sorted, by who computes them. */
export interface TorchKernels {
  /** Computed by torch operators; the fused operators of katlab are among them. */
  readonly native: string[];
  /** Computed by tfjs's cpu backend: copied there and back, and not differentiated by torch autograd. */
  readonly delegated: string[];
}

/** Lists the tfjs kernels of the torch backend. */
export function torchKernels(): TorchKernels {
  const names = (definitions: readonly KernelDefinition[]): string[] =>
    definitions.map(({ kernelName }) => kernelName).sort();
  return { native: names(nativeKernels), delegated: names(delegatedKernels) };
}
