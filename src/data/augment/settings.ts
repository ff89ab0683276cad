import type * as zod from "zod";

/** How training images are varied: plain data, everything off unless it is asked for. */
export interface AugmentationSettings {
  /** Probability that an image is mirrored left to right, in [0, 1]; default 0. */
  readonly flip: number;
  /**
   * Pixels of black around an image, out of which a part of its own size is cut at random, at least 0; default 0.
   * 4 is usual for 32 × 32.
   */
  readonly cropPadding: number;
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
  const alpha = z.number().min(0);
  return z.strictObject({
    flip: probability.default(0).describe("Probability that an image is mirrored left to right, in [0, 1]"),
    cropPadding: z
      .int()
      .min(0)
      .default(0)
      .describe("Pixels of black around an image, out of which a part of its own size is cut, at least 0"),
    erasing: probability
      .default(0)
      .describe("Probability that a random rectangle of an image is replaced by noise, in [0, 1]"),
    mixup: alpha.default(0).describe("α of mixup, at least 0; 0 is no mixup"),
    cutmix: alpha.default(0).describe("α of cutmix, at least 0; 0 is no cutmix"),
    switchProbability: probability
      .default(0.5)
      .describe("Probability that a batch is cut rather than mixed where both are asked for, in [0, 1]"),
  });
}

/** Nothing is varied. */
export const noAugmentation: AugmentationSettings = {
  flip: 0,
  cropPadding: 0,
  erasing: 0,
  mixup: 0,
  cutmix: 0,
  switchProbability: 0.5,
};
