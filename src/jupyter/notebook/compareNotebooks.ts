import type { JsonObject } from "../wire.js";
import {
  type CellOutput,
  hasTag,
  injectedTag,
  type NotebookCell,
  type NotebookFile,
} from "./notebookFile.js";

/** One way in which a cell came out otherwise than it was committed. */
export interface NotebookDifference {
  /** Place of the cell among the code cells, from 1. */
  readonly number: number;
  /** First line of the cell. */
  readonly source: string;
  /** What differs, in words. */
  readonly what: string;
}

export interface CompareNotebooksOptions {
  /** Relative difference that asserted numbers may have; a cell's `metadata.katlab.tolerance` replaces it. @default 0.01 */
  tolerance?: number;
}

/** Cells that assert something; the tag is for those that leave it to a function. */
const assertion = /\bassert\b/;
const assertedTag = "asserted";

/** A number and what follows it; times, rates and sizes depend on the machine. */
const numberAndUnit =
  /(?<![\w.])[-+−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[-+]?\d+)?(\s?(?:ns|µs|us|ms|s|min|h|\w+\/s|[kMG]i?B)\b)?/gi;

/**
 * What distinguishes an executed notebook from the committed one, as far as it means something: cells that failed
 * or did not run, outputs of other kinds, and other numbers in cells that assert. Pictures and wording may differ.
 */
export function compareNotebooks(
  committed: NotebookFile,
  executed: NotebookFile,
  { tolerance = 0.01 }: CompareNotebooksOptions = {},
): NotebookDifference[] {
  const [before, after] = [codeCells(committed), codeCells(executed)];
  const cells = before.flatMap((cell, i) =>
    compareCells(cell, after[i], tolerance).map((what) => ({ number: i + 1, source: firstLine(cell), what })),
  );
  const added = after.slice(before.length).map((cell, i) => ({
    number: before.length + i + 1,
    source: firstLine(cell),
    what: "is not in the committed notebook",
  }));
  return [...cells, ...added];
}

function compareCells(before: NotebookCell, after: NotebookCell | undefined, tolerance: number): string[] {
  if (after === undefined) return ["is not in the executed notebook"];
  if (before.source !== after.source) return ["has another source"];
  const [was, is] = [statusOf(before), statusOf(after)];
  if (was !== is) return [`${is}; committed: ${was}`];
  const [kinds, newKinds] = [kindsOf(before), kindsOf(after)];
  if (kinds !== newKinds) return [`shows ${newKinds || "nothing"}; committed: ${kinds || "nothing"}`];
  const asserts = assertion.test(before.source) || hasTag(before, assertedTag);
  return asserts ? compareNumbers(before, after, toleranceOf(before) ?? tolerance) : [];
}

function statusOf({ outputs = [], execution_count: count, source }: NotebookCell): string {
  const error = outputs.find((output) => output.output_type === "error");
  if (error !== undefined) return `failed with ${error.ename}`;
  return source.trim() === "" || typeof count === "number" ? "ran" : "did not run";
}

/** Kinds of a cell's outputs in order; one stream may come in several pieces. */
function kindsOf({ outputs = [] }: NotebookCell): string {
  const kinds = outputs.map((output) =>
    "data" in output ? Object.keys(output.data).sort().join(" + ") : nameOf(output),
  );
  return kinds.filter((kind, i) => kind !== kinds[i - 1]).join(", ");
}

function nameOf(output: CellOutput): string {
  return output.output_type === "stream" ? output.name : output.output_type;
}

function compareNumbers(before: NotebookCell, after: NotebookCell, tolerance: number): string[] {
  const [expected, got] = [numbersOf(before), numbersOf(after)];
  if (expected.length !== got.length) {
    return [`shows ${got.length} numbers; committed: ${expected.length}`];
  }
  return expected.flatMap((number, i) =>
    Math.abs(number - got[i]) <= tolerance * Math.max(Math.abs(number), Math.abs(got[i]))
      ? []
      : [`shows ${got[i]}; committed: ${number} (tolerance ${tolerance})`],
  );
}

function numbersOf({ outputs = [] }: NotebookCell): number[] {
  return [...outputs.map(textOf).join("\n").matchAll(numberAndUnit)]
    .filter((found) => found.at(1) === undefined)
    .map(([text]) => Number(text.replace("−", "-").replaceAll(",", "")));
}

function textOf(output: CellOutput): string {
  if (output.output_type === "stream") return output.text;
  const text = "data" in output ? output.data["text/plain"] : undefined;
  return typeof text === "string" ? text : "";
}

function toleranceOf({ metadata }: NotebookCell): number | undefined {
  const { tolerance } = (metadata["katlab"] ?? {}) as JsonObject;
  return typeof tolerance === "number" ? tolerance : undefined;
}

/** The cells that both notebooks have: parameters may have been given to one of them. */
function codeCells({ cells }: NotebookFile): NotebookCell[] {
  return cells.filter((cell) => cell.cell_type === "code" && !hasTag(cell, injectedTag));
}

function firstLine({ source }: NotebookCell): string {
  return source.trim().split("\n", 1)[0];
}
