import type * as zod from "zod";
import type { InterpolationName } from "./interpolation.js";

/** How training images are varied: plain data, everything off unless it is asked for. */
export interface AugmentationSettings {
  /** Probability that an image is mirrored left to right, in [0, 1]; default 0. */
  readonly flip: number;
  /**
   * Pixels of black around an image, out of which a part of its own size is cut at random, at least 0; default 0.
   * 4 is usual for 32 × 32.
   */
  readonly cropPadding: number;
  /**
   * Share of an image, from least to most, that is cut out at random and resized to the image's size, in (0, 1]; default
   * `null`, the whole image. [0.08, 1] is usual for ImageNet.
   */
  readonly cropScale: readonly [number, number] | null;
  /** Width to height of what is cut out, from least to most, above 0; default [3/4, 4/3]. */
  readonly cropRatio: readonly [number, number];
  /** How resized crops and images moved by RandAugment are interpolated, "random" by one of both each; default "bilinear". */
  readonly interpolation: InterpolationName;
  /** Brightness is multiplied by up to 1 ± this, at least 0; default 0. Of colour jitter, as are the next three. */
  readonly brightness: number;
  /** Contrast is multiplied by up to 1 ± this, at least 0; default 0. */
  readonly contrast: number;
  /** Saturation is multiplied by up to 1 ± this, at least 0; default 0. */
  readonly saturation: number;
  /** Hues are turned by up to ± this, in turns, in [0, 0.5]; default 0. */
  readonly hue: number;
  /**
   * Magnitude of RandAugment, timm's "m" in its increasing variant, at least 0; default `null`, no RandAugment. 9 is usual;
   * operations are at their strongest at 10, and stay so above.
   */
  readonly randAugment: number | null;
  /** Standard deviation of the magnitude, drawn for each operation, at least 0; default 0.5. */
  readonly randAugmentStd: number;
  /** Operations of RandAugment in a row, at least 1; default 2. */
  readonly randAugmentLayers: number;
  /** Probability of each operation of RandAugment, in [0, 1]; default 0.5. */
  readonly randAugmentProbability: number;
  /** Probability that a random rectangle of an image is replaced by noise, in [0, 1]; default 0. */
  readonly erasing: number;
  /** α of mixup: batches are mixed with themselves in reverse by λ ~ Beta(α, α), at least 0; default 0, no mixup. */
  readonly mixup: number;
  /** α of cutmix: a rectangle of share 1 − λ comes from the batch in reverse, at least 0; default 0, no cutmix. */
  readonly cutmix: number;
  /** Probability that a batch is cut rather than mixed where both are asked for, in [0, 1]; default 0.5. */
  readonly switchProbability: number;
}

/** @inline */
type AugmentationSchema = ReturnType<typeof schemaOf>;

/** Ranges, defaults and texts of the settings; a part of a recipe's. */
export function augmentationSchema(z: typeof zod): AugmentationSchema {
  return schemaOf(z);
}

function schemaOf(z: typeof zod) {
  const probability = z.number().min(0).max(1);
  const notNegative = z.number().min(0);
  const range = z
    .tuple([z.number().positive(), z.number().positive()])
    .refine(([least, most]) => least <= most, "must be from least to most");
  return z.strictObject({
    flip: probability.default(0).describe("Probability that an image is mirrored left to right, in [0, 1]"),
    cropPadding: z
      .int()
      .min(0)
      .default(0)
      .describe("Pixels of black around an image, out of which a part of its own size is cut, at least 0"),
    cropScale: range
      .refine(([, most]) => most <= 1, "must be shares of an image, at most 1")
      .nullable()
      .default(null)
      .describe(
        "Share of an image, from least to most, that is cut out and resized to the image's size, in (0, 1]; null is all of it",
      ),
    cropRatio: range
      .default([3 / 4, 4 / 3])
      .describe("Width to height of what is cut out, from least to most, above 0"),
    interpolation: z
      .enum(["bilinear", "bicubic", "random"])
      .default("bilinear")
      .describe(
        'How resized crops and images moved by RandAugment are interpolated, "random" by one of both each',
      ),
    brightness: notNegative.default(0).describe("Brightness is multiplied by up to 1 ± this, at least 0"),
    contrast: notNegative.default(0).describe("Contrast is multiplied by up to 1 ± this, at least 0"),
    saturation: notNegative.default(0).describe("Saturation is multiplied by up to 1 ± this, at least 0"),
    hue: z
      .number()
      .min(0)
      .max(0.5)
      .default(0)
      .describe("Hues are turned by up to ± this, in turns, in [0, 0.5]"),
    randAugment: notNegative
      .nullable()
      .default(null)
      .describe(
        "Magnitude of RandAugment, timm's in its increasing variant, at least 0; null is no RandAugment",
      ),
    randAugmentStd: notNegative
      .default(0.5)
      .describe("Standard deviation of the magnitude, drawn for each operation, at least 0"),
    randAugmentLayers: z.int().min(1).default(2).describe("Operations of RandAugment in a row, at least 1"),
    randAugmentProbability: probability
      .default(0.5)
      .describe("Probability of each operation of RandAugment, in [0, 1]"),
    erasing: probability
      .default(0)
      .describe("Probability that a random rectangle of an image is replaced by noise, in [0, 1]"),
    mixup: notNegative.default(0).describe("α of mixup, at least 0; 0 is no mixup"),
    cutmix: notNegative.default(0).describe("α of cutmix, at least 0; 0 is no cutmix"),
    switchProbability: probability
      .default(0.5)
      .describe("Probability that a batch is cut rather than mixed where both are asked for, in [0, 1]"),
  });
}

/** Nothing is varied. */
export const noAugmentation: AugmentationSettings = {
  flip: 0,
  cropPadding: 0,
  cropScale: null,
  cropRatio: [3 / 4, 4 / 3],
  interpolation: "bilinear",
  brightness: 0,
  contrast: 0,
  saturation: 0,
  hue: 0,
  randAugment: null,
  randAugmentStd: 0.5,
  randAugmentLayers: 2,
  randAugmentProbability: 0.5,
  erasing: 0,
  mixup: 0,
  cutmix: 0,
  switchProbability: 0.5,
};
