import { SourceMap, type SourceMapPayload } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { cellPosition } from "../cellNames.js";
import { ownPosition } from "../ownModuleUrl.js";

/** A place in a cell as its author wrote it; lines and columns count from 1. */
export interface CellPlace {
  count: number;
  line: number;
  column: number;
  /** The text of that line. */
  text: string;
}

interface MappedCell {
  count: number;
  sourceMap: string | SourceMap;
}

const kernelFolder = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** Call stacks in terms of cells: every error of the process tells cell, line and column of the TypeScript text. */
export class StackTraces {
  readonly #folder: string;
  readonly #cells = new Map<number, MappedCell>();
  /** Source maps of emitted files, by URL. */
  mapOfFile: (url: string) => SourceMap | undefined = () => undefined;

  /** @param folder where the notebook is; its files are named relative to it */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes the positions of a run known. */
  register(run: number, cell: { count: number; sourceMap: string }): void {
    this.#cells.set(run, { ...cell });
  }

  /** Makes `error.stack` of all errors speak of cells. */
  install(): void {
    Error.prepareStackTrace = (error, sites) => [headOf(error), ...this.#callers(sites)].join("\n    at ");
  }

  /** The frames of an error that its author can do something about, outermost last. */
  frames(error: Error): string[] {
    return String(error.stack)
      .split("\n")
      .filter((line) => /^\s+at /.test(line) && !isKernelFrame(line))
      .map((line) =>
        line
          .trim()
          .slice("at ".length)
          .replace(/file:\/\/[^\s)]+?(?=:\d+)/, (url) => fileURLToPath(url))
          .replace(this.#folder + path.sep, ""),
      );
  }

  /** Where an error left a cell, if it did: its innermost frame there. */
  place(error: Error): CellPlace | undefined {
    const found = /\bcell (\d+), line (\d+):(\d+)/.exec(String(error.stack));
    if (found === null) return undefined;
    const [count, line, column] = found.slice(1).map(Number);
    const text = this.#lineOf(count, line);
    return text === undefined ? undefined : { count, line, column, text };
  }

  #callers(sites: readonly NodeJS.CallSite[]): string[] {
    const frames = sites.map(String);
    // Below the call into a cell there is only the kernel.
    const end = frames.findIndex((frame) => frame.includes("ReplRunner.execute"));
    return (end < 0 ? frames : frames.slice(0, end)).map((frame) => this.#inFiles(this.#inCells(frame)));
  }

  #inFiles(frame: string): string {
    return frame.replace(ownPosition, (position, url: string, line: string, column: string) => {
      const entry = this.mapOfFile(url)?.findEntry(Number(line) - 1, Number(column) - 1);
      if (entry === undefined || !("originalLine" in entry)) return position;
      return `${url}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
    });
  }

  #inCells(frame: string): string {
    return frame.replace(cellPosition, (position, run: string, line: string, column: string) => {
      const cell = this.#cells.get(Number(run));
      if (cell === undefined) return position;
      const entry = mapOf(cell).findEntry(Number(line) - 1, Number(column) - 1);
      if (!("originalLine" in entry)) return `cell ${cell.count}`;
      // The cell's module begins with a header line, so its zero-based lines are the cell's one-based ones.
      return `cell ${cell.count}, line ${entry.originalLine}:${entry.originalColumn + 1}`;
    });
  }

  /** A cell that was run again has a newer text; the last run with this number is the one on the screen. */
  #lineOf(count: number, line: number): string | undefined {
    const cell = [...this.#cells.values()].findLast((candidate) => candidate.count === count);
    const source = cell === undefined ? undefined : sourceOf(mapOf(cell));
    return source?.split("\n")[line];
  }
}

function mapOf(cell: MappedCell): SourceMap {
  if (typeof cell.sourceMap === "string") {
    cell.sourceMap = new SourceMap(JSON.parse(cell.sourceMap) as SourceMapPayload);
  }
  return cell.sourceMap;
}

function sourceOf(map: SourceMap): string | undefined {
  return map.payload.sourcesContent[0];
}

function headOf(error: Error): string {
  try {
    return Error.prototype.toString.call(error);
  } catch {
    return "Error";
  }
}

function isKernelFrame(line: string): boolean {
  return /node:(vm|internal|async_hooks)/.test(line) || line.includes(kernelFolder);
}
