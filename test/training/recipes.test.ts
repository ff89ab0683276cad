import { expect, test } from "vitest";
import { createModel } from "../../src/models/registry.js";
import { completeRecipe } from "../../src/training/completeRecipe.js";
import { recipeDropPath, type RecipeName, recipes } from "../../src/training/recipes.js";

test("every named recipe is valid, and says what it is", async () => {
  for (const [name, { text, settings }] of Object.entries(recipes)) {
    expect(text.length).toBeGreaterThan(20);
    expect(await completeRecipe({ recipe: name as RecipeName })).toMatchObject(settings);
  }
});

test("stochastic depth is the recipe's, by the model's size", () => {
  const of = (recipe: RecipeName, model: string): number => recipeDropPath(recipe, model);
  expect(of("kat-imagenet", "kat_base_patch16_224")).toBe(0.4);
  expect(of("kat-imagenet", "deit_small_patch16_224")).toBe(0.1);
  expect(of("kat-imagenet", "kat_test_patch7_28")).toBe(0);
  expect(of("small", "kat_tiny_patch16_224")).toBe(0);
  expect(() => of("kat-imagnet" as RecipeName, "kat_base_patch16_224")).toThrow(
    /Did you mean "kat-imagenet"/,
  );
  const name = "kat_tiny_patch4_32";
  const model = createModel(name, { dropPath: recipeDropPath("cifar", name) });
  expect(model.config.dropPath).toBe(0.1);
});
