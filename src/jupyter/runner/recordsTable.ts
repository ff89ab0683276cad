import { inspect } from "node:util";
import type { JsonObject } from "../wire.js";

/** Rows and columns shown; more would stall the front end and fill the file. */
const maxRows = 60;
const maxColumns = 30;
/** Records looked at to see whether all are alike. */
const maxChecked = 1000;
const maxTextLength = 200;

/**
 * A list of plain objects as an HTML table, one row each; undefined for anything else, for objects inside of them,
 * which a table could not show, and for more fields than fit.
 */
export function recordsTable(value: unknown): string | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const records: unknown[] = value.slice(0, maxChecked);
  if (!records.every(isRecord)) return undefined;
  const columns = [...new Set(records.flatMap((record) => Object.keys(record)))];
  if (columns.length === 0 || columns.length > maxColumns) return undefined;
  const rows = records.slice(0, maxRows).map((record) => columns.map((name) => cell(record[name])).join(""));
  const more = value.length - rows.length;
  const rest = more > 0 ? [`<td colspan="${columns.length}">… ${more.toLocaleString("en")} more</td>`] : [];
  const head = columns.map((name) => `<th>${escaped(name)}</th>`).join("");
  const body = [...rows, ...rest].map((row) => `<tr>${row}</tr>`).join("\n");
  return `<table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${body}\n</tbody>\n</table>`;
}

/** A plain object that has no way of its own to be shown. */
function isRecord(value: unknown): value is JsonObject {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
  const isTabular = Object.values(value).every((entry) => isSimple(entry));
  return isPlain && isTabular && !(Symbol.for("Jupyter.display") in value) && !(inspect.custom in value);
}

function isSimple(value: unknown): boolean {
  return (
    (typeof value !== "object" && typeof value !== "function") || value === null || value instanceof Date
  );
}

function cell(value: unknown): string {
  if (value === undefined) return "<td></td>";
  const isNumber = typeof value === "number" || typeof value === "bigint";
  const text = typeof value === "string" || isNumber ? String(value) : inspect(value);
  const short = text.length > maxTextLength ? `${text.slice(0, maxTextLength)}…` : text;
  return `<td${isNumber ? ' style="text-align: right"' : ""}>${escaped(short)}</td>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
