import type {
  Cell,
  Compilation,
  Completeness,
  Completion,
  Language,
  MimeBundle,
  Position,
} from "../engine.js";
import { AutoImport } from "./autoImport.js";
import { CellCompiler } from "./cellCompiler.js";
import { CellModules } from "./cellModules.js";
import { cellCompilerOptions } from "./compilerOptions.js";
import { complete } from "./complete.js";
import { readDirectives } from "./directives.js";
import { inspect } from "./inspect.js";
import { isComplete } from "./isComplete.js";
import { WarmUp } from "./warmUp.js";

/** Calls that are checked before a cell has any: more of them make the first cells hardly faster. */
const practisedCalls = 24;
/** Time without a cell after which the next one is not about to come. */
const quietMs = 300;

/** TypeScript, checked by its LanguageService; cells are emitted as functions for `ReplRunner`. */
export class TypescriptLanguage implements Language {
  readonly #modules: CellModules;
  readonly #compiler: CellCompiler;
  readonly #autoImport: AutoImport;
  #checkTypes = true;
  #warming: NodeJS.Immediate | undefined;
  #resting: NodeJS.Timeout | undefined;
  #compiledAt = -Infinity;

  /** @param folder where the notebook is */
  constructor(folder: string) {
    this.#modules = new CellModules(folder, cellCompilerOptions(folder));
    this.#compiler = new CellCompiler(this.#modules);
    this.#autoImport = new AutoImport(this.#modules);
  }

  compile(cell: Cell): Compilation {
    const { code, checkTypes, fault } = readDirectives(cell.code);
    if (fault !== undefined) return { diagnostics: [fault] };
    this.#checkTypes = checkTypes ?? this.#checkTypes;
    this.#compiledAt = performance.now();
    return this.#compiler.compile({ ...cell, code }, { checkTypes: this.#checkTypes });
  }

  accept({ id, reached }: { id: number; reached: number }): void {
    this.#compiler.accept(id, reached);
  }

  complete({ code, position }: Position): Completion {
    return complete(this.#modules, this.#autoImport, { code: readDirectives(code).code, position });
  }

  inspect({ code, position }: Position): MimeBundle | null {
    const known = inspect(this.#modules, { code: readDirectives(code).code, position });
    if (known !== null) return known;
    const statement = this.#autoImport.importOf(wordAt(code, position));
    if (statement === undefined) return null;
    return inspect(this.#modules, { code: statement, position: statement.indexOf("{ ") + 2 });
  }

  isComplete(code: string): Completeness {
    return isComplete(readDirectives(code).code);
  }

  warm(names: readonly string[]): void {
    const check = (code: string): void => {
      this.#modules.service.getSemanticDiagnostics(this.#modules.place(code, "mentioned").file);
    };
    // The standard library and Node's types, which every cell needs.
    check("console.log()");
    const warmUp = new WarmUp(this.#modules, names);
    const practice = this.#practice(names, check);
    const step = (): void => {
      if (warmUp.step()) this.#warming = setImmediate(step);
      // Cells that follow each other practise by themselves, and are not to wait.
      else if (performance.now() - this.#compiledAt < quietMs) this.#resting = setTimeout(step, quietMs);
      else if (practice.next().done !== true) this.#warming = setImmediate(step);
    };
    this.#warming = setImmediate(step);
  }

  /** Steps that cells will take, so that they find V8 to have compiled the compiler. */
  *#practice(modules: readonly string[], check: (code: string) => void): Generator<undefined, void> {
    this.#autoImport.offer(modules);
    for (const { module, name } of this.#autoImport.functions.slice(0, practisedCalls)) {
      yield;
      check(
        `import * as m from ${JSON.stringify(module)}; m.${name}(...([] as unknown as Parameters<typeof m.${name}>))`,
      );
    }
  }

  close(): void {
    clearImmediate(this.#warming);
    clearTimeout(this.#resting);
    this.#modules.service.dispose();
  }
}

function wordAt(code: string, position: number): string {
  const before = /[\p{ID_Continue}$]*$/u.exec(code.slice(0, position))?.[0] ?? "";
  const behind = /^[\p{ID_Continue}$]*/u.exec(code.slice(position))?.[0] ?? "";
  return before + behind;
}
