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
    const { notebook, cells, ok } = await execute(notebookOf("while (true) {}", "2"), { timeoutMs: 3000 });
    expect(ok).toBe(false);
    expect(cells.map(({ fault }) => fault)).toEqual(["stopped after 3 s"]);
    expect(notebook.cells[0].outputs).toMatchObject([{ ename: "Interrupted" }]);
    expect(notebook.cells[1]).toMatchObject({ outputs: [], execution_count: null });
  });

  test.each([
    ["a loop", "while (true) {}", { ename: "Interrupted" }],
    [
      "code that ends by itself",
      `const { signal } = (globalThis as any)[Symbol.for("jupyter.kernel")];
while (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, 10));
"so far"`,
      { data: { "text/plain": "'so far'" } },
    ],
  ])("ends where it is stopped, and keeps what was shown: %s", async (_name, code, last) => {
    const stop = new AbortController();
    const { notebook, cells, ok } = await execute(notebookOf(`console.log("begun");\n${code}`, "2"), {
      signal: stop.signal,
      onText: () => stop.abort(),
    });
    expect(ok).toBe(false);
    expect(cells.map(({ fault }) => fault)).toEqual(["stopped by the user"]);
    expect(notebook.cells[0].outputs).toMatchObject([{ text: "begun\n" }, last]);
    expect(notebook.cells[1]).toMatchObject({ outputs: [], execution_count: null });
  });

  test("can be kept as it is before the first and after each cell", async () => {
    const counts: unknown[] = [];
    await execute(notebookOf(codeCell("1", { execution_count: 9 }), "throw new Error('no')", "3"), {
      onCopy: ({ cells }) => counts.push(cells.map((cell) => cell.execution_count)),
    });
    expect(counts).toEqual([
      [null, null, null],
      [1, null, null],
      [1, 2, null],
    ]);
  });

  test("ends with its kernel where the copy cannot be kept", async () => {
    const fault = new Error("disk full");
    const keep = (): never => {
      throw fault;
    };
    await expect(execute(notebookOf("1"), { onCopy: keep })).rejects.toBe(fault);
  });

  test("in another language is refused", async () => {
    const kernelspec = { name: "python3", display_name: "Python", language: "python" };
    await expect(execute({ ...notebookOf("1"), metadata: { kernelspec } })).rejects.toThrow(
      /^notebook: must be in TypeScript; got python/,
    );
  });

  test("survives the death of its kernel", async () => {
    const { cells, ok } = await execute(notebookOf("process.kill(process.pid, 'SIGKILL')", "2"));
    expect(ok).toBe(false);
    expect(cells.map(({ fault }) => fault)).toEqual(["the kernel ended with a signal"]);
  });
});
