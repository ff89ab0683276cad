import type { JsonObject } from "./spec.js";

/**
 * Rows of numbers as a chart's data, in CSV: notebook files spread every list over lines, one number each, but keep
 * a text on one line, so that this takes a fifth of the room. A null is an empty field.
 *
 * @param columns - the columns by name, all of one length
 */
export function table(columns: Readonly<Record<string, readonly (number | null)[]>>): JsonObject {
  const names = Object.keys(columns);
  const lists = Object.values(columns);
  const rows = lists[0].map((_, i) => lists.map((list) => list[i] ?? "").join(","));
  return {
    data: {
      values: [names.join(","), ...rows].join("\n"),
      format: { type: "csv", parse: Object.fromEntries(names.map((name) => [name, "number"])) },
    },
  };
}
