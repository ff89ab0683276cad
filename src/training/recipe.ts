import { mustBe, unknownOption } from "../errors.js";

/** How a model is trained: plain data, so that a run can be written down and repeated. */
export interface Recipe {
  /** Passes over the training images, at least 1; default 5. */
  readonly epochs: number;
  /** Images per optimiser step, at least 1; default 128. An incomplete last batch of an epoch is left out. */
  readonly batchSize: number;
  /** Highest learning rate η, per step, above 0; default 0.002. */
  readonly learningRate: number;
  /** Epochs over which the learning rate rises linearly from 0, at least 0, may be a fraction; default 0.5. */
  readonly warmupEpochs: number;
  /** Learning rate at the end of the cosine, at least 0; default 0. */
  readonly finalLearningRate: number;
  /** Decoupled weight decay λ of matrices, at least 0; default 0.05. Biases, norms, tokens and embeddings have none. */
  readonly weightDecay: number;
  /**
   * Decoupled weight decay of rational coefficients, at least 0; default 0. The released KAT code decays them like
   * matrices, by 0.05, which pulls every learned function towards zero.
   */
  readonly coefficientWeightDecay: number;
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
  /** Images per forward pass of an evaluation, at least 1; default 500. */
  readonly evaluationBatchSize: number;
  /** Seed of the order of images and of drop path, a safe integer; default 0. */
  readonly seed: number;
}

/** Ranges and defaults. zod takes as long to load as tfjs, so it waits for the first recipe. */
async function makeSchema() {
  const z = await import("zod");
  const count = z.int().min(1);
  const decay = z.number().min(0).lt(1);
  return z.strictObject({
    epochs: count.default(5),
    batchSize: count.default(128),
    learningRate: z.number().positive().default(0.002),
    warmupEpochs: z.number().min(0).default(0.5),
    finalLearningRate: z.number().min(0).default(0),
    weightDecay: z.number().min(0).default(0.05),
    coefficientWeightDecay: z.number().min(0).default(0),
    beta1: decay.default(0.9),
    beta2: decay.default(0.999),
    epsilon: z.number().positive().default(1e-8),
    labelSmoothing: decay.default(0.1),
    clipNorm: z.number().positive().nullable().default(1),
    evaluationBatchSize: count.default(500),
    seed: z.int().default(0),
  });
}

/**
 * Completes a recipe by its defaults.
 *
 * @throws KatlabError `unknown` for a setting that does not exist, with the nearest one; `invalid` for a value out of
 *   range
 */
export async function completeRecipe(settings: Partial<Recipe> = {}): Promise<Recipe> {
  const schema = await makeSchema();
  const result = schema.safeParse(settings);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  if (issue.code === "unrecognized_keys") {
    throw unknownOption("recipe", issue.keys[0], Object.keys(schema.shape));
  }
  const name = issue.path.join(".");
  throw mustBe({
    subject: `recipe: ${name}`,
    must: issue.message.replace(/^(Invalid input|Too small|Too big): /, ""),
    got: String(settings[name as keyof Recipe]),
    remedy: "Leave it out for its default.",
  });
}
