import * as tf from "@tensorflow/tfjs-core";
import { mustBe, unavailable } from "../errors.js";
import { type Addon, type Handle, loadAddon } from "./addon.js";
import { constantValue } from "./constantValue.js";
import { DataTable } from "./dataTable.js";
import type { Precision } from "./precision.js";
import { dtypeOf, type FloatStorage, ScalarType, storageOf } from "./scalarType.js";

/** Where and how a `TorchBackend` stores tensors. */
export interface TorchBackendOptions {
  /** `"cpu"`, `"cuda"` or for example `"cuda:1"`; by default the first CUDA device, or the CPU where there is none. */
  device?: string;
  /** What stands behind tfjs's `float32`; `"float64"` is for checking formulas. Default `"float32"`. */
  float?: FloatStorage;
}

/** What torch adds to `tf.memory()`. */
export interface TorchMemory {
  /** False: torch's own counts are exact. */
  unreliable: boolean;
  /** Bytes of the storages behind this thread's tensors; a view counts its base, once. */
  torchBytes: number;
  /** Live torch handles of this thread. */
  torchHandles: number;
  /** Bytes in use on the accelerator, where the backend runs on one. */
  deviceBytes?: number;
  /** Largest `deviceBytes` so far. */
  devicePeakBytes?: number;
}

/** A stretch of a program in which operators take tensors in another element type: `Autocast`. */
export interface OperandScope {
  /** The handle that an operator takes for a tensor; `own` is given one that is freed after the operator. */
  operand(tensor: tf.TensorInfo, wide: boolean, own: (handle: Handle) => Handle): Handle;
}

/** What stands behind one tfjs data id: a torch tensor, or strings, which stay in JavaScript. */
type TorchData = { refCount: number } & (
  | { readonly dtype: tf.NumericDataType; readonly handle: Handle; readonly scalarType: number }
  | { readonly dtype: "string"; readonly strings: Uint8Array[] }
);

/** A step that is being captured; `StepGraph` is one. */
export interface CaptureScope {
  /** Told of every tensor whose handle is asked for. */
  read(tensor: tf.TensorInfo, handle: Handle): void;
  /** Told of every tensor that will be written in place. */
  writes(tensor: tf.TensorInfo): void;
  /** Whether it keeps a handle that would be freed now. */
  keeps(handle: Handle): boolean;
  /** Ends the capture: something needs the device to run, or the host to be waited for. */
  refuse(what: string): never;
}

/**
 * A tfjs backend whose tensors are torch tensors.
 *
 * Each data id owns one handle; reshaped and transposed tensors are torch views with handles of their own.
 * Tensors are immutable to tfjs, so shared storage never shows: `fusedAdamW`, which alone writes in place,
 * first copies what is shared.
 *
 * A tensor that is garbage collected without `dispose` gives its memory back too, though later: only between two turns of
 * the event loop. tfjs goes on counting it in `tf.memory().numTensors`.
 */
export class TorchBackend extends tf.KernelBackend {
  /** PyTorch's dispatcher. */
  readonly addon: Addon;
  /** Where tensors live, for example `"cpu"`, `"cuda:0"`. */
  readonly device: string;
  /** What stands behind tfjs's `float32`. */
  readonly float: FloatStorage;
  /** What operators compute with; one of those that `float` stands behind. */
  precision: Precision;
  /** The stretch of narrow operators the program is in; `Autocast` sets it. */
  autocast: OperandScope | undefined;
  /** How often what runs now will be differentiated: 2 wants operators whose gradients have gradients; `recording` sets it. */
  derivatives: 0 | 1 | 2 = 0;
  /** The capture of a step the program is in; `StepGraph` sets it. */
  capture: CaptureScope | undefined;
  readonly #data = new DataTable<TorchData>(
    (data) => this.#free(data),
    () => this.addon.reportMemory(),
  );
  readonly #operators = new Map<string, number>();

  /** @throws KatlabError `unavailable` where the native part or the device is missing */
  constructor(options: TorchBackendOptions = {}) {
    super();
    this.addon = loadAddon();
    this.addon.gradMode(false);
    this.device = chooseDevice(this.addon, options.device);
    this.float = options.float ?? "float32";
    this.precision = this.float;
  }

  /** The torch handle of a tensor; stays owned by the backend. A tensor of another backend is moved here. */
  handle(tensor: tf.TensorInfo): Handle {
    const data = this.#find(tensor.dataId);
    if (data.dtype === "string") throw noStrings();
    this.capture?.read(tensor, data.handle);
    return data.handle;
  }

  /** Stores a narrow float tensor as wide as this backend's others, in place. */
  widen(tensor: tf.TensorInfo): void {
    const data = this.#find(tensor.dataId);
    if (data.dtype !== "float32" || data.scalarType === this.storage("float32")) return;
    const scalarType = this.storage("float32");
    const handle = this.#converted(data.handle, data.scalarType, scalarType);
    this.#data.set(tensor.dataId, { ...data, handle, scalarType });
  }

  /** Puts another handle behind a data id, for all tensors that have it; returns the one before, then the caller's. */
  exchange(tensor: tf.TensorInfo, handle: Handle): Handle {
    const data = this.#find(tensor.dataId);
    if (data.dtype === "string") throw noStrings();
    this.#data.set(tensor.dataId, { ...data, handle });
    return data.handle;
  }

  /** The element type in which a tensor is stored. */
  scalarType(tensor: tf.TensorInfo): number {
    const data = this.#find(tensor.dataId);
    if (data.dtype === "string") throw noStrings();
    return data.scalarType;
  }

  /**
   * Gives a handle to tfjs, with the shape torch tells; it is freed where that fails. Integers are stored as int32 and
   * float64 in this backend's float storage; narrow floats are kept.
   *
   * @param dtype what tfjs shall call it; by default what torch tells
   */
  tensorFromHandle(handle: Handle, dtype?: tf.DataType): tf.TensorInfo {
    this.addon.info(handle);
    return this.tensorFromMeta(dtype);
  }

  /** `tensorFromHandle` for the first tensor in `addon.meta`: saves a call right after an operator. */
  tensorFromMeta(dtype?: tf.DataType): tf.TensorInfo {
    const { meta } = this.addon;
    const rank = meta[3];
    const shape = new Array<number>(rank);
    for (let axis = 0; axis < rank; axis++) shape[axis] = meta[4 + axis];
    return this.#adopt(meta[1], meta[2], shape, dtype);
  }

  /** The number of an operator: `"add.Tensor"` means `aten::add.Tensor`; other libraries are written out. */
  operator(name: string): number {
    let operator = this.#operators.get(name);
    if (operator === undefined) {
      const [, library = "aten", base, overload] = /^(?:(\w+)::)?(\w+)(?:\.(\w+))?$/.exec(name) ?? [];
      operator = this.addon.op(`${library}::${base}`, overload);
      this.#operators.set(name, operator);
    }
    return operator;
  }

  /** The element type in which a tfjs dtype is stored here. */
  storage(dtype: tf.DataType): ScalarType {
    return storageOf(dtype, this.float);
  }

  /** Values in full precision, row-major: what `float: "float64"` is for. */
  readFloat64(tensor: tf.TensorInfo): Float64Array {
    this.capture?.refuse("reads a tensor's values");
    return new Float64Array(this.addon.read(this.handle(tensor), ScalarType.float64));
  }

  /** tfjs: stores values under a new data id, with one reference. */
  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): tf.DataId {
    return this.#data.create(this.#stored(values, shape, dtype, 1));
  }

  /** tfjs: stores values of another backend under the data id they have. */
  override move(
    dataId: tf.DataId,
    values: tf.BackendValues,
    shape: number[],
    dtype: tf.DataType,
    refCount: number,
  ): void {
    this.#data.set(dataId, this.#stored(values, shape, dtype, refCount));
  }

  /** tfjs: a copy of the values; waits for the device as `readSync` does. */
  override read(dataId: tf.DataId): Promise<tf.BackendValues> {
    return new Promise((resolve) => {
      resolve(this.readSync(dataId));
    });
  }

  /** tfjs: a copy of the values, row-major; waits for the device. */
  override readSync(dataId: tf.DataId): tf.BackendValues {
    const data = this.#find(dataId);
    if (data.dtype !== "string") this.capture?.refuse("reads a tensor's values");
    switch (data.dtype) {
      case "string":
        return data.strings;
      case "float32":
        return new Float32Array(this.addon.read(data.handle, ScalarType.float32));
      case "int32":
        return new Int32Array(this.addon.read(data.handle, ScalarType.int32));
      case "bool":
        return new Uint8Array(this.addon.read(data.handle, ScalarType.bool));
      case "complex64":
        return new Float32Array(this.addon.read(data.handle, ScalarType.complex64));
    }
  }

  /** A `tf.TensorBuffer` with a copy of the values. */
  bufferSync<R extends tf.Rank, D extends tf.DataType>(tensor: tf.TensorInfo): tf.TensorBuffer<R, D> {
    const values = this.readSync(tensor.dataId);
    const decoded =
      tensor.dtype === "string"
        ? (values as Uint8Array[]).map((bytes) => tf.util.decodeString(bytes))
        : values;
    return tf.buffer(tensor.shape as tf.ShapeMap[R], tensor.dtype as D, decoded as tf.DataTypeMap[D]);
  }

  /** tfjs: gives up one reference, or all by `force`; returns whether the data is gone. */
  override disposeData(dataId: tf.DataId, force = false): boolean {
    const data = this.#data.get(dataId);
    if (data === undefined) return true;
    data.refCount--;
    if (!force && data.refCount > 0) return false;
    this.#data.delete(dataId);
    this.#free(data);
    return true;
  }

  /** tfjs: references to the data; 0 where there is none. */
  override refCount(dataId: tf.DataId): number {
    return this.#data.get(dataId)?.refCount ?? 0;
  }

  /** tfjs: adds a reference. */
  override incRef(dataId: tf.DataId): void {
    this.#find(dataId).refCount++;
  }

  /** tfjs: number of data ids that live here. */
  override numDataIds(): number {
    return this.#data.size;
  }

  /** tfjs: adds torch's counts to `tf.memory()`. */
  override memory(): TorchMemory {
    const { handles, bytes, allocated, peak } = this.addon.memory(this.device);
    const counts = { unreliable: false, torchBytes: bytes, torchHandles: handles };
    return this.device === "cpu" ? counts : { ...counts, deviceBytes: allocated, devicePeakBytes: peak };
  }

  /** tfjs: whether `time` works; it always does. */
  override timerAvailable(): boolean {
    return true;
  }

  /** Wall time of `f` with everything it started on the device. */
  override time(f: () => void): Promise<tf.BackendTimingInfo> {
    this.addon.sync(this.device);
    const start = performance.now();
    f();
    this.addon.sync(this.device);
    return Promise.resolve({ kernelMs: performance.now() - start });
  }

  /** tfjs: bits of a float as tfjs sees it. */
  override floatPrecision(): 32 {
    return 32;
  }

  /** tfjs: frees all tensors. */
  override dispose(): void {
    for (const data of this.#data.clear()) this.#free(data);
  }

  #find(dataId: tf.DataId): TorchData {
    const data = this.#data.get(dataId);
    if (data !== undefined) return data;
    const engine = tf.engine();
    const home = engine.state.tensorInfo.get(dataId)?.backend;
    // Its home without its values: the backend was disposed, or had no memory when the tensor moved here.
    if (home === undefined || home === this) {
      throw mustBe({
        subject: "torch",
        must: "a tensor must be alive",
        got: home === undefined ? "a disposed tensor" : "one whose values went with its backend",
        remedy: "Keep it with tf.keep, or dispose it later.",
      });
    }
    engine.moveData(this, dataId); // calls move()
    return this.#data.get(dataId) as TorchData;
  }

  #stored(values: tf.BackendValues, shape: number[], dtype: tf.DataType, refCount: number): TorchData {
    if (dtype === "string") return { dtype, refCount, strings: values as Uint8Array[] };
    return { dtype, refCount, handle: this.#upload(values, shape, dtype), scalarType: this.storage(dtype) };
  }

  #free(data: TorchData): void {
    if (data.dtype !== "string" && this.capture?.keeps(data.handle) !== true) this.addon.free(data.handle);
  }

  #adopt(handle: Handle, scalarType: number, shape: number[], dtype: tf.DataType | undefined): tf.TensorInfo {
    try {
      const shown = dtypeOf(scalarType);
      const name = (dtype ?? shown) as tf.NumericDataType;
      const stored = this.#storedType(scalarType, shown);
      const own = this.#converted(handle, scalarType, stored);
      const dataId = this.#data.create({ dtype: name, refCount: 1, handle: own, scalarType: stored });
      return { dataId, shape, dtype: name };
    } catch (error) {
      this.addon.free(handle);
      throw error;
    }
  }

  /** The element type in which a result of torch is stored here. */
  #storedType(scalarType: number, dtype: tf.NumericDataType): number {
    // Narrow floats are stored on purpose (mixed precision); wide ones come from torch's own promotions.
    const wide = scalarType === ScalarType.float64 || scalarType === ScalarType.complex128;
    return wide || dtype === "int32" ? this.storage(dtype) : scalarType;
  }

  /** The handle, or in its place one of another element type. */
  #converted(handle: Handle, from: number, to: number): Handle {
    if (from === to) return handle;
    const converted = this.addon.call(this.operator("to.dtype"), handle, to) as Handle;
    this.addon.free(handle);
    return converted;
  }

  #upload(values: tf.BackendValues, shape: number[], dtype: tf.NumericDataType): Handle {
    const typed = typedValues(values, dtype);
    const stored = this.storage(dtype);
    // A copy from the host stops the queue and cannot be captured in a CUDA graph; most small tensors are constants.
    const value = this.device === "cpu" || dtype === "complex64" ? undefined : constantValue(typed);
    if (value !== undefined) {
      const fill = dtype === "bool" ? value !== 0 : value;
      return this.addon.call(this.operator("full"), shape, fill, stored, null, this.device) as Handle;
    }
    this.capture?.refuse("makes a tensor of values on the host");
    return this.addon.from(typed, shape, scalarTypeOf(typed, dtype), this.device, stored);
  }
}

/**
 * The torch backend tfjs computes with now.
 *
 * @throws KatlabError `invalid` when another backend is set
 */
export function currentTorchBackend(subject: string): TorchBackend {
  const { backend, backendName } = tf.engine();
  if (backend instanceof TorchBackend) return backend;
  throw mustBe({
    subject,
    must: "the torch backend must be set",
    got: JSON.stringify(backendName),
    remedy: 'Call await tf.setBackend("torch") first.',
  });
}

function chooseDevice(addon: Addon, wish: string | undefined): string {
  if (wish === "cpu") return "cpu";
  const accelerator = addon.accelerator();
  const count = accelerator?.type === "cuda" ? accelerator.count : 0;
  if (wish === undefined) return count > 0 ? "cuda:0" : "cpu";
  const [, index = wish === "cuda" ? "0" : undefined] = /^cuda(?::(\d+))?$/.exec(wish) ?? [];
  if (index !== undefined && Number(index) < count) return `cuda:${index}`;
  throw unavailable({
    subject: "torch",
    must: `device must be "cpu"${cudaDevices(count)}`,
    got: JSON.stringify(wish),
    remedy: "Leave device out to take the best there is.",
  });
}

function cudaDevices(count: number): string {
  if (count === 0) return ": this torch finds no CUDA device";
  return count === 1 ? ' or "cuda:0"' : ` or "cuda:0" to "cuda:${count - 1}"`;
}

/** Values as the array the bridge copies from; tfjs internals also pass plain arrays. */
function typedValues(
  values: tf.BackendValues | readonly number[],
  dtype: tf.NumericDataType,
): Float32Array | Float64Array | Int32Array | Uint8Array {
  if (values instanceof Float32Array || values instanceof Int32Array || values instanceof Uint8Array)
    return values;
  if (values instanceof Float64Array) return values;
  const numbers = values as readonly number[];
  return dtype === "int32" || dtype === "bool" ? Int32Array.from(numbers) : Float32Array.from(numbers);
}

function scalarTypeOf(
  values: Float32Array | Float64Array | Int32Array | Uint8Array,
  dtype: tf.NumericDataType,
): ScalarType {
  if (dtype === "complex64") return ScalarType.complex64;
  if (values instanceof Float32Array) return ScalarType.float32;
  if (values instanceof Float64Array) return ScalarType.float64;
  return values instanceof Int32Array ? ScalarType.int32 : ScalarType.uint8;
}

function noStrings(): Error {
  return mustBe({
    subject: "torch",
    must: "tensors of this operator must hold numbers",
    got: "dtype string",
    remedy: "Encode the strings as numbers first.",
  });
}
