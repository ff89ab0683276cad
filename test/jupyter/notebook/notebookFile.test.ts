import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import {
  formatNotebook,
  languageOf,
  parseNotebook,
  readNotebook,
  writeNotebook,
} from "../../../src/jupyter/notebook/notebookFile.js";
import { codeCell, notebookOf } from "./cells.js";

const folder = fileURLToPath(new URL("../../../notebooks", import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith(".ipynb"));

describe("notebook files", () => {
  test.each(files)("of Jupyter come back as they were: %s", (name) => {
    const text = readFileSync(path.join(folder, name), "utf8");
    expect(formatNotebook(parseNotebook(text, name))).toBe(text);
  });

  test("have lines where Jupyter has them, and no others", () => {
    const cell = codeCell("a\n\nb", {
      outputs: [
        { output_type: "stream", name: "stdout", text: "one\ntwo" },
        {
          output_type: "display_data",
          data: {
            "text/html": "<b>\n</b>",
            "image/png": "AA\nAA",
            "image/svg+xml": "<svg>\n",
            "application/json": ["x", "y"],
          },
          metadata: {},
        },
      ],
    });
    const text = formatNotebook(notebookOf(cell));
    const [stored] = (JSON.parse(text) as { cells: Record<string, unknown>[] }).cells;
    expect(stored["source"]).toEqual(["a\n", "\n", "b"]);
    expect(stored["outputs"]).toMatchObject([
      { text: ["one\n", "two"] },
      {
        data: {
          "text/html": ["<b>\n", "</b>"],
          "image/png": "AA\nAA",
          "image/svg+xml": ["<svg>\n"],
          "application/json": ["x", "y"],
        },
      },
    ]);
    expect(parseNotebook(text, "x").cells).toEqual([{ id: "cell-0", ...cell }]);
  });

  test("have lines where Python sees them", () => {
    const source = "a\rb\r\nc\vd\fe\x1cf\x85g\u2028h\u2029\n\n";
    const text = formatNotebook(notebookOf(source));
    const [stored] = (JSON.parse(text) as { cells: Record<string, unknown>[] }).cells;
    // Made with Python: text.splitlines(True)
    expect(stored["source"]).toEqual([
      ...["a\r", "b\r\n", "c\v", "d\f", "e\x1c", "f\x85", "g\u2028", "h\u2029", "\n", "\n"],
    ]);
    expect(parseNotebook(text, "x").cells[0].source).toBe(source);
  });

  test("tell their language", () => {
    const kernelspec = { name: "python3", display_name: "Python", language: "Python" };
    expect(languageOf({ ...notebookOf(), metadata: { kernelspec } })).toBe("python");
    const info = { language_info: { name: "typescript" } };
    expect(languageOf({ ...notebookOf(), metadata: info })).toBe("typescript");
    expect(languageOf(notebookOf())).toBeUndefined();
  });

  test("that cannot be written are named", () => {
    expect(() => writeNotebook(notebookOf("1"), "/no/such/out.ipynb")).toThrow(
      /^\/no\/such\/out\.ipynb: must be a file that can be written; got ENOENT/,
    );
  });

  test.each(["", "{}", '{"nbformat": 3, "worksheets": []}', '{"nbformat": 4, "cells": [{}]}'])(
    "are told from %j",
    (text) => {
      expect(() => parseNotebook(text, "a.ipynb")).toThrow(/^a\.ipynb: must be a notebook of format 4; got /);
    },
  );

  test("that are not there are named", () => {
    expect(() => readNotebook("/no/such.ipynb")).toThrow(
      /^\/no\/such\.ipynb: must be a notebook that can be read/,
    );
  });
});
