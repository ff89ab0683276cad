import { Script } from "node:vm";
import { cellUrl } from "../cellNames.js";
import type { CompiledCell, Execution, Runner, RunnerEnvironment } from "../engine.js";
import { type CellReport, installCellRuntime } from "./cellRuntime.js";
import { ModuleLoader } from "./moduleLoader.js";
import type { StackTraces } from "./stackTraces.js";

/**
 * Runs cells as functions that share the variables of one scope, as in a REPL: functions of earlier cells see
 * what later cells assign, and a name that is declared again is the same variable.
 *
 * V8 has a REPL mode of its own, which is not used. It belongs to the inspector, which waits for the promise of
 * every cell; when a cell can never go on, that promise is collected as garbage, and Node 22 and 24 abort.
 */
export class ReplRunner implements Runner {
  readonly #traces: StackTraces;
  readonly #reports = new Map<number, CellReport>();
  readonly #declared = new Set<string>();

  constructor({ folder, contexts, traces, stopFlag, afterImport }: RunnerEnvironment) {
    this.#traces = traces;
    const loader = new ModuleLoader(folder);
    traces.mapOfFile = (url) => loader.own.mapOf(url);
    installCellRuntime({
      contexts,
      loader,
      stopFlag,
      afterImport,
      reportOf: (run) => this.#reports.get(run),
    });
  }

  execute({ id, count, code, sourceMap, names }: CompiledCell, done: (execution: Execution) => void): void {
    const report: CellReport = { reached: -1, value: undefined };
    this.#reports.set(id, report);
    this.#traces.register(id, { count, sourceMap });
    const end = (execution: Execution): void => {
      // An interrupted cell has no report any more.
      if (this.#reports.delete(id)) done(execution);
    };
    const succeed = (): void => end({ kind: "value", value: report.value, reached: Infinity });
    const fail = (error: unknown): void => end({ kind: "thrown", error, reached: report.reached });
    try {
      this.#declare(names);
      const cell = new Script(code, { filename: cellUrl(id) }).runInThisContext() as () => unknown;
      const result = cell();
      if (result instanceof Promise) result.then(succeed, fail);
      else succeed();
    } catch (error) {
      fail(error);
    }
  }

  interrupt(cell: number): number {
    const reached = this.#reports.get(cell)?.reached ?? -1;
    this.#reports.delete(cell);
    return reached;
  }

  frames(error: Error): string[] {
    return this.#traces.frames(error);
  }

  close(): void {
    this.#reports.clear();
  }

  /** Makes variables for names that no cell has had yet; the others keep what they hold until they are assigned. */
  #declare(names: readonly string[]): void {
    const fresh = names.filter((name) => !this.#declared.has(name));
    if (fresh.length === 0) return;
    new Script(`let ${fresh.join(", ")};`).runInThisContext();
    for (const name of fresh) this.#declared.add(name);
  }
}
