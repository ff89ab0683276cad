import { unknownOption } from "../errors.js";
import type { RecipeChanges } from "./recipe.js";

/** A recipe that has a name: what differs from the defaults, where it comes from, and how it departs from there. */
export interface NamedRecipe {
  /** One or two sentences. */
  readonly text: string;
  /** Settings that differ from the defaults. */
  readonly settings: RecipeChanges;
  /** Stochastic depth that its models are made with, by size. Default 0; {@link recipeDropPath} looks it up. */
  readonly dropPath?: Readonly<Partial<Record<ModelSize, number>>>;
}

/** @inline */
type ModelSize = "test" | "tiny" | "small" | "base";

/** Names of the recipes there are. */
export type RecipeName = "small" | "cifar" | "kat-imagenet" | "karat-imagenet" | "karat-cifar";

const karat: RecipeChanges = {
  epochs: 100,
  warmupEpochs: 5,
  warmupLearningRate: 1e-6,
  finalLearningRate: 1e-5,
  coefficientWeightDecay: 0.05,
  epsilon: 1e-6,
  emaDecay: 0.99992,
  augmentation: {
    flip: 0.5,
    cropScale: [0.08, 1],
    cropRatio: [0.67, 1.5],
    interpolation: "bicubic",
    randAugment: 15,
    randAugmentStd: 1,
    mixup: 0.5,
    cutmix: 0.5,
    switchProbability: 0.5,
  },
};

/**
 * The named recipes. What a recipe cannot say is said in its text. Stochastic depth belongs to the model, which is made before
 * it is trained: `createModel(name, { dropPath: recipeDropPath(recipe, name) })`, as `katlab train` does. Precision belongs to
 * the engine: `useEngine({ precision: "bfloat16" })`.
 *
 * Both published recipes are timm's, which sets the learning rate once an epoch and starts the cosine at the first epoch; here
 * it is set every step, and the cosine starts where the warm-up ends. At the end of the warm-up that is 0.07 % of the rate.
 */
export const recipes: Readonly<Record<RecipeName, NamedRecipe>> = {
  small: {
    text: "Small images on a CPU in minutes: the quick start's, all defaults.",
    settings: {},
  },
  cifar: {
    text: "32 × 32 pictures from scratch, KAT or ViT of a few million parameters; this project's own, in the manner of DeiT.",
    dropPath: { tiny: 0.1 },
    settings: {
      epochs: 100,
      learningRate: 1e-3,
      warmupEpochs: 5,
      warmupLearningRate: 1e-6,
      finalLearningRate: 1e-5,
      augmentation: {
        flip: 0.5,
        cropPadding: 4,
        erasing: 0.25,
        mixup: 0.8,
        cutmix: 1,
        switchProbability: 0.5,
      },
    },
  },
  "kat-imagenet": {
    text:
      "KAT on ImageNet-1k at 224² from scratch (Yang and Wang, arXiv 2409.10594, table 11 and scripts). The authors computed in float16; use bfloat16. Coefficients decay as in " +
      "the released code; the paper does not say. RandAugment is rand-m9-mstd0.5-inc1.",
    dropPath: { tiny: 0.1, small: 0.1, base: 0.4 },
    settings: {
      epochs: 300,
      batchSize: 1024,
      learningRate: 1e-3,
      warmupEpochs: 5,
      warmupLearningRate: 1e-5,
      coefficientWeightDecay: 0.05,
      clipNorm: null,
      emaDecay: 0.9999,
      augmentation: {
        flip: 0.5,
        cropScale: [0.08, 1],
        cropRatio: [3 / 4, 4 / 3],
        interpolation: "random",
        randAugment: 9,
        randAugmentStd: 0.5,
        erasing: 0.25,
        mixup: 0.8,
        cutmix: 1,
        switchProbability: 0.5,
      },
    },
  },
  "karat-imagenet": {
    text:
      "KArAt and its ViT twin on ImageNet-1k at 224² (table 5 of the paper): learning rate 5e-4 · batch / 512. Not stated " +
      "there, so off: drop path, random erasing, repeated augmentation. RandAugment is rand-m15-n2-mstd1.0-inc1, of which timm " +
      "takes magnitudes above 10 for 10; the colour jitter of 0.4 stated beside it is off, as timm leaves it out where there " +
      "is RandAugment. Interpolation is DeiT's, bicubic.",
    settings: { ...karat, batchSize: 128, learningRate: 1.25e-4 },
  },
  "karat-cifar": {
    text: "As karat-imagenet, with the batch of 32 images, and its learning rate, that the paper takes for CIFAR.",
    settings: { ...karat, batchSize: 32, learningRate: 3.125e-5 },
  },
};

/**
 * The stochastic depth with which a named recipe makes a model, by the model's size.
 *
 * @param model a model's name, for example `"kat_base_patch16_224"`
 * @throws KatlabError `unknown` for another recipe
 */
export function recipeDropPath(recipe: RecipeName, model: string): number {
  if (!Object.hasOwn(recipes, recipe)) throw unknownOption("recipe", recipe, Object.keys(recipes));
  const size = model.split("_").at(1) as ModelSize;
  return recipes[recipe].dropPath?.[size] ?? 0;
}
