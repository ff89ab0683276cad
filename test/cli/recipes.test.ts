import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { runCommandLine } from "../../src/cli/main.js";
import { completeRecipe } from "../../src/training/completeRecipe.js";
import { recipes } from "../../src/training/recipes.js";

const written: string[] = [];
beforeEach(() => {
  vi.spyOn(console, "log").mockImplementation((text) => void written.push(String(text)));
  vi.spyOn(console, "error").mockImplementation((text) => void written.push(String(text)));
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

async function katlab(...args: string[]): Promise<string> {
  written.length = 0;
  await runCommandLine(["node", "katlab", "recipes", ...args]);
  return written.join("\n");
}

test("lists the recipes with their texts", async () => {
  const rows = (await katlab()).split("\n");
  expect(rows).toHaveLength(Object.keys(recipes).length);
  expect(rows[0]).toBe(`small           ${recipes.small.text}`);
  expect(JSON.parse(await katlab("--json"))).toEqual(recipes);
});

test("shows every setting of one: its value and what it is", async () => {
  const rows = (await katlab("kat-imagenet")).split("\n");
  const recipe = await completeRecipe({ recipe: "kat-imagenet" });
  expect(rows.map((row) => row.split(" ")[0])).toEqual(Object.keys(recipe));
  expect(rows[0]).toMatch(/^epochs +300 +Passes over the training images, at least 1$/);
  expect(JSON.parse(await katlab("kat-imagenet", "--json"))).toEqual(recipe);
});

test("refuses another name with the nearest one", async () => {
  expect(await katlab("kat-imagnet")).toContain('Did you mean "kat-imagenet"?');
  expect(process.exitCode).toBe(1);
});
