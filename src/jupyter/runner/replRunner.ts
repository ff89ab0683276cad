import { type Runtime, Session } from "node:inspector";
import { cellUrl } from "../cellNames.js";
import type { CompiledCell, Execution, Runner, RunnerEnvironment } from "../engine.js";
import { Interrupted } from "../interrupted.js";
import { type CellReport, installCellRuntime } from "./cellRuntime.js";
import { ModuleLoader } from "./moduleLoader.js";
import type { StackTraces } from "./stackTraces.js";

/** Objects that V8's inspector holds for us; released with every cell. */
const objectGroup = "cell";

/**
 * Runs cells in V8's REPL mode, through an inspector session of the process with itself. Declarations of all
 * cells share one scope, in which a name may be declared again and is then the same variable.
 */
export class ReplRunner implements Runner {
  readonly #session = new Session();
  readonly #traces: StackTraces;
  readonly #reports = new Map<number, CellReport>();
  #caught: unknown;

  constructor({ folder, contexts, traces, stopFlag, afterImport }: RunnerEnvironment) {
    this.#traces = traces;
    this.#session.connect();
    installCellRuntime({
      contexts,
      loader: new ModuleLoader(folder),
      stopFlag,
      afterImport,
      reportOf: (run) => this.#reports.get(run),
      caught: (thrown) => (this.#caught = thrown),
    });
  }

  execute({ id, count, code, sourceMap }: CompiledCell, done: (execution: Execution) => void): void {
    const report: CellReport = { reached: -1, value: undefined };
    this.#reports.set(id, report);
    this.#traces.register(id, { count, sourceMap });
    const evaluation = {
      expression: `${code}\n;void 0\n//# sourceURL=${cellUrl(id)}`,
      replMode: true,
      awaitPromise: true,
      silent: true,
      objectGroup,
    };
    this.#session.post("Runtime.evaluate", evaluation, (fault, result) => {
      const isAwaited = this.#reports.delete(id);
      const execution = this.#executionOf(report, fault, result as Runtime.EvaluateReturnType | undefined);
      this.#session.post("Runtime.releaseObjectGroup", { objectGroup });
      if (isAwaited) done(execution);
    });
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
    this.#session.disconnect();
  }

  #executionOf(
    report: CellReport,
    fault: Error | null,
    result: Runtime.EvaluateReturnType | undefined,
  ): Execution {
    const { reached, value } = report;
    // The only fault of a well-formed evaluation is its termination by the stop button.
    if (fault !== null || result === undefined) return { kind: "thrown", error: new Interrupted(), reached };
    if (result.exceptionDetails === undefined) return { kind: "value", value, reached: Infinity };
    const { exception } = result.exceptionDetails;
    if (exception === undefined) return { kind: "thrown", error: new Interrupted(), reached };
    return { kind: "thrown", error: this.#thrown(exception), reached };
  }

  /** The thrown value itself; the inspector gives only a description of objects. */
  #thrown({ objectId, unserializableValue, value, type }: Runtime.RemoteObject): unknown {
    if (objectId === undefined) {
      if (unserializableValue === undefined) return value;
      return type === "bigint" ? BigInt(unserializableValue.slice(0, -1)) : Number(unserializableValue);
    }
    this.#session.post("Runtime.callFunctionOn", {
      objectId,
      functionDeclaration: "function () { __cell.caught(this); }",
      silent: true,
    });
    const caught = this.#caught;
    this.#caught = undefined;
    return caught;
  }
}
