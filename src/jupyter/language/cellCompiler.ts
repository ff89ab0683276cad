import ts from "typescript";
import type { Cell, Compilation, Diagnostic } from "../engine.js";
import type { CellModules, PlacedCode } from "./cellModules.js";
import type { DeclaredNames } from "./declaredNames.js";
import { CellForm, markValue } from "./cellForm.js";
import { renameGlobals, runtimeName, sourceName } from "./globalNames.js";

/** Faults shown for one cell; more of them rarely help. */
const maxDiagnostics = 10;

/** A compiled cell that has not been accepted yet. */
interface PendingCell {
  text: string;
  declared: DeclaredNames;
  /** For each mark of the emitted code, the names its statement declares. */
  marks: string[][];
}

/** Checks cells, emits them as functions, and keeps count of what later cells may use. */
export class CellCompiler {
  readonly #modules: CellModules;
  readonly #pending = new Map<number, PendingCell>();
  readonly #counts = new Map<number, number>();

  constructor(modules: CellModules) {
    this.#modules = modules;
  }

  compile({ id, count, code }: Cell, { checkTypes = true }: { checkTypes?: boolean } = {}): Compilation {
    const placed = this.#modules.place(code, "mentioned");
    const faults = this.#faults(placed.file, checkTypes);
    if (faults.length > 0) {
      return {
        diagnostics: faults.slice(0, maxDiagnostics).map((fault) => this.#describe(fault, placed, code)),
      };
    }
    const form = new CellForm([...placed.declared.names.keys()].map(runtimeName));
    const emitted = this.#emit(placed.file, form);
    const marks = form.marks.map((names) => names.map(sourceName));
    this.#pending.set(id, { text: this.#modules.currentText, declared: placed.declared, marks });
    this.#counts.set(id, count);
    return { id, count, ...emitted, names: form.assigned };
  }

  accept(id: number, reached: number): void {
    const cell = this.#pending.get(id);
    this.#pending.delete(id);
    if (cell === undefined || reached < 0) return;
    const marked = new Set(cell.marks.flat());
    const fromTheStart = [...cell.declared.names.keys()].filter((name) => !marked.has(name));
    const made = cell.marks.slice(0, reached).flat();
    this.#modules.accept(id, cell.text, cell.declared, [...fromTheStart, ...made]);
  }

  #faults(file: string, checkTypes: boolean): readonly ts.Diagnostic[] {
    const { service } = this.#modules;
    const syntactic = service.getSyntacticDiagnostics(file);
    if (syntactic.length > 0 || !checkTypes) return syntactic;
    return service
      .getSemanticDiagnostics(file)
      .filter(({ category, code }) => category === ts.DiagnosticCategory.Error && !isImplicitAny(code));
  }

  #emit(file: string, form: CellForm): { code: string; sourceMap: string } {
    const program = this.#modules.service.getProgram();
    const source = program?.getSourceFile(file);
    if (program === undefined || source === undefined) throw new Error(`${file} is not part of the program`);
    let code = "";
    let sourceMap = "";
    program.emit(
      source,
      (name, text) => {
        if (name.endsWith(".map")) sourceMap = text;
        else code = text;
      },
      undefined,
      false,
      { before: [renameGlobals(program.getTypeChecker()), markValue], after: [form.transform] },
    );
    return { code: code.replace(/\/\/# sourceMappingURL=.*\s*$/, ""), sourceMap };
  }

  #describe(
    { messageText, start = 0, length = 1, code }: ts.Diagnostic,
    placed: PlacedCode,
    cell: string,
  ): Diagnostic {
    const from = Math.min(Math.max(start - placed.offset, 0), cell.length);
    const before = cell.slice(0, from).split("\n");
    const line = cell.slice(from).split("\n", 1)[0].length;
    return {
      line: before.length,
      column: before[before.length - 1].length + 1,
      length: Math.max(1, Math.min(length, line)),
      message: this.#inCellTerms(ts.flattenDiagnosticMessageText(messageText, "\n")),
      code,
    };
  }

  /** Cells are modules only to the compiler: its messages about modules are put in terms of cells. */
  #inCellTerms(message: string): string {
    return message
      .replace(
        /because it is an import\./g,
        "because it is a constant, function, class or import of an earlier cell.",
      )
      .replace(/import\("[^"]*__cell__"\)\.([\p{ID_Continue}$]+)/gu, "$1 (this cell)")
      .replace(
        /import\("[^"]*__cell_(\d+)__"\)\.([\p{ID_Continue}$]+)/gu,
        (_all, id: string, name: string) => {
          const count = this.#counts.get(Number(id));
          return count === undefined ? name : `${name} (cell ${count})`;
        },
      );
  }
}

/**
 * Whether a fault is only about a missing annotation. A notebook is for trying things: `function f(x)` and
 * packages without types are welcome, while all other strictness stays.
 */
function isImplicitAny(code: number): boolean {
  return implicitAnyCodes.has(code);
}

/** What `noImplicitAny` reports, TypeScript 5.0 to 6.0. */
const implicitAnyCodes: ReadonlySet<number> = new Set([
  7005, 7006, 7008, 7010, 7011, 7013, 7015, 7016, 7017, 7018, 7019, 7020, 7022, 7023, 7024, 7025, 7031, 7032,
  7033, 7034, 7051, 7052, 7053, 7055, 7057,
]);
