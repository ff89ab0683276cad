import * as tf from "@tensorflow/tfjs-core";
import { unavailable } from "../errors.js";
import type { Handle } from "./addon.js";
import { toTensor } from "./recording.js";
import { mapResult, mustBeResult, nextTensorId, type PerResult, type StepResult } from "./stepResult.js";
import type { CaptureScope, TorchBackend } from "./torchBackend.js";
import { keepHandle, writableHandle } from "./variableStorage.js";

/**
 * One run of a step, recorded as a CUDA graph for inputs of one shape.
 *
 * Replaying copies the inputs into tensors of the graph's own, launches what was recorded, and copies the results out. What
 * else the step reads is held by the graph. A variable that the step assigns is written in place instead, so that the
 * next replay reads what this one wrote.
 */
export class StepGraph<Result extends StepResult> {
  readonly #backend: TorchBackend;
  readonly #graph: number;
  readonly #inputs: readonly Handle[];
  readonly #results: PerResult<Handle>;
  readonly #held: readonly Handle[];
  readonly #variables: ReadonlyMap<tf.Variable, Handle>;
  readonly #written: readonly tf.Variable[];
  readonly #writtenHandles: Int32Array;

  /**
   * Records a step; nothing of it has run afterwards.
   *
   * @param inputs tensors of the shapes and types it will be replayed with
   * @throws KatlabError `unavailable` with the reason when it cannot be recorded, and whatever the step throws; variables are
   *   then as before
   */
  constructor(
    backend: TorchBackend,
    step: (inputs: readonly tf.Tensor[]) => Result,
    inputs: readonly tf.Tensor[],
  ) {
    const { addon, device } = backend;
    this.#backend = backend;
    this.#inputs = inputs.map(
      (input) => addon.call(backend.operator("clone"), backend.handle(input)) as Handle,
    );
    const recording = new Recording(backend);
    const kept: Handle[] = [];
    try {
      // The graph cannot use what torch's allocator has kept for the steps that ran before.
      addon.emptyCache(device);
      addon.captureBegin(device);
      backend.capture = recording;
      const { numTensors } = tf.engine().state;
      this.#results = tf.tidy(() => {
        const own = this.#inputs.map((handle) => toTensor(backend, addon.retain(handle)));
        const result = step(own);
        mustBeResult(result);
        recording.writeInPlace();
        const handles = mapResult<tf.Tensor, Handle>(result, (tensor) => {
          const handle = backend.handle(tensor);
          // What shares storage may share that of a variable, which must have it alone.
          const alone = addon.exclusive(handle);
          kept.push(alone ? addon.retain(handle) : (addon.call(backend.operator("clone"), handle) as Handle));
          return kept[kept.length - 1];
        });
        return handles as PerResult<Handle> & tf.TensorContainer;
      });
      // Their memory is the graph's, which the next replay writes.
      if (tf.engine().state.numTensors > numTensors) recording.refuse("keeps tensors");
      this.#graph = addon.captureEnd();
    } catch (error) {
      addon.captureAbort();
      backend.capture = undefined;
      recording.restore();
      for (const handle of [...this.#inputs, ...kept, ...recording.orphans]) addon.free(handle);
      throw notRecorded(error);
    }
    backend.capture = undefined;
    recording.restore();
    this.#held = recording.hold();
    this.#variables = recording.variables();
    this.#written = recording.written();
    this.#writtenHandles = Int32Array.from(this.#written, (variable) => backend.handle(variable));
  }

  /**
   * A variable that the graph can no longer stand for: it has other storage than when the step was recorded, as after
   * `assign`, or a view shares what would be written; undefined if none.
   */
  replaced(): tf.Variable | undefined {
    const backend = this.#backend;
    for (const [variable, handle] of this.#variables) {
      if (variable.isDisposed || backend.handle(variable) !== handle) return variable;
    }
    for (const variable of this.#written) keepHandle(backend, variable);
    if (backend.addon.exclusive(this.#writtenHandles)) return undefined;
    return this.#written.find((variable) => !backend.addon.exclusive(backend.handle(variable)));
  }

  /** Runs the step; the results are the caller's. */
  replay(inputs: readonly tf.Tensor[]): Result {
    const backend = this.#backend;
    const { addon } = backend;
    if (inputs.length > 0) {
      const given = inputs.map((input) => backend.handle(input));
      addon.callVoid(backend.operator("_foreach_copy_"), this.#inputs, given);
    }
    addon.replayGraph(this.#graph);
    const clone = backend.operator("clone");
    return mapResult(this.#results, (handle) =>
      toTensor(backend, addon.call(clone, handle) as Handle),
    ) as StepResult as Result;
  }

  /** Frees the graph and what it holds. */
  dispose(): void {
    const { addon } = this.#backend;
    addon.freeGraph(this.#graph);
    for (const handle of [...this.#inputs, ...handlesOf(this.#results), ...this.#held]) addon.free(handle);
  }
}

/** What a step reads, frees and assigns while it is recorded. */
class Recording implements CaptureScope {
  readonly #backend: TorchBackend;
  /** Every variable there is, with its handle from before. */
  readonly #before: ReadonlyMap<tf.Variable, Handle>;
  readonly #handlesBefore: ReadonlySet<Handle>;
  readonly #firstOwnId: number;
  readonly #read = new Map<tf.Tensor, Handle>();
  /** Handles from before that the step would have freed; whoever takes them frees them. */
  readonly orphans = new Set<Handle>();
  readonly #written = new Set<tf.Variable>();

  constructor(backend: TorchBackend) {
    this.#backend = backend;
    // What is written in place must be the variable's alone: clones and views keep their values.
    this.#before = new Map(
      registeredVariables()
        .filter(({ dataId, dtype }) => dtype !== "string" && backend.refCount(dataId) > 0)
        .map((variable) => [variable, writableHandle(backend, "compileStep", variable)]),
    );
    this.#handlesBefore = new Set(this.#before.values());
    this.#firstOwnId = nextTensorId();
  }

  read(tensor: tf.TensorInfo, handle: Handle): void {
    // tfjs's tensors are what a step can name; kernels also pass plain descriptions of their own.
    if ("id" in tensor && (tensor as tf.Tensor).id < this.#firstOwnId)
      this.#read.set(tensor as tf.Tensor, handle);
  }

  writes(tensor: tf.TensorInfo): void {
    if (tensor instanceof tf.Variable) this.#written.add(tensor as tf.Variable);
  }

  keeps(handle: Handle): boolean {
    const fromBefore = this.#handlesBefore.has(handle) || [...this.#read.values()].includes(handle);
    if (fromBefore) this.orphans.add(handle);
    return fromBefore;
  }

  refuse(what: string): never {
    throw unavailable({
      subject: "compileStep",
      must: "a captured step must leave the device alone until its end",
      got: `a step that ${what}`,
      remedy: "Pass as inputs what changes from step to step, and read results after it.",
    });
  }

  /** Ends the recording with a copy of every assigned variable's new value into its old storage. */
  writeInPlace(): void {
    const { addon } = this.#backend;
    if (this.#made().length > 0) this.refuse("makes a variable");
    for (const [variable, handle] of this.#before) {
      if (variable.isDisposed) this.refuse("disposes a variable");
      const assigned = this.#backend.handle(variable);
      if (assigned === handle) continue;
      addon.callVoid(this.#backend.operator("copy_"), handle, assigned);
      this.#written.add(variable);
    }
  }

  /** Gives assigned variables the storage they had before, and disposes those that the step made. */
  restore(): void {
    for (const variable of this.#made()) variable.dispose();
    for (const [variable, handle] of this.#before) {
      if (variable.isDisposed || this.#backend.handle(variable) === handle) continue;
      // Another tensor that the step made of the variable, and kept, may own the handle now.
      const own = this.orphans.delete(handle) ? handle : this.#backend.addon.retain(handle);
      const value = toTensor(this.#backend, own);
      variable.assign(value);
      value.dispose();
    }
  }

  /** Handles that keep alive what the graph reads; the caller frees them. */
  hold(): Handle[] {
    const held = [...this.orphans];
    for (const [tensor, handle] of this.#read) {
      if (!(tensor instanceof tf.Variable) && !this.orphans.has(handle)) {
        held.push(this.#backend.addon.retain(handle));
      }
    }
    return held;
  }

  /** The variables that the step reads or writes, with their handles. */
  variables(): Map<tf.Variable, Handle> {
    const used = [...this.#before.keys()].filter(
      (variable) => this.#read.has(variable) || this.#written.has(variable),
    );
    return new Map(used.map((variable) => [variable, this.#backend.handle(variable)]));
  }

  /** The variables that the graph writes. */
  written(): tf.Variable[] {
    return [...this.#written];
  }

  #made(): tf.Variable[] {
    return registeredVariables().filter(
      (variable) => !this.#before.has(variable) && this.#backend.refCount(variable.dataId) > 0,
    );
  }
}

function handlesOf(results: PerResult<Handle>): readonly Handle[] {
  return typeof results === "number" ? [results] : Object.values(results as Record<string, Handle>);
}

function registeredVariables(): tf.Variable[] {
  return Object.values(tf.engine().registeredVariables);
}

/** The reason why a step cannot be recorded, or the step's own error. */
function notRecorded(error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error) || error.code !== "TORCH") return error;
  return unavailable(
    {
      subject: "compileStep",
      must: "a step must be one that CUDA can capture",
      got: error.message.split("\n")[0].replace(/\.$/, ""),
      remedy: "Without a graph it runs as it is.",
    },
    error,
  );
}
