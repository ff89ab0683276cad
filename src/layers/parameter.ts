import * as tf from "@tensorflow/tfjs-core";
import { mustHaveEngine } from "../engine.js";
import { mustBe, mustHaveShape } from "../errors.js";
import type { Random } from "../random.js";
import { sizeOf } from "../shape.js";
import type { Initializer } from "./initializer.js";

/** What a parameter is for: recipes treat kinds differently, for example in weight decay. */
export type ParameterKind = "weight" | "bias" | "norm" | "embedding" | "token" | "coefficient";

/** What a parameter is, before it has values. */
export interface ParameterSpec {
  /** What it is for. */
  readonly kind: ParameterKind;
  /** One name per axis, for example `["out", "in"]`. */
  readonly axes: readonly string[];
  /** Length of each axis. */
  readonly shape: readonly number[];
  /** Gives the first values. */
  readonly initializer: Initializer;
}

/**
 * A tensor that training changes, with its name, kind and named axes.
 *
 * Its values are made when `variable` is first used, on the engine then in use, from a random stream of its own:
 * neither the order nor the number of other parameters changes them. Until then it costs nothing, so the largest model
 * can be described on the smallest machine.
 */
export class Parameter {
  /** Dotted path from the model, as timm and PyTorch name it: `"blocks.0.attn.qkv.weight"`. */
  readonly name: string;
  /** What it is for. */
  readonly kind: ParameterKind;
  /** One name per axis, for example `["out", "in"]`. */
  readonly axes: readonly string[];
  /** Length of each axis. */
  readonly shape: readonly number[];
  /** Number of elements. */
  readonly size: number;
  readonly #initializer: Initializer;
  readonly #random: Random;
  #variable: tf.Variable | undefined;
  #disposed = false;

  /** @param random its own stream: the scope's, split by the parameter's name */
  constructor(name: string, spec: ParameterSpec, random: Random) {
    this.name = name;
    this.kind = spec.kind;
    this.axes = spec.axes;
    this.shape = spec.shape;
    this.size = sizeOf(spec.shape);
    this.#initializer = spec.initializer;
    this.#random = random;
  }

  /**
   * The values, float32.
   *
   * @throws KatlabError `invalid` after `dispose`, or before an engine has been chosen
   */
  get variable(): tf.Variable {
    return (this.#variable ??= this.#build());
  }

  /** Whether it has values yet. */
  get isBuilt(): boolean {
    return this.#variable !== undefined;
  }

  /**
   * Checks that `assign` would take these values.
   *
   * @throws KatlabError `shape` for another shape, `invalid` for another dtype than float32
   */
  mustAccept(values: tf.Tensor): void {
    if (!tf.util.arraysEqual(values.shape, [...this.shape])) {
      throw mustHaveShape(this.name, this.#axesWithSizes(), values.shape);
    }
    if (values.dtype !== "float32") {
      throw mustBe({
        subject: this.name,
        must: "values must be float32",
        got: values.dtype,
        remedy: 'Convert them by tf.cast(values, "float32").',
      });
    }
  }

  /**
   * Copies values in; the tensor stays the caller's.
   *
   * @throws KatlabError as `mustAccept`, and `invalid` after `dispose`
   */
  assign(values: tf.Tensor): void {
    this.#mustBeAlive();
    this.mustAccept(values);
    // A clone shares the caller's storage; whoever updates a variable in place first gives it its own.
    const copy = tf.clone(values);
    if (this.#variable === undefined) this.#variable = tf.variable(copy);
    else this.#variable.assign(copy);
    copy.dispose();
  }

  /** Frees the values; using them again is an error. */
  dispose(): void {
    this.#variable?.dispose();
    this.#variable = undefined;
    this.#disposed = true;
  }

  #build(): tf.Variable {
    this.#mustBeAlive();
    mustHaveEngine(this.name);
    const values = tf.tensor(this.#initializer(this.shape, this.#random), [...this.shape], "float32");
    const variable = tf.variable(values);
    values.dispose();
    return variable;
  }

  #mustBeAlive(): void {
    if (!this.#disposed) return;
    throw mustBe({
      subject: this.name,
      must: "a parameter must be alive to be used",
      got: "one of a disposed model",
      remedy: "Create the model again.",
    });
  }

  #axesWithSizes(): string[] {
    return this.axes.map((axis, i) => `${axis} ${this.shape[i]}`);
  }
}
