import { tmpdir } from "node:os";
import type { Compilation, Diagnostic } from "../../../src/jupyter/engine.js";
import { TypescriptLanguage } from "../../../src/jupyter/language/typescriptLanguage.js";

/** Cells given to the language one after the other, as if each had run to its end. */
export class Notebook {
  readonly language: TypescriptLanguage;
  #cells = 0;

  constructor(folder: string = tmpdir()) {
    this.language = new TypescriptLanguage(folder);
  }

  /** @param reached how far the cell came when it ran */
  compile(code: string, reached = Infinity): Compilation {
    const id = ++this.#cells;
    const compilation = this.language.compile({ id, count: id, code });
    this.language.accept({ id, reached });
    return compilation;
  }

  /** The code V8 gets; fails when the compiler objects. */
  emit(code: string): string {
    const compilation = this.compile(code);
    if ("diagnostics" in compilation)
      throw new Error(compilation.diagnostics.map(({ message }) => message).join("\n"));
    return compilation.code;
  }

  /** What the compiler objects to. */
  faults(code: string): readonly Diagnostic[] {
    const compilation = this.compile(code);
    return "diagnostics" in compilation ? compilation.diagnostics : [];
  }
}
