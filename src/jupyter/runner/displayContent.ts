import { inspect } from "node:util";
import type { MimeBundle } from "../engine.js";
import type { DisplayContent } from "../threads.js";
import type { JsonObject } from "../wire.js";
import { recordsTable } from "./recordsTable.js";

/** A method of this name gives the representations of a value: a MIME bundle, or `{ data, metadata }`. */
const displaySymbol: unique symbol = Symbol.for("Jupyter.display") as never;

/** First bytes of the pictures that front ends show. */
const pictures: readonly [type: string, start: readonly number[]][] = [
  ["image/png", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ["image/jpeg", [0xff, 0xd8, 0xff]],
  ["image/gif", [0x47, 0x49, 0x46, 0x38]],
];

/** Characters of a text representation; more would stall the front end. */
const maxTextLength = 100_000;
/** A shallow view longer than this is not opened further. */
const briefLength = 4_000;

/**
 * How the value of a cell is shown: as it says itself; bytes of a picture as that picture, records as a table; and
 * always as `util.inspect` shows it, cut to a readable size.
 *
 * @throws whatever the value's own method throws
 */
export function contentOfValue(value: unknown): DisplayContent | Promise<DisplayContent> {
  const display = isObject(value) ? value[displaySymbol] : undefined;
  if (typeof display !== "function") return textContent(value);
  const shown: unknown = Reflect.apply(display, value, []);
  const asContent = (own: unknown): DisplayContent =>
    isObject(own) ? contentOfBundle(own) : textContent(value);
  return isPromiseLike(shown) ? Promise.resolve(shown).then(asContent) : asContent(shown);
}

/** A bundle in JSON's terms, as text. Binary data becomes base64, typed arrays inside JSON become lists. */
export function jsonOf(content: object): string {
  return JSON.stringify(content, (_key, value: unknown) => {
    if (typeof value === "bigint") return Number(value);
    return ArrayBuffer.isView(value) && !(value instanceof DataView)
      ? Array.from(value as Uint8Array)
      : value;
  });
}

/** Binary representations, such as images, as base64. */
export function encodedBundle(bundle: MimeBundle): MimeBundle {
  return Object.fromEntries(
    Object.entries(bundle).map(([type, data]) => [type, data instanceof Uint8Array ? base64(data) : data]),
  );
}

/** A MIME bundle, or `{ data, metadata }`: MIME types contain a slash, so the two cannot be confused. */
function contentOfBundle(own: JsonObject): DisplayContent {
  const { data, metadata } = own;
  if (!isObject(data)) return { data: encodedBundle(own), metadata: {} };
  return { data: encodedBundle(data), metadata: isObject(metadata) ? metadata : {} };
}

function textContent(value: unknown): DisplayContent {
  const table = recordsTable(value);
  const rich = table === undefined ? pictureOf(value) : { "text/html": table };
  return { data: { ...rich, "text/plain": shortened(describe(value)) }, metadata: {} };
}

function pictureOf(value: unknown): MimeBundle {
  if (!(value instanceof Uint8Array)) return {};
  const type = pictures.find(([, start]) => start.every((byte, i) => value[i] === byte))?.[0];
  return type === undefined ? {} : { [type]: base64(value) };
}

/** Deep structures are opened as far as stays readable: width is bounded by `util.inspect`, depth here. */
function describe(value: unknown): string {
  const options = { maxArrayLength: 60, maxStringLength: 10_000, breakLength: 100 };
  const brief = inspect(value, { ...options, depth: 2 });
  return brief.length > briefLength ? brief : inspect(value, { ...options, depth: 4 });
}

function shortened(text: string): string {
  const rest = text.length - maxTextLength;
  return rest <= 0 ? text : `${text.slice(0, maxTextLength)}\n… ${rest} more characters`;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

function isObject(value: unknown): value is JsonObject & { [displaySymbol]?: unknown } {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return isObject(value) && typeof value["then"] === "function";
}
