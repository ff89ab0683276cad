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

/** TypeScript, checked by its LanguageService and emitted for V8's REPL mode. */
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
    const { service } = this.#modules;
    const check = (code: string): void => {
      service.getSemanticDiagnostics(this.#modules.place(code, "mentioned").file);
    };
    check("console.log(1)");
    const warmUp = new WarmUp(this.#modules, names);
    const step = (): void => {
      if (warmUp.step()) this.#warming = setImmediate(step);
    };
    this.#warming = setImmediate(step);
  }

  close(): void {
    clearImmediate(this.#warming);
    this.#modules.service.dispose();
  }
}
