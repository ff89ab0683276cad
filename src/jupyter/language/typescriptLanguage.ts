import type {
  Cell,
  Compilation,
  Completeness,
  Completion,
  Language,
  MimeBundle,
  Position,
} from "../engine.js";
import { CellCompiler } from "./cellCompiler.js";
import { CellModules } from "./cellModules.js";
import { cellCompilerOptions } from "./compilerOptions.js";
import { complete } from "./complete.js";
import { inspect } from "./inspect.js";
import { isComplete } from "./isComplete.js";
import { WarmUp } from "./warmUp.js";

/** TypeScript, checked by its LanguageService; cells are emitted as functions for `ReplRunner`. */
export class TypescriptLanguage implements Language {
  readonly #modules: CellModules;
  readonly #compiler: CellCompiler;
  #warming: NodeJS.Immediate | undefined;

  /** @param folder where the notebook is */
  constructor(folder: string) {
    this.#modules = new CellModules(folder, cellCompilerOptions(folder));
    this.#compiler = new CellCompiler(this.#modules);
  }

  compile(cell: Cell): Compilation {
    return this.#compiler.compile(cell);
  }

  accept({ id, reached }: { id: number; reached: number }): void {
    this.#compiler.accept(id, reached);
  }

  complete(at: Position): Completion {
    return complete(this.#modules, at);
  }

  inspect(at: Position): MimeBundle | null {
    return inspect(this.#modules, at);
  }

  isComplete(code: string): Completeness {
    return isComplete(code);
  }

  warm(names: readonly string[]): void {
    const check = (code: string): void => {
      this.#modules.service.getSemanticDiagnostics(this.#modules.place(code, "mentioned").file);
    };
    // The standard library and Node's types, which every cell needs.
    check("console.log()");
    const warmUp = new WarmUp(this.#modules, names);
    const step = (): void => {
      if (warmUp.step()) this.#warming = setImmediate(step);
      // What is left, the binding of names, cannot be divided.
      else check(names.map((name) => `import ${JSON.stringify(name)};`).join(" "));
    };
    this.#warming = setImmediate(step);
  }

  close(): void {
    clearImmediate(this.#warming);
    this.#modules.service.dispose();
  }
}
