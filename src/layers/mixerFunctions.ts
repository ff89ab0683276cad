import type { RationalDegrees } from "../bases/rationalForm.js";
import type { RationalPresetName } from "../bases/rationalPreset.js";
import { mustBe } from "../errors.js";
import type { RationalOptions } from "./groupRational.js";

/** One setting for both functions of a mixer, or a pair: the first function's and the second's. */
export type PerFunction<T> = T | readonly [act1: T, act2: T];

/** What can be chosen of rational functions, for both functions of a mixer or for each. */
export type RationalOptionsPerFunction = {
  readonly [Name in keyof RationalOptions]: PerFunction<NonNullable<RationalOptions[Name]>>;
};

/**
 * What the two functions of a mixer are. Every setting is one for both, or a pair `[act1, act2]`. Without the first
 * function, the second learned in form B:
 *
 * ```ts
 * createModel("kat_tiny_patch16_224", { starts: ["identity", "gelu"], fixed: [true, false], form: "B" });
 * ```
 */
export interface MixerFunctionsOptions extends RationalOptionsPerFunction {
  /** What the functions start as. Default `["identity", "silu"]`. */
  readonly starts?: PerFunction<RationalPresetName>;
  /**
   * Whether a function is the true activation named by `starts`, and does not learn; the identity is then none at all, and
   * costs nothing. What else a pair says of a fixed function has no effect. Default false.
   */
  readonly fixed?: PerFunction<boolean>;
}

/** What one function of a mixer is. */
export interface MixerFunction extends RationalOptions {
  readonly start: RationalPresetName;
  readonly fixed: boolean;
}

/** The settings that only rational functions have. */
export const rationalOptionNames = [
  "groups",
  "form",
  "degrees",
  "sharing",
  "uneven",
] as const satisfies readonly (keyof RationalOptions)[];

/**
 * The settings of the first function, and of the second.
 *
 * @throws KatlabError `invalid` for a list that is no pair, for `fixed` that is no boolean, and for settings of rational
 *   functions where both are fixed
 */
export function mixerFunctions(options: MixerFunctionsOptions): readonly [MixerFunction, MixerFunction] {
  const { starts = ["identity", "silu"], fixed = false } = options;
  const isFixed = pairOf<boolean>("fixed", fixed);
  if (!isFixed.every((value) => typeof value === "boolean")) {
    throw mustBe({
      subject: "GroupKan",
      must: "fixed must be true or false, or a pair of them",
      got: JSON.stringify(fixed),
      remedy: "Pass for example fixed: [true, false].",
    });
  }
  if (!isFixed.includes(false)) mustHaveNone(options);
  const functionAt = (place: 0 | 1): MixerFunction => ({
    start: pairOf<RationalPresetName>("starts", starts)[place],
    fixed: isFixed[place],
    groups: pairOf("groups", options.groups)[place],
    form: pairOf("form", options.form)[place],
    degrees: pairOf<RationalDegrees | undefined>("degrees", options.degrees)[place],
    sharing: pairOf("sharing", options.sharing)[place],
    uneven: pairOf("uneven", options.uneven)[place],
  });
  return [functionAt(0), functionAt(1)];
}

function pairOf<T>(name: string, value: PerFunction<T>): readonly [T, T] {
  // Degrees [5, 4] are themselves a list: a pair of them is a list of lists.
  const isList = Array.isArray(value) && (name !== "degrees" || value.some((part) => Array.isArray(part)));
  if (!isList) return [value as T, value as T];
  if (value.length === 2) return value as readonly [T, T];
  throw mustBe({
    subject: "GroupKan",
    must: `${name} must be one for both functions, or a pair [act1, act2]`,
    got: JSON.stringify(value),
    remedy: `Leave ${name} out for KAT's own.`,
  });
}

function mustHaveNone(options: MixerFunctionsOptions): void {
  const meaningless = rationalOptionNames.find((name) => options[name] !== undefined);
  if (meaningless === undefined) return;
  throw mustBe({
    subject: "GroupKan",
    must: "fixed activations must be asked for without settings of rational functions",
    got: meaningless,
    remedy: `Leave out ${meaningless} or fixed.`,
  });
}
