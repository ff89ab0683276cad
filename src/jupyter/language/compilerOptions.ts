import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

/**
 * How cells are checked and emitted: strict, modules as Node and bundlers resolve them (`exports` included),
 * the library of the running Node without the DOM, and syntax newer than Node 20 rewritten for it.
 *
 * @param folder where the notebook is
 */
export function cellCompilerOptions(folder: string): ts.CompilerOptions {
  return {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.Preserve,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    moduleDetection: ts.ModuleDetectionKind.Force,
    customConditions: ["node"],
    lib: libraries(),
    types: ["node"],
    typeRoots: typeRoots(folder),
    strict: true,
    skipLibCheck: true,
    allowJs: true,
    resolveJsonModule: true,
    allowImportingTsExtensions: true,
    noUncheckedSideEffectImports: true,
    sourceMap: true,
    inlineSources: true,
  };
}

/** The newest standard library that the running Node has, and what the compiler itself supplies (`using`, decorators). */
function libraries(): string[] {
  const nodeVersion = Number(process.versions.node.split(".")[0]);
  const standard =
    nodeVersion >= 24
      ? ["lib.es2025.d.ts"]
      : nodeVersion >= 22
        ? ["lib.es2024.d.ts", "lib.es2025.collection.d.ts", "lib.es2025.iterator.d.ts"]
        : ["lib.es2023.d.ts"];
  return [...standard, "lib.esnext.disposable.d.ts", "lib.esnext.decorators.d.ts"];
}

/** Node's types come from the notebook's project, or else from this package, so that they are always there. */
function typeRoots(folder: string): string[] {
  const own = path.dirname(fileURLToPath(import.meta.url));
  return [...foldersUpwards(folder), ...foldersUpwards(own)]
    .map((parent) => path.join(parent, "node_modules", "@types"))
    .filter((root) => existsSync(root));
}

function foldersUpwards(folder: string): string[] {
  const parent = path.dirname(folder);
  return parent === folder ? [folder] : [folder, ...foldersUpwards(parent)];
}
