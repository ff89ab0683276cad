import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import vm from "node:vm";
import { OwnModules } from "./ownModules.js";

/** `import` as a cell sees it: Node's own, with the notebook's folder as the place to resolve from. */
export class ModuleLoader {
  readonly require: NodeJS.Require;
  readonly meta: { url: string; dirname: string; filename: string; resolve(specifier: string): string };
  /** The user's own files. */
  readonly own = new OwnModules();
  readonly #import: (specifier: string, options?: ImportCallOptions) => Promise<ModuleNamespace>;

  /** @param folder where the notebook is */
  constructor(folder: string) {
    const filename = path.join(folder, "cell.mjs");
    const url = pathToFileURL(filename).href;
    this.require = createRequire(filename);
    this.meta = {
      url,
      dirname: folder,
      filename,
      resolve: (specifier) =>
        /^\.{0,2}\//.test(specifier)
          ? new URL(specifier, url).href
          : pathToFileURL(this.require.resolve(specifier)).href,
    };
    this.#import = importFrom(filename);
  }

  async import(specifier: string, options?: ImportCallOptions): Promise<ModuleNamespace> {
    // TypeScript asks for no attribute where JSON is imported; Node does.
    const isPlainJson = options === undefined && /\.json$/.test(specifier);
    const found = this.own.locate(specifier, this.meta.dirname);
    return this.#import(found, isPlainJson ? { with: { type: "json" } } : options);
  }
}

/** What an import yields. */
export type ModuleNamespace = Record<string, unknown>;

/**
 * A named export. The compiler follows `esModuleInterop`, so CommonJS packages are served the same way: their
 * default is `module.exports`, and its members can be imported by name.
 *
 * @throws SyntaxError when there is no such export, as a static import does
 */
export function exportOf(namespace: ModuleNamespace, name: string, specifier: string): unknown {
  const fallback = namespace["default"];
  if (name === "default") {
    if (isObject(fallback) && fallback["__esModule"] === true && "default" in fallback)
      return fallback["default"];
    return "default" in namespace ? fallback : namespace;
  }
  if (name in namespace) return namespace[name];
  if (isObject(fallback) && name in fallback) return fallback[name];
  throw new SyntaxError(`The module '${specifier}' has no export named '${name}'`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

/** The one way to call Node's `import` on behalf of a file that does not exist. */
function importFrom(
  filename: string,
): (specifier: string, options?: ImportCallOptions) => Promise<ModuleNamespace> {
  const emitWarning = process.emitWarning.bind(process);
  // Node calls the option below experimental, once; that is not the notebook reader's concern.
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (String(warning).includes("USE_MAIN_CONTEXT_DEFAULT_LOADER")) process.emitWarning = emitWarning;
    else Reflect.apply(emitWarning, undefined, [warning, ...rest]);
  };
  const script = new vm.Script("(specifier, options) => import(specifier, options)", {
    filename,
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  return script.runInThisContext() as (
    specifier: string,
    options?: ImportCallOptions,
  ) => Promise<ModuleNamespace>;
}
