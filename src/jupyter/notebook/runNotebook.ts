import { KernelClient } from "../client.js";
import type { JsonObject } from "../wire.js";
import { CellOutputs } from "./cellOutputs.js";
import { hasTag, type NotebookCell, type NotebookFile } from "./notebookFile.js";

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
  /** Told before a cell runs. */
  onStart?: (run: Omit<CellRun, "seconds" | "fault">, total: number) => void;
  /** Told what a cell shows while it runs, as text. */
  onText?: (text: string) => void;
  /** Told after a cell. */
  onCell?: (run: CellRun, total: number) => void;
}

export interface NotebookRun {
  /** The executed copy; behind a failed cell nothing was executed and outputs are empty. */
  notebook: NotebookFile;
  cells: CellRun[];
  /** Whether every cell ran without a fault. */
  ok: boolean;
}

/** Time a cell that takes too long gets to end after it was stopped, before its kernel is killed. */
const stopMs = 5000;

/**
 * Executes a copy of a notebook, cell by cell, in a kernel of its own. A failed cell ends it, unless it is tagged
 * `raises-exception`; cells tagged `skip-execution` are passed over, as nbclient does.
 *
 * @throws KatlabError when the kernel does not start
 */
export async function runNotebook(
  original: NotebookFile,
  { argv, folder, timeoutMs = Infinity, onStart, onText, onCell }: RunNotebookOptions,
): Promise<NotebookRun> {
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
    for (const [at, { cell, index }] of todo.entries()) {
      const place = { cell, index, number: at + 1 };
      onStart?.(place, todo.length);
      const started = performance.now();
      const fault = await runCell(kernel, cell, outputs, timeoutMs);
      const seconds = (performance.now() - started) / 1000;
      const run: CellRun = { ...place, seconds, ...(fault === undefined ? {} : { fault }) };
      cells.push(run);
      onCell?.(run, todo.length);
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
  timeoutMs: number,
): Promise<string | undefined> {
  const { id, done } = kernel.submit(cell.source);
  outputs.expect(id, cell);
  const replied = done.then(({ reply }) => reply);
  const died = kernel.exited.then(
    (code) => `the kernel ended with ${code === null ? "a signal" : `code ${code}`}`,
  );
  const ended = await within(timeoutMs, Promise.race([replied, died]));
  let fault: string | undefined;
  if (ended === undefined) {
    fault = `stopped after ${timeoutMs / 1000} s`;
    void kernel.interrupt();
    if ((await within(stopMs, Promise.race([replied, died]))) === undefined) kernel.kill();
  } else {
    fault = typeof ended === "string" ? ended : faultOf(ended, cell);
  }
  for (const message of kernel.published.splice(0)) outputs.receive(message);
  const count = typeof ended === "object" ? ended["execution_count"] : null;
  cell.execution_count = typeof count === "number" ? count : null;
  return fault;
}

function faultOf(reply: JsonObject, cell: NotebookCell): string | undefined {
  if (reply["status"] === "error") {
    if (hasTag(cell, "raises-exception")) return undefined;
    return (reply["traceback"] as string[]).join("\n");
  }
  // tslab's own kernel skips cells in silence; only the missing number shows it.
  if (reply["status"] === "ok" && typeof reply["execution_count"] === "number") return undefined;
  return `the kernel did not run it: it replied ${JSON.stringify(reply)}`;
}

/** Result of a promise, or undefined when it takes too long. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  if (ms === Infinity) return promise;
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), ms)));
  const result = await Promise.race([promise, tooLong]);
  clearTimeout(timer);
  return result;
}

async function endKernel(kernel: KernelClient): Promise<void> {
  const isRunning = kernel.process.exitCode === null && kernel.process.signalCode === null;
  if (!isRunning || (await within(stopMs, kernel.shutdown())) === undefined) kernel.kill();
}

function tellText(content: JsonObject, onText: (text: string) => void): void {
  const { text, data } = content as { text?: string; data?: JsonObject };
  const shown = text ?? data?.["text/plain"];
  if (typeof shown === "string") onText(shown.endsWith("\n") ? shown : `${shown}\n`);
}
