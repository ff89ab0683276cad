import type * as tf from "@tensorflow/tfjs-core";
import type { Argument, Handle, Result } from "./addon.js";
import type { TorchBackend } from "./torchBackend.js";
import type { ScalarType } from "./scalarType.js";

declare const temporary: unique symbol;

/** A tensor made inside a tfjs kernel, freed when the kernel ends unless `keep` makes it a result. */
export type Temp = Handle & { readonly [temporary]: true };

/** What operators take inside a tfjs kernel: an `Argument`, with tensors allowed where handles stand. */
export type KernelArgument = Argument | tf.TensorInfo | readonly (tf.TensorInfo | Handle | null)[];

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
  /** Runs an operator whose first output is a result of the tfjs kernel. */
  result(operator: string, ...args: KernelArgument[]): tf.TensorInfo;
  /** Runs an operator all of whose outputs are results of the tfjs kernel. */
  results(operator: string, ...args: KernelArgument[]): tf.TensorInfo[];
  /** Makes a temporary a result. `dtype`, by default read from torch, is what tfjs shall call it. */
  keep(temp: Temp, dtype?: tf.DataType): tf.TensorInfo;
  /** The input itself as a result: same data, one more reference. */
  share(input: tf.TensorInfo): tf.TensorInfo;
  /** The element type in which this backend stores a tfjs dtype. */
  storage(dtype: tf.DataType): ScalarType;
}

/** Inputs by name; a name ending in `?` may be missing. */
export type KernelInputs<Names extends string> = {
  readonly [Name in Names as Name extends `${string}?` ? never : Name]: tf.TensorInfo;
} & {
  readonly [Name in Names as Name extends `${infer Optional}?` ? Optional : never]?: tf.TensorInfo;
};

/** A tfjs kernel that is not yet registered under a backend's name. */
export interface KernelDefinition {
  /** Its name in tfjs, for example `"Add"`. */
  readonly kernelName: string;
  /** What tfjs calls. */
  readonly kernelFunc: tf.KernelFunc;
}

/** One run of a tfjs kernel: its inputs by name, its attributes, and torch. */
export interface KernelRun<Names extends string, Attrs> {
  readonly inputs: KernelInputs<Names>;
  readonly attrs: Attrs;
  readonly torch: KernelTorch;
}

/**
 * Defines a tfjs kernel by torch operators. Temporaries are freed however it ends.
 *
 * ```ts
 * defineKernel<"x", { alpha: number }>("LeakyRelu", ({ inputs, attrs, torch }) =>
 *   torch.result("leaky_relu", inputs.x, attrs.alpha),
 * );
 * ```
 *
 * `"bias?"` among the names makes that input optional; `defineKernel<string>` is for tfjs kernels that take any number
 * of inputs (`Concat`).
 *
 * @param kernelName its name in tfjs
 * @param run computes the result; everything it returns must come from `result`, `results`, `keep` or `share`
 */
export function defineKernel<Names extends string, Attrs = object>(
  kernelName: string,
  run: (kernel: KernelRun<Names, Attrs>) => tf.TensorInfo | tf.TensorInfo[],
): KernelDefinition {
  const kernelFunc = ({ inputs, attrs, backend }: KernelCall): tf.TensorInfo | tf.TensorInfo[] => {
    const torch = new KernelScope(backend);
    try {
      return run({ inputs: inputs as KernelInputs<Names>, attrs: (attrs ?? {}) as Attrs, torch });
    } finally {
      torch.end();
    }
  };
  return { kernelName, kernelFunc: kernelFunc as tf.KernelFunc };
}

/** What tfjs passes to a kernel of a backend of this class. */
interface KernelCall {
  readonly inputs: tf.NamedTensorInfoMap;
  readonly attrs?: tf.NamedAttrMap;
  readonly backend: TorchBackend;
}

/** The temporaries of one run. */
class KernelScope implements KernelTorch {
  readonly backend: TorchBackend;
  #temporaries: Handle[] | undefined;

  constructor(backend: TorchBackend) {
    this.backend = backend;
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

  result(operator: string, ...args: KernelArgument[]): tf.TensorInfo {
    const result = this.#run(operator, args);
    if (typeof result === "number") return this.backend.tensorFromMeta();
    return this.keep(this.#first(result) as Temp);
  }

  results(operator: string, ...args: KernelArgument[]): tf.TensorInfo[] {
    return this.calls(operator, ...args).map((temp) => this.keep(temp));
  }

  keep(temp: Temp, dtype?: tf.DataType): tf.TensorInfo {
    this.#temporaries = this.#temporaries?.filter((handle) => handle !== temp);
    return this.backend.tensorFromHandle(temp, dtype);
  }

  share(input: tf.TensorInfo): tf.TensorInfo {
    this.backend.incRef(input.dataId);
    return { dataId: input.dataId, shape: input.shape, dtype: input.dtype };
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
    if ("dataId" in argument) return this.backend.handle(argument);
    return argument.map((item) => this.#convert(item)) as Argument;
  }

  /** The first output; the others are freed at the end. */
  #first(result: Result): Handle {
    const [first, ...others] = handlesOf(result);
    for (const handle of others) this.#remember(handle);
    return this.#remember(first);
  }

  #remember(handle: Handle): Handle {
    (this.#temporaries ??= []).push(handle);
    return handle;
  }
}

/** All handles of a result, None left out. */
function handlesOf(result: Result): Handle[] {
  if (typeof result === "number") return [result];
  return typeof result === "object" && result !== null ? result.flatMap(handlesOf) : [];
}
