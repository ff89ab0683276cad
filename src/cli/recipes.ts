import { Command } from "commander";
import { table } from "./table.js";

/** `katlab recipes`: the named recipes, and what each setting of one is. */
export function recipesCommand(): Command {
  return new Command("recipes")
    .description("list the named recipes, or show every setting of one")
    .argument("[name]", "a named recipe")
    .option("--json", "print as JSON")
    .action(show);
}

async function show(name: string | undefined, { json = false }: { json?: boolean }): Promise<void> {
  const [{ recipes }, { completeRecipe }, { recipeSchema }] = await Promise.all([
    import("../training/recipes.js"),
    import("../training/completeRecipe.js"),
    import("../training/recipe.js"),
  ]);
  if (name === undefined) {
    console.log(
      json
        ? JSON.stringify(recipes, undefined, 2)
        : table(Object.entries(recipes).map(([own, { text }]) => [own, text])),
    );
    return;
  }
  const recipe = await completeRecipe({ recipe: name as keyof typeof recipes }); // which checks the name
  if (json) {
    console.log(JSON.stringify(recipe, undefined, 2));
    return;
  }
  const { shape } = await recipeSchema();
  const texts: Readonly<Record<string, { readonly description?: string | undefined }>> = shape;
  const rows = Object.entries(recipe).map(([setting, value]) => [
    setting,
    JSON.stringify(value),
    texts[setting].description ?? "",
  ]);
  console.log(table(rows));
}
