import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { noAugmentation } from "../../src/data/augment/settings.js";
import { completeRecipe } from "../../src/training/completeRecipe.js";
import { type Recipe, recipeSchema } from "../../src/training/recipe.js";
import { type RecipeName, recipes } from "../../src/training/recipes.js";

describe("completeRecipe", () => {
  test("has the texts and defaults that its documentation states", async () => {
    const source = readFileSync(new URL("../../src/training/recipe.ts", import.meta.url), "utf8");
    const page = source.slice(source.indexOf("export interface Recipe {"));
    const documented = new Map(
      [...page.matchAll(/\/\*\*([^/]*?)\*\/\s+readonly (\w+):/g)].map(([, text, name]) => [
        name,
        text.replace(/\s+\*?\s*/g, " ").trim(),
      ]),
    );
    const { shape } = await recipeSchema();
    const recipe = await completeRecipe();
    const { augmentation, ...plain } = recipe;
    expect(augmentation).toEqual(noAugmentation);
    for (const [name, value] of Object.entries(plain)) {
      const { description } = shape[name as keyof Recipe];
      const text = documented.get(name);
      expect(text, name).toContain(`${description}; default `);
      expect(text?.split("; default ")[1], name).toMatch(new RegExp(`^${String(value)}[.,]`));
    }
    expect([...documented.keys()].filter((name) => name !== "recipe")).toEqual(Object.keys(recipe));
  });

  test("every named recipe is complete, says what it is, and is what its source states", async () => {
    for (const [name, { text }] of Object.entries(recipes)) {
      expect(await completeRecipe({ recipe: name as RecipeName })).toHaveProperty("epochs");
      expect(text).toMatch(/\.$/);
    }
    expect(await completeRecipe({ recipe: "small" })).toEqual(await completeRecipe());
    expect(await completeRecipe({ recipe: "kat-imagenet" })).toMatchObject({
      augmentation: {
        ...{ flip: 0.5, erasing: 0.25, mixup: 0.8, cutmix: 1, switchProbability: 0.5 },
        ...{ cropScale: [0.08, 1], cropRatio: [3 / 4, 4 / 3], interpolation: "random", cropPadding: 0 },
        ...{ randAugment: 9, randAugmentStd: 0.5, randAugmentLayers: 2, randAugmentProbability: 0.5 },
        ...{ brightness: 0, contrast: 0, saturation: 0, hue: 0 },
      },
      ...{ epochs: 300, batchSize: 1024, learningRate: 1e-3, warmupEpochs: 5, warmupLearningRate: 1e-5 },
      ...{ finalLearningRate: 0, weightDecay: 0.05, coefficientWeightDecay: 0.05, epsilon: 1e-8 },
      ...{ labelSmoothing: 0.1, clipNorm: null, emaDecay: 0.9999 },
    });
    for (const [name, batchSize] of [["karat-imagenet", 128] as const, ["karat-cifar", 32] as const]) {
      const { learningRate, ...karat } = await completeRecipe({ recipe: name });
      expect(learningRate).toBeCloseTo((5e-4 * batchSize) / 512, 12);
      expect(karat).toMatchObject({
        ...{ epochs: 100, batchSize, epsilon: 1e-6, clipNorm: 1, finalLearningRate: 1e-5 },
        ...{ warmupEpochs: 5, warmupLearningRate: 1e-6, emaDecay: 0.99992 },
        augmentation: {
          ...{ flip: 0.5, cropScale: [0.08, 1], cropRatio: [0.67, 1.5], interpolation: "bicubic" },
          ...{ randAugment: 15, randAugmentStd: 1, randAugmentLayers: 2, mixup: 0.5, cutmix: 0.5 },
          ...{ erasing: 0, brightness: 0 },
        },
      });
    }
  });

  test("takes what differs from a named recipe, but for what is undefined", async () => {
    const recipe = await completeRecipe({
      recipe: "kat-imagenet",
      epochs: 2,
      batchSize: undefined,
    } as object);
    expect(recipe).toMatchObject({ epochs: 2, batchSize: 1024 });
    const plain = await completeRecipe({ recipe: "kat-imagenet", augmentation: { flip: 0.5 } });
    expect(plain.augmentation).toEqual({ ...noAugmentation, flip: 0.5 });
  });

  test("keeps what is given", async () => {
    expect(await completeRecipe({ epochs: 2, clipNorm: null })).toMatchObject({ epochs: 2, clipNorm: null });
  });

  test.each([
    [{ epoch: 3 }, /recipe: must be one of .*; got "epoch"\. Did you mean "epochs"\?/],
    [{ recipe: "kat-imagnet" }, /recipe: must be one of small.*Did you mean "kat-imagenet"\?/],
    [{ augmentation: { flip: 2 } }, /recipe: augmentation\.flip: .*<=1; got 2\./],
    [{ augmentation: { flop: 0.5 } }, /recipe: augmentation: Unrecognized key: "flop"/],
    [{ batchSize: 10, accumulate: 3 }, /batchSize \(10\) must be a multiple of accumulate \(3\)/],
    [{ epochs: 0 }, /recipe: epochs: expected number to be >=1; got 0\./],
    [{ epochs: 1.5 }, /recipe: epochs: .*int.*; got 1\.5\./],
    [{ learningRate: NaN }, /recipe: learningRate: .*number.*; got NaN\./],
    [{ beta1: 1 }, /recipe: beta1: .*<1; got 1\./],
    [{ clipNorm: 0 }, /recipe: clipNorm: .*>0; got 0\./],
    [{ seed: "1" }, /recipe: seed: .*; got 1\./],
  ])("refuses %j", async (settings, message) => {
    await expect(completeRecipe(settings as Partial<Recipe>)).rejects.toThrow(message);
  });
});
