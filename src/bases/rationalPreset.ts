import { mustBe, unknownOption } from "../errors.js";
import { type ActivationName, activations } from "./activations.js";
import { fitRational, type RationalFit } from "./fitRational.js";
import { denominatorShape, type RationalDegrees, type RationalForm, rationalTerms } from "./rationalForm.js";
import { presetIntervals, rationalPresets, upstreamGelu } from "./rationalPresets.js";

/** Names of the presets: the activation each one starts as, and one that is there for compatibility only. */
export type RationalPresetName = ActivationName | "upstream-gelu";

/** Which function `rationalPreset` looks up. */
export interface RationalPresetOptions {
  /** How the denominator is made. Default `"A"`. */
  form?: RationalForm;
  /** Degrees [m, n] of numerator and denominator. Default [5, 4]. */
  degrees?: RationalDegrees;
}

/** A start for a learnable rational function, and how close it is to its activation. */
export interface RationalPreset extends RationalFit {
  /** The activation that `maxError` and `meanSquaredError` are measured against. */
  readonly activation: ActivationName;
  /** What is wrong with it, where something is. */
  readonly warning?: string;
}

/**
 * The coefficients that make a rational function start as `name`. KAT starts the first function of each block as
 * `"identity"` and the second as `"silu"` (swish).
 *
 * Our own least-squares fits, stored for degrees 5 and 4 with their errors and gain; identity is exact. For other degrees
 * the function is fitted when first asked for (about half a second), on the same interval. Form D has the fits of B.
 * Functions of form N have no pole within ±1000.
 *
 * `"upstream-gelu"` is the preset `gelu` of KAT's released operators, for comparison with them: fitted for form B and
 * evaluated as A, it misses gelu by 1.46 on [−3, 3]; its `warning` says so. Take `"gelu"`.
 *
 * @throws KatlabError `unknown` for a name or form that is not there; `invalid` for `"upstream-gelu"` in another form or
 *   other degrees, for the identity with m = 0, or for degrees that are none
 */
export function rationalPreset(
  name: RationalPresetName,
  { form = "A", degrees = [5, 4] }: RationalPresetOptions = {},
): RationalPreset {
  const [m, n] = degrees;
  const terms = rationalTerms(form, degrees);
  if (name === "upstream-gelu") {
    if (form === "A" && m === 5 && n === 4) return { ...upstreamGelu, form, ...upstreamGeluNote };
    throw mustBe({
      subject: 'rational preset "upstream-gelu"',
      must: "must have form A and degrees [5, 4], as released",
      got: `form ${form} and degrees [${m}, ${n}]`,
      remedy: 'Take "gelu", which has every form and degree.',
    });
  }
  if (!Object.hasOwn(activations, name)) {
    throw unknownOption("rational preset", name, [...Object.keys(activations), "upstream-gelu"]);
  }
  if (m === 5 && n === 4) {
    const stored = rationalPresets[form === "D" ? "B" : form][name];
    return { ...stored, form, activation: name };
  }
  const key = `${name} ${form} ${m}/${n}`;
  const kept = fitted.get(key) ?? {
    ...(name === "identity" ? identity(form, terms) : fittedPreset(name, form, degrees)),
    activation: name,
  };
  fitted.set(key, kept);
  return kept;
}

const upstreamGeluNote: Pick<RationalPreset, "activation" | "warning"> = {
  activation: "gelu",
  warning:
    "Fitted for form B, evaluated as form A: misses gelu by 1.46 on [-3, 3]. Only for comparison with KAT's released operators; take gelu.",
};

const fitted = new Map<string, RationalPreset>();

/** Where presets of form N have no poles. */
export const presetPoleFree: readonly [number, number] = [-1000, 1000];

function fittedPreset(name: ActivationName, form: RationalForm, degrees: RationalDegrees): RationalFit {
  const interval = presetIntervals[name];
  return fitRational(activations[name], { form, degrees, interval, poleFree: presetPoleFree });
}

/** x itself, exactly: Q = 1. */
function identity(
  form: RationalForm,
  [numeratorTerms, denominatorTerms]: readonly [number, number],
): RationalFit {
  if (numeratorTerms < 2) {
    throw mustBe({
      subject: 'rational preset "identity"',
      must: "the numerator's degree must be at least 1",
      got: String(numeratorTerms - 1),
      remedy: "KAT takes degrees [5, 4].",
    });
  }
  const constant = form === "C" ? [1 - denominatorShape("C").floor] : [];
  const zeros = new Array<number>(denominatorTerms - constant.length).fill(0);
  return {
    form,
    numerator: Array.from({ length: numeratorTerms }, (_, i) => (i === 1 ? 1 : 0)),
    denominator: [...constant, ...zeros],
    interval: presetIntervals.identity,
    maxError: 0,
    meanSquaredError: 0,
    gain: 1,
  };
}
