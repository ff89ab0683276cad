import { join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { read, root } from "./repository.js";

const entries = {
  katlab: "src/index.ts",
  "katlab/torch": "src/torch/backend.ts",
  "katlab/keras": "src/layers/keras.ts",
};

const { config } = ts.readConfigFile(join(root, "tsconfig.json"), (path) => ts.sys.readFile(path)) as {
  config: { compilerOptions: object };
};
const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
const program = ts.createProgram(
  Object.values(entries).map((file) => join(root, file)),
  options,
);
const checker = program.getTypeChecker();

/** Names that an entry exports, types marked. */
function exportsOf(file: string): string[] {
  const source = program.getSourceFile(join(root, file));
  const module = source && checker.getSymbolAtLocation(source);
  if (module === undefined) throw new Error(`${file} exports nothing`);
  return checker
    .getExportsOfModule(module)
    .map((symbol) => {
      const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      return target.flags & ts.SymbolFlags.Value ? symbol.name : `type ${symbol.name}`;
    })
    .sort();
}

test.each(Object.entries(entries))("%s exports what publicFace.txt lists", async (name, file) => {
  const list = exportsOf(file).join("\n");
  await expect(`${list}\n`).toMatchFileSnapshot(`publicFace/${name.replace("/", ".")}.txt`);
});

describe("src/index.ts", () => {
  test("is a table of contents: named re-exports and nothing else", () => {
    const source = ts.createSourceFile("index.ts", read("src/index.ts"), ts.ScriptTarget.ES2022);
    const other = source.statements.filter(
      (statement) =>
        !(ts.isExportDeclaration(statement) && statement.exportClause !== undefined) &&
        !(ts.isImportDeclaration(statement) && statement.importClause === undefined),
    );
    expect(other.map((statement) => statement.getText(source))).toEqual([]);
  });
});
