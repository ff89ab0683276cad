import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Page } from "playwright-core";
import { root } from "./startCommand.js";

/** An output as the notebook holds it. */
export interface Output {
  output_type: string;
  /** By MIME type, of displays and results. */
  data?: Record<string, unknown>;
  /** Of streams. */
  text?: string;
  /** Of errors. */
  ename?: string;
  evalue?: string;
}

/** A cell as the notebook holds it. */
export interface Cell {
  type: string;
  source: string;
  executionCount: number | null;
  outputs: Output[];
}

// The few parts of JupyterLab's application object that are used here.
interface Lab {
  commands: { execute(command: string, args?: object): Promise<unknown> };
  shell: { currentWidget: NotebookPanel | null };
}
interface NotebookPanel {
  context: { path: string; ready: Promise<void> };
  /** Pages of other kinds have none. */
  sessionContext?: { session: { kernel: { name: string; status: string } | null } | null };
  content: { widgets: { model: CellModel }[] };
}
interface CellModel {
  type: string;
  executionCount: number | null;
  sharedModel: { getSource(): string };
  outputs?: { toJSON(): Output[] };
}
declare const jupyterapp: Lab;

/** JupyterLab in a browser. */
export class LabPage {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** Opens an address and waits until its notebook's kernel is idle. */
  async goto(url: string): Promise<void> {
    await this.page.goto(url);
    await this.kernelIs("idle");
  }

  /** Opens a notebook by its path and waits until its kernel is idle. */
  async open(path: string): Promise<void> {
    await this.page.evaluate(
      (path) => void jupyterapp.commands.execute("docmanager:open", { path, factory: "Notebook" }),
      path,
    );
    await this.page.waitForFunction((path) => jupyterapp.shell.currentWidget?.context.path === path, path);
    await this.kernelIs("idle");
  }

  /** Waits for a state of the current notebook's kernel. */
  async kernelIs(status: "idle" | "busy"): Promise<void> {
    await this.page.waitForFunction(
      (status) => {
        if (!("jupyterapp" in globalThis)) return false;
        return jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === status;
      },
      status,
      { timeout: 60_000 },
    );
  }

  /** Path of the current notebook. */
  path(): Promise<string | undefined> {
    return this.page.evaluate(() => jupyterapp.shell.currentWidget?.context.path);
  }

  /** Name of the current notebook's kernel. */
  kernel(): Promise<string | undefined> {
    return this.page.evaluate(() => jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.name);
  }

  /** Starts all cells, as the menu does; gives a promise of their end. */
  async runAll(): Promise<{ ended: Promise<void> }> {
    const ended = this.page.evaluate(async () => {
      await jupyterapp.commands.execute("notebook:run-all-cells");
    });
    await this.kernelIs("busy");
    return { ended };
  }

  /** Presses the stop button of the toolbar. */
  async stop(): Promise<void> {
    await this.page.locator('[data-command="notebook:interrupt-kernel"]').locator("visible=true").click();
  }

  /** All cells of the current notebook. */
  cells(): Promise<Cell[]> {
    return this.page.evaluate(() =>
      (jupyterapp.shell.currentWidget?.content.widgets ?? []).map(({ model }) => ({
        type: model.type,
        source: model.sharedModel.getSource(),
        executionCount: model.executionCount,
        outputs: model.outputs?.toJSON() ?? [],
      })),
    );
  }

  /** How many charts are drawn, not merely shown as pictures. */
  charts(): Promise<number> {
    return this.page
      .locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-OutputArea .vega-embed :is(canvas, svg.marks)")
      .count();
  }

  /** Shows a place in the notebook and stores what the window shows. */
  async screenshot(name: string, place?: string): Promise<string> {
    const file = join(root, ".katlab", "e2e", `${name}.png`);
    mkdirSync(dirname(file), { recursive: true });
    if (place !== undefined) await this.page.locator(place).first().scrollIntoViewIfNeeded();
    await this.page.screenshot({ path: file });
    return file;
  }
}
