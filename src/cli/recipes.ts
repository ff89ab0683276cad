import { Command } from "commander";

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
      json ? JSON.stringify(recipes, undefined, 2) : table(Object.entries(recipes), ({ text }) => text),
    );
    return;
  }
  const recipe = await completeRecipe({ recipe: name as keyof typeof recipes }); // which checks the name
  if (json) {
    console.log(JSON.stringify(recipe, undefined, 2));
    return;
  }
  const { shape } = await recipeSchema();
  const values = Object.entries(recipe).map(([setting, value]) => [setting, JSON.stringify(value)] as const);
  const width = Math.max(...values.map(([, value]) => value.length));
  const texts: Readonly<Record<string, { readonly description?: string | undefined }>> = shape;
  console.log(
    table(values, (value, setting) => `${value.padEnd(width)}  ${texts[setting].description ?? ""}`),
  );
}

/** A row for each entry, names aligned. */
function table<T>(rows: readonly (readonly [string, T])[], textOf: (row: T, name: string) => string): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, row]) => `${name.padEnd(width)}  ${textOf(row, name)}`).join("\n");
}
