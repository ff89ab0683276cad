import type { CellModules } from "./cellModules.js";
import { completionKind } from "./completionKind.js";
import { openBrackets } from "./isComplete.js";

/** A name that a module exports, and its kind as the compiler calls it. */
interface ExportedName {
  module: string;
  name: string;
  kind: string;
}

/** What may be written in place of the text from `start` to the cursor. */
export interface ImportingCandidates {
  start: number;
  candidates: { text: string; kind: string }[];
}

/** Shorter beginnings fit too much. */
const minimalLength = 2;

/**
 * Names of some modules that a cell can use although none has imported them: through the namespace that an earlier
 * cell has given the module, `kl.train` for `tra`, or else together with an import statement.
 */
export class AutoImport {
  readonly #modules: CellModules;
  #names: ExportedName[] = [];

  constructor(modules: CellModules) {
    this.#modules = modules;
  }

  /** Takes up the names of modules; those that are not installed have none. */
  offer(names: readonly string[]): void {
    this.#names = names.flatMap((module) => {
      const code = `import * as module from ${JSON.stringify(module)}; module.`;
      const { file, offset } = this.#modules.place(code, "mentioned");
      const { service } = this.#modules;
      const found = service.getCompletionsAtPosition(file, offset + code.length, { includeSymbol: true });
      if (found?.isMemberCompletion !== true) return [];
      const checker = service.getProgram()?.getTypeChecker();
      return found.entries.map((entry) => ({
        module,
        name: entry.name,
        kind: completionKind(entry, checker),
      }));
    });
  }

  /** The functions among the names. */
  get functions(): readonly ExportedName[] {
    return this.#names.filter(({ kind }) => kind === "function");
  }

  /** Candidates through namespaces, which fit beside those in scope. */
  throughNamespaces(word: string): { text: string; kind: string }[] {
    return this.#fitting(word).flatMap(({ module, name, kind }) => {
      const namespace = this.#modules.namespaceOf(module);
      return namespace === undefined ? [] : [{ text: `${namespace}.${name}`, kind }];
    });
  }

  /** Candidates that begin with an import statement; they take the place of the whole line. */
  withImports(code: string, word: string, position: number): ImportingCandidates | undefined {
    const start = code.lastIndexOf("\n", position - 1) + 1;
    const line = code.slice(start, position - word.length);
    const fitting = this.#fitting(word);
    if (fitting.length === 0 || openBrackets(code.slice(0, start)) > 0) return undefined;
    return {
      start,
      candidates: fitting.map(({ module, name, kind }) => ({
        text: `import { ${name} } from ${JSON.stringify(module)};\n${line}${name}`,
        kind,
      })),
    };
  }

  /** A statement that imports a name; undefined when it is none of those offered. */
  importOf(word: string): string | undefined {
    const found = this.#names.find(({ name }) => name === word);
    return found && `import { ${word} } from ${JSON.stringify(found.module)};`;
  }

  #fitting(word: string): ExportedName[] {
    return word.length < minimalLength ? [] : this.#names.filter(({ name }) => name.startsWith(word));
  }
}
