import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser, missingBrowser } from "./browser.js";
import { codeNotebook, storeNotebook } from "./codeNotebook.js";
import { type Cell, LabPage } from "./labPage.js";
import { isAlive } from "./processes.js";
import { root, startLab, type StartedLab } from "./startCommand.js";

interface Notebook {
  cells: {
    cell_type: string;
    source: string | string[];
    metadata: object;
    outputs?: unknown[];
    execution_count?: null;
  }[];
}

/** Stores a copy of the quick start at quick scale, without outputs; gives its path and its last cell. */
function copyQuickStart(): string {
  const notebook = JSON.parse(readFileSync(join(root, "notebooks/00-quick-start.ipynb"), "utf8")) as Notebook;
  for (const cell of notebook.cells.filter(({ cell_type }) => cell_type === "code")) {
    cell.source = [cell.source]
      .flat()
      .join("")
      .replace(/(\bscale\b[^=\n]*=\s*)"full"/, '$1"quick"');
    cell.outputs = [];
    cell.execution_count = null;
  }
  return storeNotebook("quick-start.ipynb", notebook);
}

const errorsOf = (cells: readonly Cell[]): (string | undefined)[] =>
  cells.flatMap(({ outputs }) =>
    outputs.filter(({ output_type }) => output_type === "error").map(({ evalue }) => evalue),
  );

const textOf = ({ outputs }: Cell): string =>
  outputs.map(({ text, data }) => text ?? (data?.["text/plain"] as string | undefined) ?? "").join("");

describe.skipIf(missingBrowser)("JupyterLab by npm start", () => {
  let command: StartedLab;
  let browser: Browser;
  let lab: LabPage;

  beforeAll(async () => {
    browser = await launchBrowser();
    command = await startLab();
    lab = new LabPage(await browser.newPage({ viewport: { width: 1280, height: 960 } }));
  });

  afterAll(async () => {
    await browser.close();
    await command.interrupt();
  });

  test("opens the quick start in our kernel", async () => {
    await lab.goto(command.url);
    expect(await lab.path()).toBe("notebooks/00-quick-start.ipynb");
    expect(await lab.kernel()).toBe("katlab");
  });

  test("runs the quick start: every cell, no error, charts drawn", async () => {
    await lab.open(copyQuickStart());
    const { ended } = await lab.runAll();
    await ended;
    const code = (await lab.cells()).filter(({ type, source }) => type === "code" && source.trim() !== "");
    await lab.screenshot("quick-start-end");
    expect(errorsOf(code)).toEqual([]);
    expect(code.map(({ executionCount }) => executionCount)).toEqual(code.map((_, index) => index + 1));
    const vega = code
      .flatMap(({ outputs }) => outputs)
      .filter(({ data }) => data && "application/vnd.vegalite.v5+json" in data);
    expect(vega.length).toBeGreaterThanOrEqual(4);
    await expect.poll(() => lab.charts(), { timeout: 20_000 }).toBe(vega.length);
    expect(vega.filter(({ data }) => !(data && "image/png" in data && "text/plain" in data))).toEqual([]);
  });

  test("the stop button ends training early, and what was trained so far is kept", async () => {
    const path = codeNotebook("stop.ipynb", [
      'import * as kl from "katlab";\nawait kl.useEngine();',
      'const data = await kl.loadDataset("fashion-mnist", { limit: { train: 6000, test: 500 } });',
      'const model = kl.createModel("kat_test_patch7_28", { classes: 10, seed: 1 });',
      "const run = await kl.train(model, data, { epochs: 1000, seed: 1 });",
      "JSON.stringify({ stopped: run.stopped, seconds: run.seconds })",
    ]);
    await lab.open(path);
    const { ended } = await lab.runAll();
    await expect.poll(() => lab.charts(), { timeout: 120_000 }).toBeGreaterThan(0);
    await lab.page.waitForTimeout(3000);
    const pressed = Date.now();
    await lab.stop();
    await ended;
    const cells = await lab.cells();
    await lab.screenshot("stopped");
    expect(Date.now() - pressed).toBeLessThan(10_000);
    expect(errorsOf(cells)).toEqual([]);
    expect(textOf(cells[4])).toContain('"stopped":true');
  });

  test("a mistake shows what is wrong, and in which line", async () => {
    await lab.open(codeNotebook("mistake.ipynb", ["const a = 1;\nconst b: string = a;", "1 + 1"]));
    const { ended } = await lab.runAll();
    await ended;
    const [mistake, next] = await lab.cells();
    await lab.screenshot("mistake");
    expect(errorsOf([mistake]).join()).toContain("not assignable");
    expect(next.executionCount).toBeNull();
  });

  test("Ctrl-C ends JupyterLab and its kernels", async () => {
    const processes = command.processes();
    expect(processes.length).toBeGreaterThanOrEqual(3 + 4);
    await command.interrupt();
    await expect.poll(() => processes.filter(isAlive), { timeout: 5000 }).toEqual([]);
  });
});
