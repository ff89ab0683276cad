import type * as tf from "@tensorflow/tfjs-core";
import type { Handle } from "./addon.js";
import { recorded, toTensor } from "./recording.js";
import type { TorchBackend } from "./torchBackend.js";
import { withValues } from "./withValues.js";

/**
 * Stand-ins of variables as the leaves of a graph that outlives the function it records: on the storage of the variables,
 * which are themselves as before afterwards. An optimizer that then writes a variable copies it first, for its storage
 * is shared, so the graph keeps the values it was recorded at.
 */
export class Leaves {
  /** One per variable. */
  readonly handles: readonly Handle[];
  readonly #backend: TorchBackend;
  readonly #variables: readonly tf.Variable[];

  /** The caller ends it by `dispose`. */
  constructor(backend: TorchBackend, variables: readonly tf.Variable[]) {
    this.#backend = backend;
    this.#variables = variables;
    this.handles = variables.map((variable) => backend.addon.detach(backend.handle(variable)));
    for (const handle of this.handles) backend.addon.requiresGrad(handle, true);
  }

  /** Runs `f` with the leaves behind the variables while torch autograd records. */
  record<Result extends tf.TensorContainer>(f: () => Result): Result {
    const { addon } = this.#backend;
    const values = this.handles.map((handle) => toTensor(this.#backend, addon.retain(handle)));
    try {
      return withValues(this.#variables, values, () => recorded(this.#backend, f));
    } finally {
      for (const value of values) value.dispose();
    }
  }

  /** Frees them; a graph goes with the last handle that leads into it. */
  dispose(): void {
    for (const handle of this.handles) this.#backend.addon.free(handle);
  }
}
