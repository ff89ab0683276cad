import type * as zod from "zod";
import { type AugmentationSettings, augmentationSchema } from "../data/augment/settings.js";

/**
 * How a model is trained: plain data, so that a run can be written down and repeated. Ranges, defaults and these texts are
 * in one place, the schema below; a test keeps this page to it.
 */
export interface Recipe {
  /** Passes over the training images, at least 1; default 5. */
  readonly epochs: number;
  /** Images per optimiser step, at least 1; default 128. An incomplete last batch of an epoch is left out. */
  readonly batchSize: number;
  /**
   * Parts a batch is computed in, one after the other, at least 1; default 1. Their gradients are averaged: the same step
   * in less memory. Must divide batchSize.
   */
  readonly accumulate: number;
  /** Highest learning rate η, per step, above 0; default 0.002. */
  readonly learningRate: number;
  /** Epochs over which the learning rate rises linearly, at least 0, may be a fraction; default 0.5. */
  readonly warmupEpochs: number;
  /** Learning rate that the rise starts from, at least 0; default 0. */
  readonly warmupLearningRate: number;
  /** Learning rate at the end of the cosine, at least 0; default 0. */
  readonly finalLearningRate: number;
  /** Decoupled weight decay λ of matrices, at least 0; default 0.05. Biases, norms, tokens and embeddings have none. */
  readonly weightDecay: number;
  /**
   * Decoupled weight decay of learned functions' coefficients, at least 0; default 0. The released KAT code decays them
   * like matrices, by 0.05, which pulls every learned function towards zero.
   */
  readonly coefficientWeightDecay: number;
  /** Factor on the learning rate of learned functions' coefficients, at least 0; default 1. At 0 they stay as they are. */
  readonly coefficientRate: number;
  /** Decay β₁ of AdamW's running mean of gradients, in [0, 1); default 0.9. */
  readonly beta1: number;
  /** Decay β₂ of AdamW's running mean of squared gradients, in [0, 1); default 0.999. */
  readonly beta2: number;
  /** ε of AdamW, above 0; default 1e-8. */
  readonly epsilon: number;
  /** Share of every target spread evenly over all classes, in [0, 1); default 0.1. */
  readonly labelSmoothing: number;
  /** Gradients whose joint L2 norm is above this are scaled down to it, above 0; default 1. `null` leaves them. */
  readonly clipNorm: number | null;
  /**
   * Decay d of the exponential moving average of the weights, in [0, 1); default null, no average. With one, it is
   * evaluated beside the weights after every epoch, and the model ends with it.
   */
  readonly emaDecay: number | null;
  /**
   * How training images are varied; nothing by default. Mixup and cutmix make soft targets, which labelSmoothing smooths
   * as well.
   */
  readonly augmentation: AugmentationSettings;
  /**
   * The run ends, with the last good weights, when the running mean of the loss exceeds this many times ln(classes), the
   * loss of knowing nothing; at least 1; default 3. `null` ends it for losses that are not finite only.
   */
  readonly divergenceFactor: number | null;
  /** Images per forward pass of an evaluation, at least 1; default 500. */
  readonly evaluationBatchSize: number;
  /** Seed of the order of images, of drop path and of augmentation, a safe integer; default 0. */
  readonly seed: number;
}

/** Settings that differ from those of another recipe. */
export interface RecipeChanges extends Partial<Omit<Recipe, "augmentation">> {
  /** How training images are varied, in place of all that the other recipe says of it; what is left out is off. */
  readonly augmentation?: Partial<AugmentationSettings>;
}

/** Ranges, defaults and texts of all settings. zod takes as long to load as tfjs, so it waits for the first recipe. */
function schemaOf(z: typeof zod) {
  const count = z.int().min(1);
  const share = z.number().min(0).lt(1);
  const notNegative = z.number().min(0);
  const positive = z.number().positive();
  return z.strictObject({
    epochs: count.default(5).describe("Passes over the training images, at least 1"),
    batchSize: count.default(128).describe("Images per optimiser step, at least 1"),
    accumulate: count.default(1).describe("Parts a batch is computed in, one after the other, at least 1"),
    learningRate: positive.default(0.002).describe("Highest learning rate η, per step, above 0"),
    warmupEpochs: notNegative
      .default(0.5)
      .describe("Epochs over which the learning rate rises linearly, at least 0, may be a fraction"),
    warmupLearningRate: notNegative
      .default(0)
      .describe("Learning rate that the rise starts from, at least 0"),
    finalLearningRate: notNegative.default(0).describe("Learning rate at the end of the cosine, at least 0"),
    weightDecay: notNegative.default(0.05).describe("Decoupled weight decay λ of matrices, at least 0"),
    coefficientWeightDecay: notNegative
      .default(0)
      .describe("Decoupled weight decay of learned functions' coefficients, at least 0"),
    coefficientRate: notNegative
      .default(1)
      .describe("Factor on the learning rate of learned functions' coefficients, at least 0"),
    beta1: share.default(0.9).describe("Decay β₁ of AdamW's running mean of gradients, in [0, 1)"),
    beta2: share.default(0.999).describe("Decay β₂ of AdamW's running mean of squared gradients, in [0, 1)"),
    epsilon: positive.default(1e-8).describe("ε of AdamW, above 0"),
    labelSmoothing: share
      .default(0.1)
      .describe("Share of every target spread evenly over all classes, in [0, 1)"),
    clipNorm: positive
      .nullable()
      .default(1)
      .describe("Gradients whose joint L2 norm is above this are scaled down to it, above 0"),
    emaDecay: share
      .nullable()
      .default(null)
      .describe("Decay d of the exponential moving average of the weights, in [0, 1)"),
    augmentation: augmentationSchema(z).prefault({}).describe("How training images are varied"),
    divergenceFactor: z
      .number()
      .min(1)
      .nullable()
      .default(3)
      .describe(
        "The run ends, with the last good weights, when the running mean of the loss exceeds this many times " +
          "ln(classes), the loss of knowing nothing; at least 1",
      ),
    evaluationBatchSize: count.default(500).describe("Images per forward pass of an evaluation, at least 1"),
    seed: z
      .int()
      .default(0)
      .describe("Seed of the order of images, of drop path and of augmentation, a safe integer"),
  });
}

/** @inline */
type RecipeSchema = ReturnType<typeof schemaOf>;

/** The schema of recipes: one object for parsing, for the texts and for a JSON schema of them. */
export async function recipeSchema(): Promise<RecipeSchema> {
  return schemaOf(await import("zod"));
}
