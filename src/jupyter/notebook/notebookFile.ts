import { readFileSync, writeFileSync } from "node:fs";
import { mustBe } from "../../errors.js";
import type { JsonObject } from "../wire.js";
import { jupyterJson } from "./jupyterJson.js";

/** One output of a code cell; texts are joined, where files hold lists of lines. Field names are the format's. */
export type CellOutput =
  | { output_type: "stream"; name: string; text: string }
  | { output_type: "display_data"; data: JsonObject; metadata: JsonObject }
  | { output_type: "execute_result"; data: JsonObject; metadata: JsonObject; execution_count: number | null }
  | { output_type: "error"; ename: string; evalue: string; traceback: string[] };

/** A cell. What is not listed is kept as it is. */
export interface NotebookCell {
  cell_type: string;
  id?: string;
  metadata: JsonObject & { tags?: string[] };
  source: string;
  /** Code cells only. */
  outputs?: CellOutput[];
  execution_count?: number | null;
}

/** A notebook of format 4. */
export interface NotebookFile {
  nbformat: number;
  nbformat_minor: number;
  metadata: JsonObject;
  cells: NotebookCell[];
}

/** Tag of a cell that was put in for one run; papermill calls it so, and either tool replaces what the other wrote. */
export const injectedTag = "injected-parameters";

/** Behind the end of a line, where Python's `splitlines` sees one: Jupyter stores texts by it. */
// eslint-disable-next-line no-control-regex
const lineStart = /(?<=[\n\v\f\x1c-\x1e\x85\u2028\u2029]|\r(?!\n))/;

/** MIME types that are no `text/…` and yet stored line by line. */
const textTypes = ["image/svg+xml", "application/javascript"];

/**
 * Reads a notebook.
 *
 * @throws KatlabError when there is no such file, or it is no notebook of format 4
 */
export function readNotebook(file: string): NotebookFile {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw mustBe({
      subject: file,
      must: "must be a notebook that can be read",
      got: cause instanceof Error ? cause.message : String(cause),
      remedy: "Check the path.",
    });
  }
  return parseNotebook(text, file);
}

/** A notebook from the text of its file; `subject` names the file in errors. */
export function parseNotebook(text: string, subject: string): NotebookFile {
  let notebook: unknown;
  try {
    notebook = JSON.parse(text);
  } catch {
    notebook = undefined;
  }
  if (!isNotebook(notebook)) {
    throw mustBe({
      subject,
      must: "must be a notebook of format 4",
      got: JSON.stringify(text.slice(0, 40)),
      remedy: "Save it with JupyterLab or VS Code.",
    });
  }
  return { ...notebook, cells: notebook.cells.map((cell) => joined(cell)) };
}

/**
 * Writes a notebook as Jupyter does, so that files differ only where the notebooks do.
 *
 * @throws KatlabError when the file cannot be written
 */
export function writeNotebook(notebook: NotebookFile, file: string): void {
  try {
    writeFileSync(file, formatNotebook(notebook));
  } catch (cause) {
    throw mustBe({
      subject: file,
      must: "must be a file that can be written",
      got: cause instanceof Error ? cause.message : String(cause),
      remedy: "Make its folder first, or give another path.",
    });
  }
}

/** Language of a notebook's cells, in lower case; undefined where it does not say. */
export function languageOf({ metadata }: NotebookFile): string | undefined {
  const { language } = (metadata["kernelspec"] ?? {}) as { language?: unknown };
  const { name } = (metadata["language_info"] ?? {}) as { name?: unknown };
  const said = language ?? name;
  return typeof said === "string" ? said.toLowerCase() : undefined;
}

/** The text of a notebook's file. */
export function formatNotebook(notebook: NotebookFile): string {
  const cells = notebook.cells.map((cell) => ({
    ...cell,
    source: linesOf(cell.source),
    ...(cell.outputs === undefined ? {} : { outputs: cell.outputs.map(splitOutput) }),
  }));
  return `${jupyterJson({ ...notebook, cells })}\n`;
}

/** Whether a cell has a tag, by which notebooks mark the cells that tools treat specially. */
export function hasTag({ metadata }: NotebookCell, tag: string): boolean {
  return metadata.tags?.includes(tag) === true;
}

/** A cell of a notebook file: texts may be lists of lines. */
type StoredCell = Omit<NotebookCell, "source" | "outputs"> & {
  source: string | string[];
  outputs?: JsonObject[];
};

function isNotebook(value: unknown): value is Omit<NotebookFile, "cells"> & { cells: StoredCell[] } {
  const { nbformat, cells } = (value ?? {}) as Partial<NotebookFile>;
  return (
    nbformat === 4 &&
    Array.isArray(cells) &&
    cells.every((cell: unknown) => {
      const { cell_type: type, source, metadata } = (cell ?? {}) as Partial<StoredCell>;
      const isText = typeof source === "string" || Array.isArray(source);
      return typeof type === "string" && isText && typeof metadata === "object";
    })
  );
}

function joined({ source, outputs, ...cell }: StoredCell): NotebookCell {
  return {
    ...cell,
    source: textOf(source),
    ...(outputs === undefined ? {} : { outputs: outputs.map(joinOutput) }),
  };
}

function joinOutput(output: JsonObject): CellOutput {
  const { text, data } = output;
  return {
    ...output,
    ...(text === undefined ? {} : { text: textOf(text as string | string[]) }),
    ...(data === undefined ? {} : { data: mapTexts(data as JsonObject, textOf) }),
  } as CellOutput;
}

function splitOutput(output: CellOutput): object {
  if (output.output_type === "stream") return { ...output, text: linesOf(output.text) };
  return "data" in output ? { ...output, data: mapTexts(output.data, linesOf) } : output;
}

/** A bundle with those entries changed that are stored line by line. */
function mapTexts(data: JsonObject, change: (text: string) => unknown): JsonObject {
  return Object.fromEntries(
    Object.entries(data).map(([type, value]) => {
      const isText = type.startsWith("text/") || textTypes.includes(type);
      return [type, isText && isLines(value) ? change(textOf(value)) : value];
    }),
  );
}

function isLines(value: unknown): value is string | string[] {
  return (
    typeof value === "string" || (Array.isArray(value) && value.every((line) => typeof line === "string"))
  );
}

function textOf(text: string | string[]): string {
  return typeof text === "string" ? text : text.join("");
}

function linesOf(text: string): string[] {
  return text.split(lineStart).filter((line) => line !== "");
}
