import { describe, expect, test } from "vitest";
import { codeOf, readNotebooks, template, type Output } from "./notebook.js";

const vegaLite = "application/vnd.vegalite.v5+json";

/** Bytes of an output in its file. */
function bytesOf(output: Output): number {
  return Buffer.byteLength(JSON.stringify(output, null, 1));
}

const notebooks = readNotebooks();
const executed = notebooks.filter(({ name }) => name !== template);

test("the template has no outputs", () => {
  const cells = notebooks.filter(({ name }) => name === template).flatMap(codeOf);
  expect(cells.length).toBeGreaterThan(0);
  for (const { outputs, execution_count: count } of cells) expect([outputs, count]).toEqual([[], null]);
});

describe.each(executed.map((notebook) => [notebook.name, notebook] as const))("%s", (_, notebook) => {
  const code = codeOf(notebook);
  const outputs = code.flatMap((cell) => cell.outputs);

  test("is committed as it ran at full scale, with date and commit", () => {
    expect(notebook.metadata.katlab?.scale).toBe("full");
    expect(notebook.metadata.katlab?.executed).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect(notebook.metadata.katlab?.commit).toMatch(/^[0-9a-f]{7,40}$/);
  });

  test("every cell ran, in order", () => {
    expect(code.map(({ execution_count }) => execution_count)).toEqual(code.map((_, i) => i + 1));
  });

  test("no cell failed or wrote to stderr", () => {
    expect(outputs.filter(({ output_type, name }) => output_type === "error" || name === "stderr")).toEqual(
      [],
    );
  });

  test("every output takes less than 100 kB", () => {
    expect(outputs.map(bytesOf).filter((bytes) => bytes >= 100_000)).toEqual([]);
  });

  test("all outputs together take less than 1 MB", () => {
    expect(outputs.map(bytesOf).reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(1_000_000);
  });

  test("every figure has its picture, at its size, and its text", () => {
    const figures = outputs.filter(({ data }) => data !== undefined && vegaLite in data);
    expect(figures.length).toBeGreaterThan(0);
    for (const { data = {}, metadata = {} } of figures) {
      expect(data["image/png"]).toMatch(/^iVBORw0KGgo/);
      expect(metadata["image/png"]).toMatchObject({ width: expect.any(Number) as number });
      expect([data["text/plain"]].flat().join("")).not.toBe("");
      expect(Object.keys(data)).toHaveLength(3);
    }
  });

  test("nothing in it needs scripts", () => {
    expect(JSON.stringify(outputs)).not.toMatch(/<script|application\/javascript/);
  });
});
