import * as tf from "@tensorflow/tfjs-core";
import { StepGraph } from "./stepGraph.js";
import { mapResult, mustBeResult, nextTensorId, type StepResult } from "./stepResult.js";
import { TorchBackend } from "./torchBackend.js";

/** Settings of `compileStep`. */
export interface CompileOptions {
  /** Calls of one shape that run as they are before one is captured, at least 1. Default 2. */
  readonly warmUp?: number;
  /** Captured shapes at most; inputs of further shapes run as they are. Default 8. */
  readonly shapes?: number;
}

/** How a compiled step has run so far. */
export interface CompiledStepStatus {
  /** Captured shapes. */
  readonly captured: number;
  /** Calls that replayed a graph. */
  readonly replayed: number;
  /** Calls that ran the function itself. */
  readonly eager: number;
  /** Why calls run the function itself although they were to be captured; `null` where none does. */
  readonly reason: string | null;
}

/** A step that runs as one launch where the engine can do that. */
export interface CompiledStep<Inputs extends readonly tf.Tensor[], Result extends StepResult> {
  /** Runs the step; the results are the caller's. */
  (...inputs: Inputs): Result;
  /** How it has run so far. */
  status(): CompiledStepStatus;
  /** Frees what was captured. The step may be called again, and is then captured anew. */
  dispose(): void;
}

/** What happened to the inputs of one shape. */
interface Shape<Result extends StepResult> {
  runs: number;
  captures: number;
  graph?: StepGraph<Result>;
  reason?: string;
}

/** A step whose variables are replaced after every call would be captured every time. */
const mostCaptures = 4;

function assignedOutside({ name }: tf.Variable): string {
  return (
    "compileStep: variables must keep their storage between calls; " +
    `got ${name}, assigned anew or seen through a view after every call. Assign it inside the step, or clone the view.`
  );
}

/** Graphs hold memory that JavaScript does not see; those of a step that was forgotten are freed, too. */
const forgotten = new FinalizationRegistry(freeGraphs);

function freeGraphs(shapes: Map<string, Shape<StepResult>>): void {
  for (const { graph } of shapes.values()) graph?.dispose();
  shapes.clear();
}

/** @see compileStep, which is public */
export function torchCompileStep<Inputs extends readonly tf.Tensor[], Result extends StepResult>(
  step: (...inputs: Inputs) => Result,
  { warmUp = 2, shapes: mostShapes = 8 }: CompileOptions,
): CompiledStep<Inputs, Result> {
  const shapes = new Map<string, Shape<Result>>();
  let [eager, replayed] = [0, 0];
  let reason: string | null = null;

  const run = (inputs: Inputs): Result => {
    eager++;
    const firstOwnId = nextTensorId();
    return tf.tidy(() => {
      const result = step(...inputs);
      mustBeResult(result);
      // An input or a variable stays its owner's.
      const own = (tensor: tf.Tensor): tf.Tensor => (tensor.id < firstOwnId ? tf.clone(tensor) : tensor);
      return mapResult(result, own) as Result & tf.TensorContainer;
    });
  };
  const giveUp = (shape: Shape<Result>, why: string): void => {
    shape.reason = why;
    if (reason === null) console.warn(`katlab: this step runs without a CUDA graph. ${why}`);
    reason = why;
  };
  const graphs = (): StepGraph<Result>[] => [...shapes.values()].flatMap(({ graph }) => graph ?? []);
  const forget = (shape: Shape<Result>): void => {
    shape.graph?.dispose();
    delete shape.graph;
  };
  /** Captures the step, or says why not. */
  const capture = (backend: TorchBackend, shape: Shape<Result>, inputs: Inputs): unknown => {
    if (graphs().length >= mostShapes) {
      return new Error(
        `compileStep: inputs must have at most ${mostShapes} shapes; got one more. Raise shapes.`,
      );
    }
    try {
      shape.captures++;
      shape.graph = new StepGraph<Result>(backend, (own) => step(...(own as unknown as Inputs)), inputs);
      return undefined;
    } catch (error) {
      return error;
    }
  };

  const call = (...inputs: Inputs): Result => {
    const backend = tf.backend();
    // Inside another compiled step its capture takes this one in.
    if (!(backend instanceof TorchBackend) || backend.device === "cpu" || backend.capture !== undefined) {
      return run(inputs);
    }
    const shape = shapeOf(backend, inputs);
    const replaced = shape.graph?.replaced();
    if (replaced !== undefined) {
      forget(shape);
      if (shape.captures >= mostCaptures) giveUp(shape, assignedOutside(replaced));
    }
    if (shape.reason !== undefined || (shape.graph === undefined && shape.runs++ < warmUp))
      return run(inputs);
    const fault = shape.graph === undefined ? capture(backend, shape, inputs) : undefined;
    if (shape.graph === undefined) {
      // An error of the step itself is thrown here, and says nothing about capturing it.
      const result = run(inputs);
      giveUp(shape, fault instanceof Error ? fault.message : String(fault));
      return result;
    }
    replayed++;
    return shape.graph.replay(inputs);
  };
  const shapeOf = (backend: TorchBackend, inputs: Inputs): Shape<Result> => {
    const types = inputs.map(({ dtype, shape }) => `${dtype}[${String(shape)}]`);
    const key = [tf.getBackend(), backend.precision, backend.addon.deterministic(), ...types].join();
    let shape = shapes.get(key);
    if (shape !== undefined) return shape;
    shapes.set(key, (shape = { runs: 0, captures: 0 }));
    const missing = backend.addon.graphsMissing();
    if (missing !== null) giveUp(shape, `${missing}.`);
    return shape;
  };
  forgotten.register(call, shapes);
  return Object.assign(call, {
    status: (): CompiledStepStatus => ({ captured: graphs().length, replayed, eager, reason }),
    dispose: () => {
      freeGraphs(shapes);
    },
  });
}
