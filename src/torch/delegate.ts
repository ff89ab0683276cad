import { createRequire } from "node:module";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfjsCpu from "@tensorflow/tfjs-backend-cpu";
import { mustBe } from "../errors.js";
import type { TorchBackend } from "./torchBackend.js";

/** What tfjs passes to a tfjs kernel of the torch backend. */
export interface KernelCall {
  /** Tensors by name, or lists of them. */
  readonly inputs: tf.NamedTensorInfoMap;
  readonly attrs?: tf.NamedAttrMap;
  readonly backend: TorchBackend;
}

/**
 * Runs a tfjs kernel by the implementation of tfjs's cpu backend: inputs are copied to JavaScript, results back.
 * Reals pass through float32, whatever the torch backend stores.
 *
 * The results are constants to torch autograd. Rather than lose a gradient, it refuses to compute reals from inputs
 * that require one.
 *
 * @throws KatlabError `invalid` when torch autograd would have to differentiate it, or the cpu backend has no such tfjs
 *   kernel: then strings came to an operator of numbers
 */
export function runOnCpu(
  kernelName: string,
  { inputs, attrs, backend }: KernelCall,
): tf.TensorInfo | tf.TensorInfo[] {
  // A backend per call: what the implementation leaves behind goes with it.
  const cpu = newCpuBackend();
  const copied = mapTensors(inputs, (tensor) => toCpu(tensor, backend, cpu));
  const { kernelFunc } = cpuKernel(kernelName);
  const results = kernelFunc({ inputs: copied, attrs: attrs ?? {}, backend: cpu });
  const list = Array.isArray(results) ? results : [results];
  if (list.some(({ dtype }) => dtype === "float32" || dtype === "complex64")) {
    mustNotDifferentiate(kernelName, inputs, backend);
  }
  const outputs = list.map((result) => fromCpu(result, cpu, backend));
  return Array.isArray(results) ? outputs : outputs[0];
}

type CpuModule = typeof tfjsCpu;
type CpuBackend = tfjsCpu.MathBackendCPU;
/** Inside a bundle, the bundler's; elsewhere there is none in an ES module. */
declare const require: ((name: string) => unknown) | undefined;
let cpuModule: CpuModule | undefined;

/** Loaded when first needed: few programs do, and it takes as long to load as tfjs-core's ops. */
function newCpuBackend(): CpuBackend {
  cpuModule ??= loadCpuModule();
  const cpu = new cpuModule.MathBackendCPU();
  // It would advise to install a faster backend, at its first tensor.
  cpu["firstUse"] = false;
  return cpu;
}

/** A kernel must have it at once, so not by `import()`; a bundler sees only a literal call of `require`. */
function loadCpuModule(): CpuModule {
  try {
    return createRequire(import.meta.url)("@tensorflow/tfjs-backend-cpu") as CpuModule;
  } catch (error) {
    if (typeof require === "undefined") throw error;
    return require("@tensorflow/tfjs-backend-cpu") as CpuModule;
  }
}

function cpuKernel(kernelName: string): tf.KernelConfig {
  const kernel = tf.getKernel(kernelName, "cpu") as tf.KernelConfig | undefined;
  if (kernel !== undefined) return kernel;
  throw mustBe({
    subject: `torch: tfjs kernel ${kernelName}`,
    must: "inputs must hold numbers",
    got: "strings",
    remedy: "Encode the strings as numbers first.",
  });
}

function toCpu(tensor: tf.TensorInfo, backend: TorchBackend, cpu: CpuBackend): tf.TensorInfo {
  const { shape, dtype } = tensor;
  if (dtype !== "complex64") return cpu.makeTensorInfo(shape, dtype, backend.readSync(tensor.dataId));
  const parts = tf.backend_util.splitRealAndImagArrays(backend.readSync(tensor.dataId) as Float32Array);
  const real = cpu.makeTensorInfo(shape, "float32", parts.real);
  const imag = cpu.makeTensorInfo(shape, "float32", parts.imag);
  const { kernelFunc } = cpuKernel(tf.Complex);
  return kernelFunc({ inputs: { real, imag }, attrs: {}, backend: cpu }) as tf.TensorInfo;
}

function fromCpu(
  { dataId, shape, dtype }: tf.TensorInfo,
  cpu: CpuBackend,
  backend: TorchBackend,
): tf.TensorInfo {
  return { dataId: backend.write(cpu.readSync(dataId), shape, dtype), shape, dtype };
}

/** A copy of a tfjs kernel's inputs with other tensors in place; some of them are lists. */
function mapTensors<Inputs>(inputs: Inputs, map: (tensor: tf.TensorInfo) => tf.TensorInfo): Inputs {
  const mapped = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return value.map(mapped);
    if ("dataId" in value) return map(value as tf.TensorInfo);
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, mapped(inner)]));
  };
  return mapped(inputs) as Inputs;
}

function mustNotDifferentiate(
  kernelName: string,
  inputs: tf.NamedTensorInfoMap,
  backend: TorchBackend,
): void {
  const { addon } = backend;
  const recording = addon.gradMode(false);
  addon.gradMode(recording);
  if (!recording) return;
  mapTensors(inputs, (tensor) => {
    if (tensor.dtype === "string" || !addon.requiresGrad(backend.handle(tensor))) return tensor;
    throw mustBe({
      subject: `torch: tfjs kernel ${kernelName}`,
      must: "torch autograd must not go through it, for tfjs's cpu backend computes it",
      got: "an input that requires a gradient",
      remedy: "Compute it before torchValueAndGrads, or differentiate by tfjs's tape: tf.variableGrads.",
    });
  });
}
