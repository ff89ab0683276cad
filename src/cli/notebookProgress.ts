import { stripVTControlCharacters } from "node:util";
import type { CellRun, RunNotebookOptions } from "../jupyter/notebook/runNotebook.js";

/** Characters of a cell's first line that are shown. */
const maxWords = 60;
const clearLine = "\r\u001b[K";

/** Where to write; colours are for terminals. */
type Output = NodeJS.WritableStream & { readonly isTTY?: boolean };

/**
 * A line for each cell: done or failed, its time, its first line. On a terminal the running one is shown too.
 * What went wrong goes to the other stream, with the number of the cell.
 */
export class NotebookProgress {
  readonly #out: Output;
  readonly #faults: Output;
  readonly #show: boolean;
  #passed = 0;
  #failed = 0;
  #skipped = 0;
  #seconds = 0;

  /** @param show whether to print what cells show */
  constructor({ out, faults, show }: { out: Output; faults: Output; show: boolean }) {
    this.#out = out;
    this.#faults = faults;
    this.#show = show;
  }

  get listeners(): Pick<RunNotebookOptions, "onStart" | "onText" | "onCell"> {
    return {
      onStart: (run, total) => {
        this.#skipped = total - this.#passed;
        if (this.#out.isTTY === true) this.#out.write(`… ${lineOf(run, total)}${this.#show ? "\n" : ""}`);
      },
      ...(this.#show
        ? { onText: (text: string) => void this.#out.write(text.replace(/^(?=.)/gm, "      ")) }
        : {}),
      onCell: (run, total) => this.#finish(run, total),
    };
  }

  /** Prints the counts, in the form all our runners share. */
  end(): void {
    const skipped = this.#skipped > 0 ? `, ${this.#skipped} skipped` : "";
    this.#out.write(
      `${this.#seconds.toFixed(1)} s: ${this.#passed} passed, ${this.#failed} failed${skipped}\n`,
    );
  }

  #finish(run: CellRun, total: number): void {
    this.#seconds += run.seconds;
    this.#skipped = total - run.number;
    if (run.fault === undefined) this.#passed++;
    else this.#failed++;
    const start = this.#out.isTTY === true && !this.#show ? clearLine : "";
    const mark = run.fault === undefined ? "✓" : "✗";
    const time = `${run.seconds.toFixed(1).padStart(6)} s`;
    this.#out.write(`${start}${mark} ${lineOf(run, total, time)}\n`);
    if (run.fault === undefined) return;
    const fault = this.#faults.isTTY === true ? run.fault : stripVTControlCharacters(run.fault);
    this.#faults.write(`cell ${run.number} failed: ${fault}\n`);
  }
}

function lineOf({ number, cell }: Pick<CellRun, "number" | "cell">, total: number, time = ""): string {
  const words = cell.source.trim().split("\n", 1)[0].slice(0, maxWords);
  return `${String(number).padStart(String(total).length)}/${total}  ${time}${time === "" ? "" : "  "}${words}`;
}
