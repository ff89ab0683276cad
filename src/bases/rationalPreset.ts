import { unknownOption } from "../errors.js";
import type { ActivationName } from "./activations.js";
import type { RationalFit } from "./fitRational.js";
import { rationalPresets } from "./rationalPresets.js";

/** Names of the presets: the activation each one starts as. */
export type RationalPresetName = ActivationName;

/**
 * The coefficients that make a rational function start as `name`. KAT starts the first function of each block as
 * `"identity"` and the second as `"silu"` (swish).
 *
 * Our own least-squares fits of form A. (The preset called gelu in KAT's released operators was fitted for another form
 * and misses by 1.46.)
 *
 * @throws KatlabError `unknown` for a name that is not there
 */
export function rationalPreset(name: RationalPresetName): RationalFit {
  if (!Object.hasOwn(rationalPresets, name)) {
    throw unknownOption("rational preset", name, Object.keys(rationalPresets));
  }
  return rationalPresets[name];
}
