import { mustBe, unknownOption } from "../errors.js";
import type { AttentionWeights } from "../layers/attention.js";
import { rationalOptionNames } from "../layers/mixerFunctions.js";
import type { Sides } from "../shape.js";
import type { KatOptions } from "./kat.js";
import type { Pooling } from "./visionTransformer.js";

/** What `createModel` may be asked for; everything has a default by the model's name. */
export interface ModelOptions extends KatOptions {
  /** Classes the head tells apart, ≥ 1. Default 1000; 10 at the test size. */
  readonly classes?: number;
  /** Seed of the first weights, any safe integer. Default 0. */
  readonly seed?: number;
  /** Stochastic depth of the last block, in [0, 1); earlier blocks linearly less. Default 0. */
  readonly dropPath?: number;
  /**
   * Pixels of an image, one size for both sides or `[height, width]`; multiples of those of a patch. Default 224; 28 at the
   * test size.
   */
  readonly imageSize?: Sides;
  /** Pixels of a patch, likewise. Default 16; 7 at the test size. */
  readonly patchSize?: Sides;
  /** Colour channels of the images. Default 3; 1 at the test size. */
  readonly channels?: number;
  /** How the attentions' weights start. Default `"timm"`. */
  readonly attention?: AttentionWeights;
  /** First value of the scales of all residual branches, finite; 1e-4 is usual. Default: no scales. */
  readonly layerScale?: number;
  /** What the head sees: the class token, or, without one, the mean of all patches. Default `"token"`. */
  readonly pooling?: Pooling;
}

const forAll = [
  "classes",
  "seed",
  "dropPath",
  "imageSize",
  "patchSize",
  "channels",
  "attention",
  "layerScale",
  "pooling",
] as const;
const forKat = [...rationalOptionNames, "starts", "weights", "fixed"] as const;

/**
 * Checks the names and whole numbers of options.
 *
 * @throws KatlabError `unknown` for an option the family has not, `invalid` for a count that is not a whole number ≥ 1, and null
 */
export function checkModelOptions(family: "vit" | "kat", options: ModelOptions): void {
  const known: readonly string[] = family === "kat" ? [...forAll, ...forKat] : forAll;
  for (const [name, value] of Object.entries(options) as [string, unknown][]) {
    if (!known.includes(name)) throw unknownOption(`createModel: options of ${family}`, name, known);
    if (value !== null) continue;
    throw mustBe({
      subject: "createModel",
      must: `${name} must have a value`,
      got: "null",
      remedy: `Leave ${name} out for the model's own.`,
    });
  }
  for (const name of ["classes", "channels"] as const) {
    const value = options[name];
    if (value === undefined || (Number.isInteger(value) && value >= 1)) continue;
    throw mustBe({
      subject: "createModel",
      must: `${name} must be a whole number ≥ 1`,
      got: String(value),
      remedy: `Leave ${name} out for the model's own.`,
    });
  }
}

/** Those that only KAT has. */
export function katOptions(options: ModelOptions): KatOptions {
  return Object.fromEntries(
    forKat.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
  );
}
