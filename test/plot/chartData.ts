import type { JsonObject } from "../../src/plot/spec.js";

/** Part of a specification at a path such as `hconcat.0.layer.1.encoding`. */
export function at(spec: JsonObject, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((part, key) => (part as Record<string, unknown> | undefined)?.[key], spec);
}

/** Rows of a CSV table in a specification; empty fields are null. */
export function rowsAt(spec: JsonObject, path: string): Record<string, number | null>[] {
  const [head, ...lines] = (at(spec, `${path}.data.values`) as string).split("\n");
  const names = head.split(",");
  return lines.map((line) =>
    Object.fromEntries(line.split(",").map((text, i) => [names[i], text === "" ? null : Number(text)])),
  );
}
