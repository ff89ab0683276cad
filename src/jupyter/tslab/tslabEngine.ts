import type { MessagePort } from "node:worker_threads";
import type {
  Cell,
  Compilation,
  CompiledCell,
  Completeness,
  Completion,
  Diagnostic,
  Engine,
  Execution,
  Language,
  MimeBundle,
  Position,
  Runner,
  RunnerEnvironment,
} from "../engine.js";
import { Interrupted } from "../interrupted.js";
import { Peer } from "../peer.js";
import type { StackTraces } from "../runner/stackTraces.js";
import { loadTslab, type TslabExecutor, type TslabModules, tslabCompilerVersion } from "./tslabModules.js";

/**
 * tslab's compiler (TypeScript 5.0) and executor behind this kernel's message server.
 *
 * Both halves are on the main thread, so completion waits for a busy cell. What tslab cannot do stays so: an
 * assignment in a later cell does not reach functions of an earlier one, and a cell that throws loses its names.
 */
export const tslabEngine: Engine = {
  version: tslabCompilerVersion(),

  startLanguage(port: MessagePort): void {
    new Peer(port, tslabOnce());
  },

  createRunner({ traces, afterImport }: RunnerEnvironment): Runner {
    const tslab = tslabOnce();
    tslab.traces = traces;
    afterImport();
    return tslab;
  },
};

let loaded: TslabCells | undefined;

function tslabOnce(): TslabCells {
  return (loaded ??= new TslabCells(loadTslab(), process.cwd()));
}

/** One executor as both halves of an engine. */
class TslabCells implements Language, Runner {
  traces: StackTraces | undefined;
  readonly #tslab: TslabModules;
  readonly #executor: TslabExecutor;
  #value: unknown;
  #thrown: { error: unknown } | undefined;
  #diagnostics: Diagnostic[] = [];
  #done: ((execution: Execution) => void) | undefined;

  constructor(tslab: TslabModules, folder: string) {
    this.#tslab = tslab;
    const node = tslab.createConverter({ isJS: false, isBrowser: false });
    const converters = { node, browser: node, close: () => node.close() };
    this.#executor = tslab.createExecutor(folder, converters, {
      log: (value) => (this.#value = value),
      error: (...report) => this.#noteFault(report),
    });
  }

  /** The executor compiles by itself, when the cell runs. */
  compile({ id, count, code }: Cell): Compilation {
    return { id, count, code, sourceMap: "", names: [] };
  }

  accept(): void {
    // The executor knows which cells have run.
  }

  complete({ code, position }: Position): Completion {
    const { start, end, candidates } = this.#executor.complete(code, position);
    return { start, end, candidates: candidates.map((text) => ({ text, kind: "" })) };
  }

  inspect({ code, position }: Position): MimeBundle | null {
    const info =
      this.#executor.inspect(code, position) ?? this.#executor.inspect(code, Math.max(0, position - 1));
    return info === undefined ? null : { "text/plain": this.#tslab.printQuickInfo(info) };
  }

  isComplete(code: string): Completeness {
    const { completed, indent = "" } = this.#tslab.isCompleteCode(code);
    return completed ? { status: "complete" } : { status: "incomplete", indent };
  }

  warm(): void {
    // tslab has no way to read declarations ahead.
  }

  execute({ code }: CompiledCell, done: (execution: Execution) => void): void {
    this.#value = undefined;
    this.#thrown = undefined;
    this.#diagnostics = [];
    this.#done = done;
    this.#executor.execute(code).then(
      (isOk) =>
        this.#end(done, isOk ? { kind: "value", value: this.#value, reached: Infinity } : this.#failure()),
      (error: unknown) => this.#end(done, { kind: "thrown", error, reached: 0 }),
    );
  }

  interrupt(): number {
    this.#done = undefined;
    this.#executor.interrupt();
    return 0;
  }

  frames(error: Error): string[] {
    return this.traces?.frames(error) ?? [];
  }

  close(): void {
    this.#executor.close();
  }

  #end(done: (execution: Execution) => void, execution: Execution): void {
    if (this.#done === done) done(execution);
  }

  #failure(): Execution {
    if (this.#diagnostics.length > 0) return { kind: "rejected", diagnostics: this.#diagnostics };
    const error = this.#thrown?.error;
    const isTerminated =
      (error as { code?: unknown } | undefined)?.code === "ERR_SCRIPT_EXECUTION_INTERRUPTED";
    return { kind: "thrown", error: isTerminated ? new Interrupted() : error, reached: 0 };
  }

  #noteFault([first, file, line, column, message]: unknown[]): void {
    if (typeof first === "string" && first.startsWith("%s%d:%d")) {
      const where = String(file).trim();
      this.#diagnostics.push({
        line: Number(line),
        column: Number(column),
        length: 1,
        message: where === "" ? String(message) : `${where}: ${String(message)}`,
        code: undefined,
      });
    } else {
      this.#thrown = { error: first };
    }
  }
}
