import type * as tf from "@tensorflow/tfjs-core";
import {
  type RationalDegrees,
  type RationalForm,
  rationalForms,
  rationalTerms,
} from "../bases/rationalForm.js";
import { type RationalPreset, rationalPreset, type RationalPresetName } from "../bases/rationalPreset.js";
import { mustBe, mustDivide, mustHaveShape, unknownOption } from "../errors.js";
import { groupRational, mostRationalDegree } from "../ops/groupRational.js";
import { numeratorNoise } from "../ops/numeratorNoise.js";
import { sizeOf } from "../shape.js";
import { rows } from "./initializer.js";
import { type ForwardOptions, Module } from "./module.js";
import { composedOutline, type LayerOutline } from "./outline.js";
import type { Parameter } from "./parameter.js";
import type { Scope } from "./scope.js";
import { trainingRandom } from "./trainingRandom.js";

/** Who has coefficients of their own: nobody (all channels share them), each group of channels, or each channel. */
export type Sharing = "shared" | "group" | "channel";

const sharings: readonly Sharing[] = ["shared", "group", "channel"];

/** Who has a P and a Q of their own. */
export interface RationalSharing {
  /** Whose the numerators P are. Default `"shared"`. */
  readonly numerator?: Sharing;
  /** Whose the denominators Q are. Default `"group"`. */
  readonly denominator?: Sharing;
}

/** What can be chosen of a group-rational function, whatever its channels and its start. */
export interface RationalOptions {
  /** Groups of neighbouring channels, ≥ 1; they divide `dim`, unless `uneven`. Default 8, as KAT has it. */
  readonly groups?: number;
  /**
   * How the denominator is made. Default `"A"`, that of KAT's released models. `"D"` is `"B"` whose numerator's
   * coefficients are each off by up to ±10 % in training, drawn anew for every pass.
   */
  readonly form?: RationalForm;
  /** Degrees [m, n] of P and Q, m from 0 and n from 1 to 8. Default [5, 4]. */
  readonly degrees?: RationalDegrees;
  /** Who has a P and a Q of their own. Default all channels share P, and each group has its Q. */
  readonly sharing?: RationalSharing;
  /** Allows groups that do not divide `dim`: their widths then differ by one. Default false. */
  readonly uneven?: boolean;
}

/** Settings of {@link GroupRational}. */
export interface GroupRationalOptions extends RationalOptions {
  /** Channels, the last axis of the input. */
  readonly dim: number;
  /** The activation every channel starts as. */
  readonly start: RationalPresetName;
}

/**
 * Learnable activations, rational functions F = P/Q of groups of channels: `[…, dim]` → `[…, dim]`; see
 * {@link groupRational}. As KAT has it, all channels share P and each group has a Q of its own. Parameters, named as in
 * KAT's checkpoints: `weight_numerator`, `weight_denominator`.
 */
export class GroupRational extends Module {
  /** Channels, the last axis of the input. */
  readonly dim: number;
  /** Groups of neighbouring channels. */
  readonly groups: number;
  /** The activation every channel started as. */
  readonly start: RationalPresetName;
  /** How the denominator is made. */
  readonly form: RationalForm;
  /** Degrees of P and Q. */
  readonly degrees: RationalDegrees;
  /** Whether groups may differ in width by one. */
  readonly uneven: boolean;
  /** Who has a P and a Q of their own. */
  readonly sharing: Required<RationalSharing>;
  /** a₀ … aₘ: `[1, m + 1]` when shared, else `[groups, m + 1]` or `[dim, m + 1]`. */
  readonly numerator: Parameter;
  /** b₁ … bₙ: `[groups, n]`, or `[1, n]` or `[dim, n]`; in form C b₀ … bₙ. */
  readonly denominator: Parameter;

  /**
   * @throws KatlabError `indivisible` when `groups` does not divide `dim`, unless `uneven`; `invalid` for groups or degrees
   *   out of range; `unknown` for another start, form or sharing
   */
  constructor(scope: Scope, options: GroupRationalOptions) {
    super(scope);
    const { dim, groups = 8, start, form = "A", degrees = [5, 4], sharing = {}, uneven = false } = options;
    check({ dim, groups, form, degrees, sharing, uneven });
    this.dim = dim;
    this.groups = groups;
    this.start = start;
    this.form = form;
    this.degrees = degrees;
    this.uneven = uneven;
    this.sharing = { numerator: sharing.numerator ?? "shared", denominator: sharing.denominator ?? "group" };
    const { numerator, denominator } = this.preset;
    this.numerator = this.#table(scope, "numerator", numerator);
    this.denominator = this.#table(scope, "denominator", denominator);
  }

  /** The coefficients every channel started with. */
  get preset(): RationalPreset {
    const { form, degrees } = this;
    return rationalPreset(this.start, { form, degrees });
  }

  /**
   * The first channel of each block of channels with a function of its own: one block if all is shared, `groups`, or `dim`.
   */
  get blocks(): readonly number[] {
    const count = Math.max(this.numerator.shape[0], this.denominator.shape[0]);
    return Array.from({ length: count }, (_, block) => Math.ceil((block * this.dim) / count));
  }

  protected override compute(x: tf.Tensor, options: ForwardOptions): tf.Tensor {
    return this.computeBy(x, this.numerator.variable, this.denominator.variable, options);
  }

  /**
   * The function by other tables than its own, of the same shapes.
   *
   * @internal
   */
  computeBy(x: tf.Tensor, numerator: tf.Tensor, denominator: tf.Tensor, options: ForwardOptions): tf.Tensor {
    const { form, uneven } = this;
    const noisy = form === "D" && options.training === true;
    const a = noisy
      ? numeratorNoise(numerator, trainingRandom(this.path || "GroupRational", "form D", options))
      : numerator;
    return groupRational(x, a as tf.Tensor2D, denominator as tf.Tensor2D, {
      form: form === "D" ? "B" : form,
      uneven,
    });
  }

  override outline(input: readonly number[]): LayerOutline {
    if (input.at(-1) !== this.dim) throw mustHaveShape(this.path, ["…", this.dim], input);
    const [m, n] = this.degrees;
    return composedOutline({
      path: this.path,
      layer: ["GroupRational", ...this.#peculiarities()].join(", "),
      output: input,
      parameters: this.numerator.size + this.denominator.size,
      multiplyAdds: (2 * m + 2 * n + 3) * sizeOf(input),
      layers: [],
    });
  }

  #table(scope: Scope, name: "numerator" | "denominator", row: readonly number[]): Parameter {
    const sharing = this.sharing[name];
    if (!sharings.includes(sharing)) {
      throw unknownOption(`GroupRational: sharing of the ${name}`, sharing, sharings);
    }
    const count = { shared: 1, group: this.groups, channel: this.dim }[sharing];
    return scope.parameter(`weight_${name}`, {
      kind: "coefficient",
      axes: [sharing, "power"],
      shape: [count, row.length],
      initializer: rows(row),
    });
  }

  /** Where it differs from KAT's, in words. */
  #peculiarities(): string[] {
    const [m, n] = this.degrees;
    const { numerator, denominator } = this.sharing;
    const grouped = numerator === "group" || denominator === "group";
    return [
      ...(!grouped || this.groups === 8 ? [] : [`${this.groups} group${this.groups === 1 ? "" : "s"}`]),
      ...(this.form === "A" ? [] : [`form ${this.form}`]),
      ...(m === 5 && n === 4 ? [] : [`degrees ${m}/${n}`]),
      ...(numerator === "shared" ? [] : [`P per ${numerator}`]),
      ...(denominator === "group" ? [] : [denominator === "shared" ? "Q shared" : `Q per ${denominator}`]),
    ];
  }
}

function check({
  dim,
  groups,
  form,
  degrees,
  sharing,
  uneven,
}: {
  readonly dim: number;
  readonly groups: number;
  readonly form: RationalForm;
  readonly degrees: RationalDegrees;
  readonly sharing: RationalSharing;
  readonly uneven: boolean;
}): void {
  if (!rationalForms.includes(form)) throw unknownOption("GroupRational: form", form, rationalForms);
  if (!(Number.isInteger(groups) && groups >= 1 && groups <= dim)) {
    throw mustBe({
      subject: "GroupRational",
      must: `groups must be a whole number from 1 to dim (${dim})`,
      got: String(groups),
      remedy: "KAT takes 8.",
    });
  }
  if (dim % groups !== 0 && !uneven) {
    throw mustDivide(
      "GroupRational",
      { name: "dim", value: dim },
      { name: "groups", value: groups },
      "Choose groups that divide dim, or pass uneven: true for widths that differ by one.",
    );
  }
  const parts = ["numerator", "denominator"];
  const stranger = Object.keys(sharing).find((name) => !parts.includes(name));
  if (stranger !== undefined) throw unknownOption("GroupRational: sharing", stranger, parts);
  const given: unknown = degrees;
  if (!(Array.isArray(given) && given.length === 2)) {
    throw mustBe({
      subject: "GroupRational",
      must: "degrees must be a pair [m, n]",
      got: JSON.stringify(given),
      remedy: "KAT takes [5, 4].",
    });
  }
  rationalTerms(form, degrees);
  const [m, n] = degrees;
  if (n < 1 || Math.max(m, n) > mostRationalDegree) {
    throw mustBe({
      subject: "GroupRational",
      must: `degrees must be at most ${mostRationalDegree}, and that of the denominator at least 1`,
      got: `[${m}, ${n}]`,
      remedy: "KAT takes [5, 4].",
    });
  }
}
