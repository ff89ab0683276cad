import "./tfjsRegistrations.js";
import * as tf from "@tensorflow/tfjs-core";
import { mustBe } from "../errors.js";
import { kernelDefinitions } from "./kernels/torchKernels.js";
import { registerModelFiles } from "./modelFiles.js";
import { registerTapeGradients } from "./tapeGradients.js";
import { TorchBackend, type TorchBackendOptions } from "./torchBackend.js";

export { addonStatus, loadAddon } from "./addon.js";
export type {
  Accelerator,
  Addon,
  AddonMemory,
  AddonStatus,
  Argument,
  BuildRecord,
  Handle,
  Result,
} from "./addon.js";
export { fusedAdamW } from "./adamw.js";
export type { FusedAdamW } from "./adamw.js";
export { torchAutocast } from "./autocast.js";
export { torchValueAndGrads } from "./autograd.js";
export type { ValueAndGrads } from "./autograd.js";
export { torchCompileStep } from "./compiledStep.js";
export type { CompiledStep, CompiledStepStatus, CompileOptions } from "./compiledStep.js";
export { defineKernel } from "./defineKernel.js";
export type {
  KernelArgument,
  KernelDefinition,
  KernelInputs,
  KernelRun,
  KernelTorch,
  Operand,
  Temp,
} from "./defineKernel.js";
export { foreachCopy, foreachLerp } from "./foreach.js";
export { torchKernels } from "./kernels/torchKernels.js";
export type { TorchKernels } from "./kernels/torchKernels.js";
export { TorchHessian } from "./hessian.js";
export { torchJvp } from "./jvp.js";
export type { TorchJvp } from "./jvp.js";
export { modelFiles } from "./modelFiles.js";
export { precisions } from "./precision.js";
export type { Precision, PrecisionPolicy } from "./precision.js";
export { ScalarType } from "./scalarType.js";
export type { FloatStorage } from "./scalarType.js";
export type { StepResult } from "./stepResult.js";
export { currentTorchBackend, TorchBackend } from "./torchBackend.js";
export type { CaptureScope, OperandScope, TorchBackendOptions, TorchMemory } from "./torchBackend.js";

/** How `registerTorchBackend` names a backend and where that backend stores tensors. */
export interface RegisterTorchBackend extends TorchBackendOptions {
  /** Name for `tf.setBackend`. Default `"torch"`. */
  name?: string;
}

/** Options of every name registered in this thread. */
const registered = new Map<string, TorchBackendOptions>();

/**
 * Registers a torch backend and its tfjs kernels with tfjs, without choosing it: `tf.setBackend("torch")` does.
 *
 * The native part is loaded when the backend is first used; where it is missing, that fails and `addonStatus()`
 * says why. Calling it again changes the options of a backend that is not yet in use, else nothing.
 *
 * @throws KatlabError `invalid` when a backend of this name is in use with other options
 */
export function registerTorchBackend(options: RegisterTorchBackend = {}): void {
  const { name = "torch", ...storage } = options;
  const before = registered.get(name);
  if (before !== undefined && name in tf.engine().registry) {
    if (sameOptions(before, storage)) return;
    throw mustBe({
      subject: `torch backend ${JSON.stringify(name)}`,
      must: `options must stay ${JSON.stringify(before)} while it is in use`,
      got: JSON.stringify(storage),
      remedy: "Register the other options under another name: registerTorchBackend({ name, … }).",
    });
  }
  registered.set(name, storage);
  if (before === undefined) {
    for (const kernel of kernelDefinitions) tf.registerKernel({ ...kernel, backendName: name });
  }
  if ((tf.findBackendFactory(name) as unknown) === null) {
    tf.registerBackend(name, () => started(name), priority);
  }
}

function started(name: string): TorchBackend {
  const backend = new TorchBackend(registered.get(name));
  registerTapeGradients();
  return backend;
}

/** Above tfjs's own backends (wasm 2, webgl 2, cpu 1): the one tfjs takes by itself. */
const priority = 4;

function sameOptions(a: TorchBackendOptions, b: TorchBackendOptions): boolean {
  return a.device === b.device && (a.float ?? "float32") === (b.float ?? "float32");
}

registerTorchBackend();
registerModelFiles();
