import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { completeRecipe, type Recipe } from "../../src/training/recipe.js";

describe("completeRecipe", () => {
  test("fills in the defaults that the documentation states", async () => {
    const source = readFileSync(new URL("../../src/training/recipe.ts", import.meta.url), "utf8");
    const documented = [...source.matchAll(/default (\d(?:[\d.e-]*\d)?)[^]*?readonly (\w+):/g)];
    const recipe = await completeRecipe();
    expect(documented.map(([, , name]) => name)).toEqual(Object.keys(recipe));
    for (const [, value, name] of documented) expect(recipe[name as keyof Recipe]).toBe(Number(value));
  });

  test("keeps what is given", async () => {
    expect(await completeRecipe({ epochs: 2, clipNorm: null })).toMatchObject({ epochs: 2, clipNorm: null });
  });

  test.each([
    [{ epoch: 3 }, /recipe: must be one of .*; got "epoch"\. Did you mean "epochs"\?/],
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
