import * as tf from "@tensorflow/tfjs-core";
import { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";
import { expect } from "vitest";
import { loadAddon, type FloatStorage, TorchBackend } from "../../../src/torch/backend.js";

/** A tensor in plain JavaScript: row-major values, booleans as 0 and 1, complex numbers interleaved. */
export interface Plain {
  readonly shape: readonly number[];
  readonly dtype: tf.DataType;
  readonly values: readonly number[];
}

/** Inputs by name or as a list, as tfjs hands them to a tfjs kernel. */
export type Inputs = Readonly<Record<string, Plain>> | readonly Plain[];

const addon = loadAddon();
const backends: Record<FloatStorage, TorchBackend> = {
  float32: new TorchBackend({ device: "cpu" }),
  float64: new TorchBackend({ device: "cpu", float: "float64" }),
};

/** Runs a tfjs kernel of the torch backend by itself and checks that only its results are left. */
export function onTorch(
  kernelName: string,
  inputs: Inputs,
  attrs: object = {},
  float: FloatStorage = "float32",
): Plain[] {
  const backend = backends[float];
  const live = addon.live();
  const read = ({ dataId, shape, dtype }: tf.TensorInfo): Plain => {
    const exact =
      dtype === "float32" ? backend.readFloat64({ dataId, shape, dtype }) : backend.readSync(dataId);
    backend.disposeData(dataId);
    return { shape, dtype, values: Array.from(exact as Float64Array) };
  };
  const write = ({ shape, dtype, values }: Plain): tf.TensorInfo => ({
    dataId: backend.write(typed(values, dtype, float), [...shape], dtype),
    shape: [...shape],
    dtype,
  });
  const tensors = map(inputs, write);
  try {
    const results = tf.getKernel(kernelName, "torch").kernelFunc({
      inputs: tensors as tf.NamedTensorInfoMap,
      attrs: attrs as tf.NamedAttrMap,
      backend,
    });
    return (Array.isArray(results) ? results : [results]).map(read);
  } finally {
    for (const { dataId } of Object.values(tensors)) backend.disposeData(dataId);
    expect(addon.live(), `${kernelName} leaves tensors behind`).toBe(live);
  }
}

/** The same by tfjs's cpu backend. */
export function onCpu(kernelName: string, inputs: Inputs, attrs: object = {}): Plain[] {
  const backend = new MathBackendCPU();
  backend["firstUse"] = false; // it would print an advice
  const write = ({ shape, dtype, values }: Plain): tf.TensorInfo => {
    if (dtype !== "complex64")
      return backend.makeTensorInfo([...shape], dtype, typed(values, dtype, "float32"));
    const part = (offset: number): tf.TensorInfo =>
      backend.makeTensorInfo(
        [...shape],
        "float32",
        Float32Array.from(values.filter((_, i) => i % 2 === offset)),
      );
    return tf.getKernel(tf.Complex, "cpu").kernelFunc({
      inputs: { real: part(0), imag: part(1) },
      attrs: {},
      backend,
    }) as tf.TensorInfo;
  };
  const results = tf.getKernel(kernelName, "cpu").kernelFunc({
    inputs: map(inputs, write) as tf.NamedTensorInfoMap,
    attrs: attrs as tf.NamedAttrMap,
    backend,
  });
  return (Array.isArray(results) ? results : [results]).map(({ dataId, shape, dtype }) => ({
    shape,
    dtype,
    values: Array.from(asStored(backend.readSync(dataId), dtype)),
  }));
}

/** The cpu backend leaves results in arrays of other types; this is how it shows them. */
function asStored(values: tf.BackendValues, dtype: tf.DataType): ArrayLike<number> {
  const numbers = values as Float32Array;
  if (dtype === "float32") return Float32Array.from(numbers);
  return dtype === "int32" ? Int32Array.from(numbers) : numbers;
}

function map<T>(inputs: Inputs, f: (plain: Plain) => T): Record<string, T> | T[] {
  if (Array.isArray(inputs)) return (inputs as readonly Plain[]).map(f);
  return Object.fromEntries(Object.entries(inputs).map(([name, plain]) => [name, f(plain)]));
}

function typed(values: readonly number[], dtype: tf.DataType, float: FloatStorage): tf.BackendValues {
  if (dtype === "int32") return Int32Array.from(values);
  if (dtype === "bool") return Uint8Array.from(values);
  const array = float === "float64" && dtype === "float32" ? Float64Array : Float32Array;
  return array.from(values) as Float32Array;
}

/** How far results may be apart. */
export interface Tolerance {
  /** Units in the last place of float32. Default 0: the same values. */
  readonly ulps?: number;
  /** Largest magnitude in the computation, where that is more than the result's: what rounding is relative to. */
  readonly scale?: number;
}

/** Holds results against expected ones: dtype, shape, NaN, infinities and, within `tolerance`, values. */
export function expectClose(
  actual: readonly Plain[],
  expected: readonly Plain[],
  tolerance: Tolerance = {},
): void {
  const { ulps = 0, scale = 0 } = tolerance;
  const form = (plain: Plain): object => ({ dtype: plain.dtype, shape: plain.shape });
  expect(actual.map(form)).toEqual(expected.map(form));
  actual.forEach(({ values }, k) => {
    const wanted = expected[k].values;
    expect(values.length).toBe(wanted.length);
    values.forEach((value, i) => {
      const bound = ulps * 2 ** -23 * Math.max(Math.abs(wanted[i]), scale, 2 ** -126);
      if (value === wanted[i] || (Number.isNaN(value) && Number.isNaN(wanted[i]))) return;
      if (Math.abs(value - wanted[i]) <= bound) return;
      expect.fail(`result ${k}, element ${i}: ${value} instead of ${wanted[i]}`);
    });
  });
}

/** Runs a tfjs kernel on both backends and holds torch's results against the cpu backend's. */
export function expectSame(
  kernelName: string,
  inputs: Inputs,
  attrs: object = {},
  tolerance: Tolerance = {},
): void {
  expectClose(onTorch(kernelName, inputs, attrs), onCpu(kernelName, inputs, attrs), tolerance);
}

/** A tensor of reals. */
export function reals(shape: readonly number[], values: readonly number[]): Plain {
  return { shape, dtype: "float32", values: values.map(Math.fround) };
}

/** A tensor of integers. */
export function integers(shape: readonly number[], values: readonly number[]): Plain {
  return { shape, dtype: "int32", values };
}

/** A tensor of truth values. */
export function booleans(shape: readonly number[], values: readonly number[]): Plain {
  return { shape, dtype: "bool", values };
}
