import type * as tf from "@tensorflow/tfjs-core";
import type { Argument, Handle, Result } from "./addon.js";
import { wideInputs } from "./autocast.js";
import { type KernelCall, runOnCpu } from "./delegate.js";
import type { TorchBackend } from "./torchBackend.js";
import { ScalarType } from "./scalarType.js";

declare const temporary: unique symbol;

/** A tensor made inside a tfjs kernel, freed when the kernel ends unless `keep` makes it a result. */
export type Temp = Handle & {
  /** Only for the type checker: tells temporaries from other handles. */
  readonly [temporary]: true;
};

/** A tensor inside a tfjs kernel: an input, or a temporary. */
export type Operand = tf.TensorInfo | Temp;

/** What operators take inside a tfjs kernel: an `Argument`, with tensors allowed where handles stand. */
export type KernelArgument = Argument | tf.TensorInfo | readonly (Operand | null)[];

/**
 * What a tfjs kernel may ask of torch.
 *
 * Operators are named as PyTorch's schemas: `"add.Tensor"` means `aten::add.Tensor`, other libraries are written
 * out (`"katlab::rational"`). Arguments are positional, keyword-only ones included; `undefined` or nothing takes the
 * schema's default, `null` is None. Outputs that are None are left out of the result.
 */
export interface KernelTorch {
  /** The backend the tfjs kernel runs on. */
  readonly backend: TorchBackend;
  /** Where new tensors go, for example `"cuda:0"`: the `device` argument of `full`, `arange` and the like. */
  readonly device: string;
  /** Runs an operator and keeps its first output until the tfjs kernel ends. */
  call(operator: string, ...args: KernelArgument[]): Temp;
  /** Runs an operator and keeps all its outputs until the tfjs kernel ends. */
  calls(operator: string, ...args: KernelArgument[]): Temp[];
  /** Runs an operator that returns a number or a truth value. Waits for the device. */
  value(operator: string, ...args: KernelArgument[]): number | boolean;
  /** Runs an operator whose first output is a result of the tfjs kernel. */
  result(operator: string, ...args: KernelArgument[]): tf.TensorInfo;
  /** Runs an operator all of whose outputs are results of the tfjs kernel. */
  results(operator: string, ...args: KernelArgument[]): tf.TensorInfo[];
  /** Makes a temporary a result. `dtype`, by default read from torch, is what tfjs shall call it. */
  keep(temp: Temp, dtype?: tf.DataType): tf.TensorInfo;
  /** The input itself as a result: same data, one more reference. */
  share(input: tf.TensorInfo): tf.TensorInfo;
  /** Values from JavaScript as a temporary: bytes as uint8, integers as int32, reals in the backend's float storage. */
  constant(values: Uint8Array | Int32Array | Float64Array, shape: readonly number[]): Temp;
  /** The element type in which this backend stores a tfjs dtype. */
  storage(dtype: tf.DataType): ScalarType;
}

/** Inputs by name, as tfjs's `…Inputs` types list them; optional ones stay optional. */
export type KernelInputs<Inputs> = { readonly [Name in keyof Inputs]: NonNullable<Inputs[Name]> };

/** A tfjs kernel that is not yet registered under a backend's name. */
export interface KernelDefinition {
  /** Its name in tfjs, for example `"Add"`. */
  readonly kernelName: string;
  /** What tfjs calls. */
  readonly kernelFunc: tf.KernelFunc;
}

/** One run of a tfjs kernel: its inputs by name, its attributes, and torch. */
export interface KernelRun<Inputs, Attrs> {
  /** The kernel's inputs by their tfjs names. */
  readonly inputs: KernelInputs<Inputs>;
  /** The kernel's attributes as tfjs passes them. */
  readonly attrs: Attrs;
  /** Calls torch operators. */
  readonly torch: KernelTorch;
}

/**
 * Defines a tfjs kernel by torch operators. Temporaries are freed however it ends.
 *
 * ```ts
 * defineKernel<tf.LeakyReluInputs, tf.LeakyReluAttrs>(tf.LeakyRelu, ({ inputs: { x }, attrs, torch }) =>
 *   torch.result("leaky_relu", x, attrs.alpha),
 * );
 * ```
 *
 * Strings are no torch tensors: with a string among its inputs tfjs's cpu backend computes the tfjs kernel.
 *
 * @param kernelName its name in tfjs
 * @param run computes the result; everything it returns must come from `result`, `results`, `keep` or `share`
 */
export function defineKernel<Inputs, Attrs = object>(
  kernelName: string,
  run: (kernel: KernelRun<Inputs, Attrs>) => tf.TensorInfo | tf.TensorInfo[],
): KernelDefinition {
  const kernelFunc = (call: KernelCall): tf.TensorInfo | tf.TensorInfo[] => {
    const { inputs, attrs, backend } = call;
    if (hasStrings(inputs)) return runOnCpu(kernelName, call);
    const torch = new KernelScope(
      backend,
      backend.autocast === undefined ? undefined : wideInputs(kernelName, inputs),
    );
    try {
      return run({ inputs: inputs as unknown as KernelInputs<Inputs>, attrs: (attrs ?? {}) as Attrs, torch });
    } finally {
      torch.end();
    }
  };
  return { kernelName, kernelFunc: kernelFunc as tf.KernelFunc };
}

function hasStrings(inputs: tf.NamedTensorInfoMap): boolean {
  for (const name in inputs) if (inputs[name]?.dtype === "string") return true;
  return false;
}

/** The temporaries of one run. */
class KernelScope implements KernelTorch {
  readonly backend: TorchBackend;
  /** Inputs that stay float32 inside `autocast`. */
  readonly #wide: "all" | readonly tf.TensorInfo[] | undefined;
  #temporaries: Set<Handle> | undefined;

  constructor(backend: TorchBackend, wide: "all" | readonly tf.TensorInfo[] | undefined) {
    this.backend = backend;
    this.#wide = wide;
  }

  get device(): string {
    return this.backend.device;
  }

  call(operator: string, ...args: KernelArgument[]): Temp {
    return this.#first(this.#run(operator, args)) as Temp;
  }

  calls(operator: string, ...args: KernelArgument[]): Temp[] {
    return handlesOf(this.#run(operator, args)).map((handle) => this.#remember(handle) as Temp);
  }

  value(operator: string, ...args: KernelArgument[]): number | boolean {
    this.backend.capture?.refuse("runs an operator that waits for the device");
    return this.#run(operator, args) as number | boolean;
  }

  result(operator: string, ...args: KernelArgument[]): tf.TensorInfo {
    const result = this.#run(operator, args);
    if (typeof result === "number") return this.backend.tensorFromMeta();
    return this.keep(this.#first(result) as Temp);
  }

  results(operator: string, ...args: KernelArgument[]): tf.TensorInfo[] {
    return this.calls(operator, ...args).map((temp) => this.keep(temp));
  }

  keep(temp: Temp, dtype?: tf.DataType): tf.TensorInfo {
    this.#temporaries?.delete(temp);
    return this.backend.tensorFromHandle(temp, dtype);
  }

  share(input: tf.TensorInfo): tf.TensorInfo {
    this.backend.incRef(input.dataId);
    return { dataId: input.dataId, shape: input.shape, dtype: input.dtype };
  }

  constant(values: Uint8Array | Int32Array | Float64Array, shape: readonly number[]): Temp {
    this.backend.capture?.refuse("runs an operator that copies values from the host");
    const [type, stored] =
      values instanceof Uint8Array
        ? [ScalarType.uint8, ScalarType.uint8]
        : values instanceof Int32Array
          ? [ScalarType.int32, ScalarType.int32]
          : [ScalarType.float64, this.storage("float32")];
    return this.#remember(this.backend.addon.from(values, shape, type, this.device, stored)) as Temp;
  }

  storage(dtype: tf.DataType): ScalarType {
    return this.backend.storage(dtype);
  }

  /** Frees what was not kept. */
  end(): void {
    if (this.#temporaries !== undefined)
      for (const handle of this.#temporaries) this.backend.addon.free(handle);
  }

  #run(operator: string, args: readonly KernelArgument[]): Result {
    const converted = args.map((argument) => this.#convert(argument));
    return this.backend.addon.call(this.backend.operator(operator), ...converted);
  }

  #convert(argument: KernelArgument): Argument {
    if (typeof argument !== "object" || argument === null) return argument;
    if ("dataId" in argument) return this.#handle(argument);
    return argument.map((item) => this.#convert(item)) as Argument;
  }

  #handle(tensor: tf.TensorInfo): Handle {
    const { autocast } = this.backend;
    if (autocast === undefined) return this.backend.handle(tensor);
    const wide = this.#wide === "all" || this.#wide?.includes(tensor) === true;
    return autocast.operand(tensor, wide, (handle) => this.#remember(handle));
  }

  /** The first output; the others are freed at the end. */
  #first(result: Result): Handle {
    const [first, ...others] = handlesOf(result);
    for (const handle of others) this.#remember(handle);
    return this.#remember(first);
  }

  #remember(handle: Handle): Handle {
    (this.#temporaries ??= new Set()).add(handle);
    return handle;
  }
}

/** All handles of a result, None left out. */
function handlesOf(result: Result): Handle[] {
  if (typeof result === "number") return [result];
  return typeof result === "object" && result !== null ? result.flatMap(handlesOf) : [];
}
