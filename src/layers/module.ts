import * as tf from "@tensorflow/tfjs-core";
import { mustBe, nearestName } from "../errors.js";
import type { RandomSource } from "../ops/uniformNumbers.js";
import type { LayerOutline } from "./outline.js";
import type { Parameter, ParameterKind } from "./parameter.js";
import type { Scope } from "./scope.js";

/** How a forward pass is meant. */
export interface ForwardOptions {
  /** Whether random parts such as drop path act. Default false. */
  readonly training?: boolean;
  /** Where random parts draw from; needed when they act. */
  readonly random?: RandomSource;
  /** Called after every module with what went in and came out. The tensors live only during the call. */
  readonly observe?: (observation: Observation) => void;
}

/** What `observe` sees of one module. */
export interface Observation {
  /** The module that was called. */
  readonly module: Module;
  /** What went in. */
  readonly input: tf.Tensor;
  /** What came out. */
  readonly output: tf.Tensor;
}

/** How `loadWeights` takes values over. */
export interface LoadWeightsSettings {
  /** Whether the names must be exactly the module's. Default true. */
  readonly strict?: boolean;
  /**
   * Parameters of this kind keep their values, and the record has none of them: `"coefficient"` takes all but the learned
   * functions from a model without them. Default: all parameters are loaded.
   */
  readonly keep?: ParameterKind;
}

/** What `loadWeights` did, in names of the module; the last two are empty when `strict`. */
export interface LoadedWeights {
  /** Copied from the record. */
  readonly loaded: readonly string[];
  /** Left as they were, by `keep`. */
  readonly kept: readonly string[];
  /** Names of the module that the record has not. */
  readonly missing: readonly string[];
  /** Names of the record that the module has not. */
  readonly unexpected: readonly string[];
}

/** A differentiable function of one tensor that owns parameters. */
export abstract class Module {
  /** Where it stands in the model: `"blocks.0.attn"`; empty for a whole model. */
  readonly path: string;
  readonly #scope: Scope;

  /** @param scope a place of its own; parameters made there, or below, belong to this module */
  constructor(scope: Scope) {
    this.path = scope.path;
    this.#scope = scope;
  }

  /**
   * The function. Intermediate tensors are disposed; the result is the caller's.
   *
   * @throws KatlabError `shape` for an input that does not fit
   */
  forward(x: tf.Tensor, options: ForwardOptions = {}): tf.Tensor {
    return tf.tidy(() => {
      const output = this.compute(x, options);
      options.observe?.({ module: this, input: x, output });
      return output;
    });
  }

  /** The function, without disposing anything: what a module defines. Call `forward`. */
  protected abstract compute(x: tf.Tensor, options: ForwardOptions): tf.Tensor;

  /**
   * What it does to one input of this shape, without computing: sizes, parameters and costs of its layers.
   *
   * @param input shape without the batch axis
   */
  abstract outline(input: readonly number[]): LayerOutline;

  /** All parameters by their names from this module on: `"qkv.weight"` of `"blocks.0.attn"`. */
  namedParameters(): Map<string, Parameter> {
    const skip = this.path === "" ? 0 : this.path.length + 1;
    return new Map([...this.#scope.parameters].map(([name, parameter]) => [name.slice(skip), parameter]));
  }

  /** All parameters, in the order of `namedParameters`. */
  parameters(): Parameter[] {
    return [...this.#scope.parameters.values()];
  }

  /** The values of all parameters by name; they stay the module's own. */
  weights(): Record<string, tf.Tensor> {
    return Object.fromEntries([...this.namedParameters()].map(([name, { variable }]) => [name, variable]));
  }

  /**
   * Copies values into the parameters; the record stays the caller's.
   *
   * @param weights tensors by name, float32, shapes as PyTorch and timm store them
   * @returns what was loaded and what was not
   * @throws KatlabError `invalid` for names that do not fit, `shape` for a shape that does not; nothing is loaded then
   */
  loadWeights(
    weights: Readonly<Record<string, tf.Tensor>>,
    { strict = true, keep }: LoadWeightsSettings = {},
  ): LoadedWeights {
    const all = [...this.namedParameters()];
    const kept = all.filter(([, { kind }]) => kind === keep).map(([name]) => name);
    const wanted = new Map(all.filter(([, { kind }]) => kind !== keep));
    const missing = [...wanted.keys()].filter((name) => !Object.hasOwn(weights, name));
    const unexpected = Object.keys(weights).filter((name) => !wanted.has(name));
    if (strict && missing.length + unexpected.length > 0) {
      throw namesMustMatch(missing, unexpected, [...wanted.keys()]);
    }
    const pairs = [...wanted].filter(([name]) => Object.hasOwn(weights, name));
    for (const [name, parameter] of pairs) parameter.mustAccept(weights[name]);
    for (const [name, parameter] of pairs) parameter.assign(weights[name]);
    return { loaded: pairs.map(([name]) => name), kept, missing, unexpected };
  }

  /** Frees all parameters; the module cannot be used again. */
  dispose(): void {
    for (const parameter of this.parameters()) parameter.dispose();
  }
}

function namesMustMatch(missing: string[], unexpected: string[], known: readonly string[]): Error {
  const parts = [some("missing", missing), some("unexpected", unexpected)].filter((part) => part !== "");
  const nearest = missing.length > 0 ? undefined : nearestName(unexpected[0], known);
  return mustBe({
    subject: "loadWeights",
    must: "the names must be exactly the module's",
    got: parts.join(" and "),
    remedy:
      nearest === undefined
        ? "Pass the weights of this model, or strict: false to load the names that match."
        : `Did you mean ${JSON.stringify(nearest)}? Pass strict: false to load the names that match.`,
  });
}

/** A few names are enough to see what is wrong. */
function some(what: string, names: readonly string[]): string {
  if (names.length === 0) return "";
  const shown = names.slice(0, 3).map((name) => JSON.stringify(name));
  const rest = names.length - shown.length;
  return `${names.length} ${what} (${shown.join(", ")}${rest > 0 ? `, and ${rest} more` : ""})`;
}
