import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { formatNotebook, parseNotebook, readNotebook } from "../../../src/jupyter/notebook/notebookFile.js";
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
