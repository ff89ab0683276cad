import * as tf from "@tensorflow/tfjs-core";
import { torchKernels } from "../../src/torch/backend.js";

/**
 * Watches the tfjs kernels of a torch backend.
 *
 * @returns says whether tfjs's cpu backend computed any of them since it was last asked
 */
export function watchDelegation(backendName: string): () => boolean {
  const delegated = new Set(torchKernels().delegated);
  let seen = false;
  for (const config of tf.getKernelsForBackend(backendName)) {
    const { kernelName, kernelFunc } = config;
    config.kernelFunc = (call) => {
      seen ||= delegated.has(kernelName) || Object.values(call.inputs).some((x) => x?.dtype === "string");
      return kernelFunc(call);
    };
  }
  return () => {
    const before = seen;
    seen = false;
    return before;
  };
}
