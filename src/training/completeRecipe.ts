import { mustBe, mustDivide, unknownOption } from "../errors.js";
import { type Recipe, type RecipeChanges, recipeSchema } from "./recipe.js";
import { type RecipeName, recipes } from "./recipes.js";

/** Settings of a recipe: those of a named one, if any, with what is given in their place. */
export interface RecipeSettings extends RecipeChanges {
  /** Name of the recipe to start from; default `"small"`. */
  readonly recipe?: RecipeName;
}

/**
 * Completes a recipe: by the named one, then by the defaults.
 *
 * @throws KatlabError `unknown` for a name or a setting that does not exist, with the nearest one; `invalid` for a value out
 *   of range
 */
export async function completeRecipe({
  recipe = "small",
  ...settings
}: RecipeSettings = {}): Promise<Recipe> {
  if (!Object.hasOwn(recipes, recipe)) throw unknownOption("recipe", recipe, Object.keys(recipes));
  const schema = await recipeSchema();
  const given: Readonly<Record<string, unknown>> = {
    ...recipes[recipe].settings,
    ...withoutUndefined(settings),
  };
  const result = schema.safeParse(given);
  if (!result.success) {
    const [issue] = result.error.issues;
    if (issue.code === "unrecognized_keys" && issue.path.length === 0) {
      throw unknownOption("recipe", issue.keys[0], ["recipe", ...Object.keys(schema.shape)]);
    }
    const name = issue.path.join(".");
    throw mustBe({
      subject: `recipe: ${name}`,
      must: issue.message.replace(/^(Invalid input|Too small|Too big): /, ""),
      got: String(issue.path.reduce(entryOf, given)),
      remedy: "Leave it out for its default.",
    });
  }
  const { batchSize, accumulate } = result.data;
  if (batchSize % accumulate !== 0)
    throw mustDivide(
      "recipe",
      { name: "batchSize", value: batchSize },
      { name: "accumulate", value: accumulate },
    );
  return result.data;
}

/** A setting given as undefined is one left out: it must not hide the named recipe's. */
function withoutUndefined(settings: RecipeChanges): RecipeChanges {
  const entries: [string, unknown][] = Object.entries(settings);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function entryOf(value: unknown, key: PropertyKey): unknown {
  return (value as Readonly<Record<PropertyKey, unknown>>)[key];
}
