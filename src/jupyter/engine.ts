/**
 * What the message server needs from an engine, which turns cells into results. Eight things:
 * `version`, `execute`, `interrupt`, `complete`, `inspect`, `isComplete`, `frames`, `close`.
 *
 * They come in two halves, because they live in different threads. A {@link Language} knows code and may run
 * beside the cells, so that it answers while one is busy. A {@link Runner} runs code on the main thread, where
 * user code belongs. `execute` is therefore three steps: `compile` here, `run` there, `accept` here.
 */

import type { MessagePort } from "node:worker_threads";
import type { CellContexts } from "./runner/cellContexts.js";
import type { StackTraces } from "./runner/stackTraces.js";

/** One execution of one cell. */
export interface Cell {
  /** Unique within a kernel. */
  id: number;
  /** The number in the brackets beside the cell, by which error messages name it. */
  count: number;
  code: string;
}

/** A fault the compiler found. Lines and columns of the cell count from 1, in UTF-16 units. */
export interface Diagnostic {
  line: number;
  column: number;
  /** Characters to underline, at least 1. */
  length: number;
  message: string;
  /** The compiler's number of the fault, e.g. 2322, where it gives one. */
  code: number | undefined;
}

/** A cell ready to run. */
export interface CompiledCell {
  id: number;
  count: number;
  /** What the runner takes; for the kernel's own engine a function expression. */
  code: string;
  sourceMap: string;
  /** Names the code assigns to, which later cells see. */
  names: readonly string[];
}

/** A cell that may run, or the reasons why it may not. */
export type Compilation = CompiledCell | { diagnostics: readonly Diagnostic[] };

/** Candidates for the text between `start` and `end` (UTF-16 offsets). */
export interface Completion {
  start: number;
  end: number;
  candidates: readonly { text: string; kind: string }[];
}

/** Whether code can run as it stands; `indent` is for the line to come. */
export type Completeness =
  { status: "complete" } | { status: "incomplete"; indent: string } | { status: "invalid" };

/** Representations of one thing by MIME type. */
export type MimeBundle = Record<string, unknown>;

/** A position in code, as a UTF-16 offset. */
export interface Position {
  code: string;
  position: number;
}

/** The half that knows the language. */
export interface Language {
  compile(cell: Cell): Compilation;
  /**
   * Tells that a compiled cell has run. `reached` is the number of its last declaring statement that was
   * executed; -1 when nothing ran, `Infinity` when all did. Later cells see only names that exist.
   */
  accept(run: { id: number; reached: number }): void;
  complete(at: Position): Completion;
  /** What is known about the thing at a position; null when nothing is. */
  inspect(at: Position): MimeBundle | null;
  isComplete(code: string): Completeness;
  /** Reads what the modules need ahead of their first import, in small steps between other requests. */
  warm(modules: readonly string[]): void;
  close(): void;
}

/** How a cell ended. */
export type Execution =
  | { kind: "value"; value: unknown; reached: number }
  | { kind: "thrown"; error: unknown; reached: number }
  /** Engines that compile on the main thread find faults only here. */
  | { kind: "rejected"; diagnostics: readonly Diagnostic[] };

/** The half that runs cells. */
export interface Runner {
  /**
   * Runs a cell and calls `done` once when it ends. A callback, not a promise: when a runaway loop is
   * terminated, V8 drops the queue of pending promise reactions, and this must not be among them.
   */
  execute(cell: CompiledCell, done: (execution: Execution) => void): void;
  /**
   * Makes the code of a cell stop where it can: the kernel no longer waits for it, and `done` is not called.
   * Returns how far the cell came, as {@link Language.accept} takes it.
   */
  interrupt(cell: number): number;
  /** The call stack of an error in terms of cells and files, without the kernel's own frames. */
  frames(error: Error): string[];
  close(): void;
}

/** What a runner works with on the main thread. */
export interface RunnerEnvironment {
  /** Where the notebook is. */
  folder: string;
  contexts: CellContexts;
  traces: StackTraces;
  /** Shared with the server: its first element is 1 while loops of cells are to stop. */
  stopFlag: Int32Array;
  /** To be called when a cell has imported a module. */
  afterImport: () => void;
}

/** An engine: both halves, and how to start them. */
export interface Engine {
  /** Version of the language that cells are written in. */
  readonly version: string;
  /** Serves the language to the server at the other end of a port. */
  startLanguage(port: MessagePort, folder: string): void;
  createRunner(environment: RunnerEnvironment): Runner;
}
