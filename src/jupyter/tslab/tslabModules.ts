import { createRequire } from "node:module";
import path from "node:path";

/** What is used of tslab's converter: the compiler for one cell after the other. */
export interface TslabConverter {
  close(): void;
}

/** What is used of tslab's executor. */
export interface TslabExecutor {
  /** Resolves to whether the cell ran to its end; faults and the last value go to the console it was given. */
  execute(code: string): Promise<boolean>;
  interrupt(): void;
  complete(code: string, position: number): { start: number; end: number; candidates: string[] };
  inspect(code: string, position: number): object | undefined;
  close(): void;
}

/** The console-like object that tslab's executor reports to. */
export interface TslabConsole {
  /** Receives the value of the last expression itself. */
  log(value: unknown): void;
  /** Receives a thrown value, or a format and `file, line, column, message` of a compiler's fault. */
  error(first: unknown, ...rest: unknown[]): void;
}

/** tslab's modules. They are not its public interface, which is why its version is pinned. */
export interface TslabModules {
  /** Version of tslab's own TypeScript. */
  version: string;
  createConverter(options: { isJS: boolean; isBrowser: boolean }): TslabConverter;
  isCompleteCode(code: string): { completed: boolean; indent?: string };
  createExecutor(
    folder: string,
    converters: { node: TslabConverter; browser: TslabConverter; close(): void },
    console: TslabConsole,
  ): TslabExecutor;
  printQuickInfo(info: object): string;
}

/** Loads tslab's compiler and executor, but not its message server. */
export function loadTslab(): TslabModules {
  const require = createRequire(import.meta.url);
  const dist = path.join(path.dirname(require.resolve("tslab/package.json")), "dist");
  const load = <Name extends keyof TslabModules>(file: string): Pick<TslabModules, Name> =>
    require(path.join(dist, file)) as Pick<TslabModules, Name>;
  const { createConverter, isCompleteCode } = load<"createConverter" | "isCompleteCode">("converter.js");
  const { createExecutor } = load<"createExecutor">("executor.js");
  const { printQuickInfo } = load<"printQuickInfo">("inspect.js");
  // Loaded ahead of the first cell, so that its display functions find the kernel even within that cell.
  require(path.join(dist, "jupyter.js"));
  return { version: tslabCompilerVersion(), createConverter, isCompleteCode, createExecutor, printQuickInfo };
}

/** Version of the compiler that comes with tslab. */
export function tslabCompilerVersion(): string {
  const ours = createRequire(import.meta.url);
  const theirs = createRequire(ours.resolve("tslab/package.json"));
  return (theirs("@tslab/typescript-for-tslab/package.json") as { version: string }).version;
}
