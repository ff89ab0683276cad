import { mustBe } from "../errors.js";
import { Random } from "../random.js";
import { Parameter, type ParameterSpec } from "./parameter.js";

/**
 * A place in the tree of modules. It names the parameters made there, seeds each by its name, and remembers them:
 *
 * ```ts
 * scope.child("attn").child("qkv").parameter("weight", spec).name; // "attn.qkv.weight"
 * ```
 */
export class Scope {
  /** Dotted path from the root; empty at the root. */
  readonly path: string;
  readonly #random: Random;
  readonly #parent: Scope | undefined;
  readonly #parameters = new Map<string, Parameter>();

  /**
   * A root. Its places are made by `child`.
   *
   * @param random what the parameters' streams are split from; default seed 0
   */
  constructor(random: Random = new Random(0), place?: { readonly parent: Scope; readonly path: string }) {
    this.path = place?.path ?? "";
    this.#random = random;
    this.#parent = place?.parent;
  }

  /** The place `name` below this one. */
  child(name: string | number): Scope {
    return new Scope(this.#random, { parent: this, path: this.#pathOf(String(name)) });
  }

  /**
   * Makes a parameter at this place.
   *
   * @throws KatlabError `invalid` when the name is taken
   */
  parameter(name: string, spec: ParameterSpec): Parameter {
    const path = this.#pathOf(name);
    const parameter = new Parameter(path, spec, this.#random.split(path));
    this.#remember(parameter);
    return parameter;
  }

  /** A random stream of this place, by name: for what several parameters draw together. Always from its beginning. */
  stream(name: string): Random {
    return this.#random.split(this.#pathOf(name));
  }

  /** Everything made at this place and below, in order, by full name. */
  get parameters(): ReadonlyMap<string, Parameter> {
    return this.#parameters;
  }

  #pathOf(name: string): string {
    return this.path === "" ? name : `${this.path}.${name}`;
  }

  // From the root down, so that a taken name leaves no trace.
  #remember(parameter: Parameter): void {
    if (this.#parent !== undefined) this.#parent.#remember(parameter);
    if (this.#parameters.has(parameter.name)) {
      throw mustBe({
        subject: "Scope",
        must: "each parameter must have a name of its own",
        got: `a second ${JSON.stringify(parameter.name)}`,
        remedy: "Give each module its own child scope.",
      });
    }
    this.#parameters.set(parameter.name, parameter);
  }
}
