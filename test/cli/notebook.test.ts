import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { runCommandLine } from "../../src/cli/main.js";
import { formatNotebook, readNotebook } from "../../src/jupyter/notebook/notebookFile.js";
import { codeCell, notebookOf } from "../jupyter/notebook/cells.js";

const folder = mkdtempSync(path.join(tmpdir(), "katlab-notebook-"));
const file = path.join(folder, "a.ipynb");
const copy = path.join(folder, "out.ipynb");
const notebook = notebookOf(
  codeCell("let epochs = 5;", { metadata: { tags: ["parameters"] } }),
  "const loss = 1 / epochs",
  "if (loss > 0.4) throw new Error('no')\nconsole.log('assert', loss)",
);

const written: string[] = [];
const faults: string[] = [];
beforeEach(() => {
  vi.spyOn(process.stdout, "write").mockImplementation((text) => written.push(String(text)) > 0);
  vi.spyOn(process.stderr, "write").mockImplementation((text) => faults.push(String(text)) > 0);
  vi.spyOn(console, "log").mockImplementation((text) => void written.push(`${text}\n`));
  vi.spyOn(console, "error").mockImplementation((text) => void faults.push(`${text}\n`));
  writeFileSync(file, formatNotebook(notebook));
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

/** What the command prints on either stream, and its exit code. */
async function katlab(...args: string[]): Promise<{ text: string; fault: string; code: unknown }> {
  written.length = faults.length = 0;
  process.exitCode = undefined;
  await runCommandLine(["node", "katlab", "notebook", ...args]);
  return { text: written.join(""), fault: faults.join(""), code: process.exitCode };
}

// Each run starts a kernel, which takes seconds on a busy machine.
describe("katlab notebook run", { timeout: 120_000 }, () => {
  test("writes an executed copy with its parameters, and shows each cell with its time", async () => {
    const { text, code } = await katlab("run", file, "-p", "epochs=4", "-o", copy, "--show");
    expect(code).toBeUndefined();
    expect(text.replace(/ *\d+\.\d s/g, " T").replaceAll("\n T:", "\nT:")).toBe(
      `✓ 1/4 T  let epochs = 5;\n✓ 2/4 T  let epochs = 4;\n✓ 3/4 T  const loss = 1 / epochs\n` +
        `      assert 0.25\n✓ 4/4 T  if (loss > 0.4) throw new Error('no')\nT: 4 passed, 0 failed\nwritten to ${copy}\n`,
    );
    expect(readNotebook(copy).cells[3].outputs).toMatchObject([{ text: "assert 0.25\n" }]);
    expect(readFileSync(file, "utf8")).toBe(formatNotebook(notebook));
  });

  test("exits with 1 when a cell fails, and writes how far it came", async () => {
    const { text, fault, code } = await katlab("run", file, "-p", "epochs=1", "-o", copy);
    expect(code).toBe(1);
    expect(text + fault).not.toContain("\u001b");
    expect(text).toMatch(/✗ 4\/4 .*\n.*3 passed, 1 failed\nwritten to /);
    expect(fault).toMatch(/^cell 4 failed: Error: no\ncell 4, line 1:\n/);
    expect(readNotebook(copy).cells[3].outputs).toMatchObject([{ ename: "Error", evalue: "no" }]);
  });

  test.each([
    ["epohcs=3", /^parameter: must be one of epochs; got "epohcs"\. Did you mean "epochs"\?\n$/],
    ["epochs=few", /^parameter epochs: must be of type number; got "few"/],
  ])("refuses -p %s", async (parameter, message) => {
    const { fault, code } = await katlab("run", file, "-p", parameter);
    expect(code).toBe(1);
    expect(fault).toMatch(message);
  });

  test("stops the cell at Ctrl-C, and writes how far it came", async () => {
    writeFileSync(file, formatNotebook(notebookOf("'first'", "console.log('begun'); while (true) {}", "3")));
    vi.spyOn(process.stdout, "write").mockImplementation((text) => {
      if (String(text) === "      begun\n") process.emit("SIGINT");
      return true;
    });
    const { fault, code } = await katlab("run", file, "-o", copy, "--show");
    expect(code).toBe(1);
    expect(fault).toBe("cell 2 failed: stopped by the user\n");
    expect(readNotebook(copy).cells.map(({ outputs }) => outputs)).toMatchObject([
      [{ data: { "text/plain": "'first'" } }],
      [{ text: "begun\n" }, { ename: "Interrupted" }],
      [],
    ]);
  });

  test("refuses, before any cell runs, a copy that cannot be written", async () => {
    const { text, fault, code } = await katlab("run", file, "-o", path.join(folder, "none", "out.ipynb"));
    expect(code).toBe(1);
    expect(fault).toMatch(/out\.ipynb: must be a file that can be written; got ENOENT/);
    expect(text).toBe("");
  });
});

describe("katlab notebook check", { timeout: 120_000 }, () => {
  test("executes the notebook and compares", async () => {
    await katlab("run", file, "-o", copy);
    expect(await katlab("check", copy)).toMatchObject({
      code: undefined,
      text: expect.stringContaining(`${copy}: came out as committed\n`) as string,
    });
  });

  test("compares two files, and exits with 1 when they differ", async () => {
    await katlab("run", file, "-o", file);
    await katlab("run", file, "-p", "epochs=4", "-o", copy);
    expect(await katlab("check", file, copy)).toEqual({
      code: 1,
      fault: "",
      text: "cell 3 (if (loss > 0.4) throw new Error('no')): shows 0.25; committed: 0.2 (tolerance 0.01)\n",
    });
    expect((await katlab("check", file, copy, "--tolerance", "0.5")).code).toBeUndefined();
  });
});
