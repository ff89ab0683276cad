import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";
import {
  type NotebookRun,
  runNotebook,
  type RunNotebookOptions,
} from "../../../src/jupyter/notebook/runNotebook.js";
import type { NotebookFile } from "../../../src/jupyter/notebook/notebookFile.js";
import { packageRoot } from "../startTestKernel.js";
import { codeCell, notebookOf } from "./cells.js";

const kernel = path.join(packageRoot, "share", "jupyter", "kernels", "katlab", "kernel.mjs");
const argv = [process.execPath, "--no-force-async-hooks-checks", kernel, "{connection_file}"];

const execute = (notebook: NotebookFile, options: Partial<RunNotebookOptions> = {}): Promise<NotebookRun> =>
  runNotebook(notebook, { argv, folder: tmpdir(), ...options });

describe("a notebook", () => {
  test("is executed as a copy, with what it shows", async () => {
    const original = notebookOf(
      { cell_type: "markdown", metadata: {}, source: "# text" },
      codeCell("let n = 1; console.log('n is', n)", { execution_count: 9 }),
      codeCell("throw new Error('never')", { metadata: { tags: ["skip-execution"] } }),
      "   ",
      "n + 1",
    );
    const events: string[] = [];
    const { notebook, cells, ok } = await execute(original, {
      onStart: ({ number }, total) => events.push(`start ${number}/${total}`),
      onText: (text) => events.push(text),
      onCell: ({ number }) => events.push(`end ${number}`),
    });
    expect(ok).toBe(true);
    expect(events).toEqual(["start 1/2", "n is 1\n", "end 1", "start 2/2", "2\n", "end 2"]);
    expect(cells.map(({ index, number }) => [index, number])).toEqual([
      [1, 1],
      [4, 2],
    ]);
    expect(cells.every(({ seconds }) => seconds > 0)).toBe(true);
    expect(notebook.cells.map(({ execution_count: count }) => count)).toEqual([undefined, 1, null, null, 2]);
    expect(notebook.cells[1].outputs).toEqual([{ output_type: "stream", name: "stdout", text: "n is 1\n" }]);
    expect(notebook.cells[4].outputs).toMatchObject([{ output_type: "execute_result", execution_count: 2 }]);
    expect(notebook.metadata["language_info"]).toMatchObject({ name: "typescript" });
    expect(original.cells[1]).toMatchObject({ execution_count: 9, outputs: [] });
  });

  test("ends at a failed cell, and says why", async () => {
    const { notebook, cells, ok } = await execute(
      notebookOf("1", "throw new RangeError('too large')", codeCell("2", { execution_count: 7 })),
    );
    expect(ok).toBe(false);
    expect(cells).toHaveLength(2);
    expect(cells[1].fault).toMatch(/RangeError: too large.*\n.*cell 2, line 1/);
    expect(notebook.cells[1].outputs).toMatchObject([{ output_type: "error", ename: "RangeError" }]);
    expect(notebook.cells[2]).toMatchObject({ outputs: [], execution_count: null });
  });

  test("goes on after a failure that it announces", async () => {
    const expected = codeCell("throw new Error('shown')", { metadata: { tags: ["raises-exception"] } });
    const { notebook, ok } = await execute(notebookOf(expected, "2"));
    expect(ok).toBe(true);
    expect(notebook.cells[0].outputs).toMatchObject([{ output_type: "error" }]);
  });

  test("has a limit of time for each cell", async () => {
    const { notebook, cells, ok } = await execute(notebookOf("1", "console.log('begun'); while (true) {}"), {
      timeoutMs: 4000,
    });
    expect(ok).toBe(false);
    expect(cells[1].fault).toBe("stopped after 4 s");
    expect(notebook.cells[1].outputs).toMatchObject([{ text: "begun\n" }, { ename: "Interrupted" }]);
  });

  test("survives the death of its kernel", async () => {
    const { cells, ok } = await execute(notebookOf("process.kill(process.pid, 'SIGKILL')", "2"));
    expect(ok).toBe(false);
    expect(cells.map(({ fault }) => fault)).toEqual(["the kernel ended with a signal"]);
  });
});
