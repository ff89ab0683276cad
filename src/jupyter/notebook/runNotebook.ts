import { mustBe } from "../../errors.js";
import { KernelClient } from "../client.js";
import type { JsonObject } from "../wire.js";
import { CellOutputs } from "./cellOutputs.js";
import { hasTag, languageOf, type NotebookCell, type NotebookFile } from "./notebookFile.js";

/** How one cell went. */
export interface CellRun {
  /** Place among all cells of the notebook, from 0. */
  readonly index: number;
  /** Place among those that are executed, from 1. */
  readonly number: number;
  readonly cell: NotebookCell;
  readonly seconds: number;
  /** What went wrong, as the kernel shows it; undefined when nothing did. */
  readonly fault?: string;
}

export interface RunNotebookOptions {
  /** Program and arguments of the kernel, as `KernelClient.start` takes them. */
  argv: readonly string[];
  /** Where the notebook is: its cells import and read from there. */
  folder: string;
  /** Milliseconds a cell may take; it is then stopped and has failed. @default Infinity */
  timeoutMs?: number;
  /** Stops the cell that runs, as the stop button does, and with it the run. */
  signal?: AbortSignal;
  /** Told before a cell runs. */
  onStart?: (run: Omit<CellRun, "seconds" | "fault">, total: number) => void;
  /** Told what a cell shows while it runs, as text. */
  onText?: (text: string) => void;
  /** Told after a cell. */
  onCell?: (run: CellRun, total: number) => void;
  /** Told the copy before the first cell, and as it is after each: whoever keeps it loses no more than one cell. */
  onCopy?: (notebook: NotebookFile) => void;
}

export interface NotebookRun {
  /** The executed copy; behind a failed cell nothing was executed and outputs are empty. */
  notebook: NotebookFile;
  cells: CellRun[];
  /** Whether every cell ran without a fault. */
  ok: boolean;
}

/** Languages that this kernel runs. */
const languages = ["typescript", "javascript"];

/**
 * Time a cell gets to end after it was stopped, before its kernel is killed: more than a kernel gives code that
 * listens to the stop signal.
 */
const stopMs = 8000;
const stoppedByUser = "stopped by the user";

/**
 * Executes a copy of a notebook, cell by cell, in a kernel of its own. A failed cell ends it, unless it is tagged
 * `raises-exception`; cells tagged `skip-execution` are passed over, as nbclient does.
 *
 * @throws KatlabError when the notebook is in another language, or the kernel does not start
 */
export async function runNotebook(
  original: NotebookFile,
  { argv, folder, timeoutMs = Infinity, signal, onStart, onText, onCell, onCopy }: RunNotebookOptions,
): Promise<NotebookRun> {
  requireLanguage(original);
  const notebook = structuredClone(original);
  const todo = notebook.cells
    .map((cell, index) => ({ cell, index }))
    .filter(({ cell }) => cell.cell_type === "code" && cell.source.trim() !== "")
    .filter(({ cell }) => !hasTag(cell, "skip-execution"));
  for (const { cell } of todo) Object.assign(cell, { outputs: [], execution_count: null });

  const kernel = await KernelClient.start({ argv, cwd: folder });
  if (onText !== undefined) kernel.onPublished = ({ content }) => tellText(content, onText);
  const outputs = new CellOutputs();
  const cells: CellRun[] = [];
  try {
    const { language_info: language } = await kernel.request("kernel_info_request");
    notebook.metadata["language_info"] = language;
    onCopy?.(notebook);
    for (const [at, { cell, index }] of todo.entries()) {
      const place = { cell, index, number: at + 1 };
      onStart?.(place, todo.length);
      const started = performance.now();
      const fault = await runCell(kernel, cell, outputs, { timeoutMs, signal });
      const seconds = (performance.now() - started) / 1000;
      const run: CellRun = { ...place, seconds, ...(fault === undefined ? {} : { fault }) };
      cells.push(run);
      onCell?.(run, todo.length);
      onCopy?.(notebook);
      if (fault !== undefined) break;
    }
  } finally {
    await endKernel(kernel);
  }
  return { notebook, cells, ok: cells.every(({ fault }) => fault === undefined) };
}

/** Runs a cell and keeps its outputs; tells what went wrong. */
async function runCell(
  kernel: KernelClient,
  cell: NotebookCell,
  outputs: CellOutputs,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal | undefined },
): Promise<string | undefined> {
  if (isAborted(signal)) return stoppedByUser;
  const { id, done } = kernel.submit(cell.source);
  outputs.expect(id, cell);
  const replied = done.then(({ reply }) => reply);
  const died = kernel.exited.then(
    (code) => `the kernel ended with ${code === null ? "a signal" : `code ${code}`}`,
  );
  const ended = Promise.race([replied, died]);
  let end = await within({ ms: timeoutMs, signal }, ended);
  let fault = end === undefined ? undefined : faultOf(end, cell);
  if (end === undefined) {
    fault = isAborted(signal) ? stoppedByUser : `stopped after ${timeoutMs / 1000} s`;
    void kernel.interrupt();
    end = await within({ ms: stopMs }, ended);
    if (end === undefined) kernel.kill();
  }
  for (const message of kernel.published.splice(0)) outputs.receive(message);
  const count = typeof end === "object" ? end["execution_count"] : null;
  cell.execution_count = typeof count === "number" ? count : null;
  return fault;
}

/** A function, because TypeScript takes what it has once read of a signal for what it stays. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

/** What was wrong with a cell's end: the kernel's reply, or how the kernel itself ended. */
function faultOf(reply: JsonObject | string, cell: NotebookCell): string | undefined {
  if (typeof reply === "string") return reply;
  if (reply["status"] === "error") {
    if (hasTag(cell, "raises-exception")) return undefined;
    return (reply["traceback"] as string[]).join("\n");
  }
  // tslab's own kernel skips cells in silence; only the missing number shows it.
  if (reply["status"] === "ok" && typeof reply["execution_count"] === "number") return undefined;
  return `the kernel did not run it: it replied ${JSON.stringify(reply)}`;
}

/** Result of a promise, or undefined when it takes too long or is no longer wanted. */
async function within<T>(
  { ms, signal }: { ms: number; signal?: AbortSignal | undefined },
  promise: Promise<T>,
): Promise<T | undefined> {
  let end: () => void = () => undefined;
  const over = new Promise<undefined>((resolve) => (end = () => resolve(undefined)));
  const timer = ms === Infinity ? undefined : setTimeout(end, ms);
  signal?.addEventListener("abort", end);
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
  }
}

function requireLanguage(notebook: NotebookFile): void {
  const language = languageOf(notebook);
  if (language === undefined || languages.includes(language)) return;
  throw mustBe({
    subject: "notebook",
    must: "must be in TypeScript",
    got: language,
    remedy: "Jupyter executes it in its own kernel: jupyter execute",
  });
}

async function endKernel(kernel: KernelClient): Promise<void> {
  const isRunning = kernel.process.exitCode === null && kernel.process.signalCode === null;
  if (!isRunning || (await within({ ms: stopMs }, kernel.shutdown())) === undefined) kernel.kill();
}

function tellText(content: JsonObject, onText: (text: string) => void): void {
  const { text, data } = content as { text?: string; data?: JsonObject };
  const shown = text ?? data?.["text/plain"];
  if (typeof shown === "string") onText(shown.endsWith("\n") ? shown : `${shown}\n`);
}
