import { inspect } from "node:util";
import { excerpt, red } from "../excerpt.js";
import { Interrupted, interruptedContent } from "../interrupted.js";
import type { ErrorContent } from "../threads.js";
import type { CellPlace } from "./stackTraces.js";

/** Frames shown; a deep recursion has thousands. */
const maxFrames = 12;
/** Causes followed: enough for wrapped errors, safe with circular ones. */
const maxCauses = 4;

/** Where errors come from, in terms of cells. */
export interface ErrorPlaces {
  frames(error: Error): string[];
  place(error: Error): CellPlace | undefined;
}

/** A thrown value as a notebook shows it: message, the line of the cell that failed, callers, causes. */
export function errorContent(thrown: unknown, places: ErrorPlaces): ErrorContent {
  if (thrown instanceof Interrupted) return interruptedContent;
  if (!isError(thrown)) {
    const value = inspect(thrown);
    return { ename: "Thrown", evalue: value, traceback: [red("Thrown: ") + value] };
  }
  const name = text(() => thrown.name) || "Error";
  return { ename: name, evalue: text(() => thrown.message), traceback: tracebackOf(thrown, places, 0) };
}

function tracebackOf(error: Error, places: ErrorPlaces, depth: number): string[] {
  const head = text(() => `${error.name}: ${error.message}`);
  const lines = [depth === 0 ? red(head) : `caused by ${head}`];
  const place = places.place(error);
  if (place !== undefined && depth === 0) {
    lines.push(`cell ${place.count}, line ${place.line}:`, excerpt(place.text, place.column));
  }
  lines.push(
    ...places
      .frames(error)
      .slice(0, maxFrames)
      .map((frame) => `    at ${frame}`),
  );
  if (depth >= maxCauses) return lines;
  const parts = error instanceof AggregateError ? (error.errors as unknown[]) : [];
  for (const cause of [error.cause, ...parts].filter(isError))
    lines.push(...tracebackOf(cause, places, depth + 1));
  return lines;
}

/** Errors of other realms are no instances of this one's class, but have a stack too. */
function isError(value: unknown): value is Error {
  return (
    value instanceof Error ||
    (typeof value === "object" && value !== null && typeof (value as Error).stack === "string")
  );
}

/** A property of a foreign object: reading it runs foreign code. */
function text(read: () => unknown): string {
  try {
    return String(read());
  } catch (fault) {
    return `[not readable: ${String(fault)}]`;
  }
}
