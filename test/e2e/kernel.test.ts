import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser, missingBrowser } from "./browser.js";
import { codeNotebook } from "./codeNotebook.js";
import { LabPage } from "./labPage.js";
import { startLab, type StartedLab } from "./startCommand.js";

interface Lab {
  commands: { execute(command: string, args?: object): Promise<unknown> };
}
declare const jupyterapp: Lab;

describe.skipIf(missingBrowser)("the kernel in JupyterLab", () => {
  let command: StartedLab;
  let browser: Browser;
  let lab: LabPage;

  beforeAll(async () => {
    const notebook = codeNotebook("kernel.ipynb", [
      'import * as kl from "katlab";\nconst engine = await kl.useEngine({ engine: "wasm" });',
      "kl.tf.tensor2d([[1, 2], [3, 4.5]])",
      "[{ epoch: 1, loss: 0.5 }, { epoch: 2, loss: 0.25 }]",
      'kl.slider({ label: "order", max: 5, value: 2 })',
      "?kl.train",
    ]);
    browser = await launchBrowser();
    command = await startLab({ widgets: false });
    lab = new LabPage(await browser.newPage({ viewport: { width: 1280, height: 1100 } }));
    await lab.goto(command.url);
    await lab.open(notebook);
  });

  afterAll(async () => {
    await browser.close();
    await command.interrupt();
  });

  const visible = (selector: string): ReturnType<LabPage["page"]["locator"]> =>
    lab.page.locator(selector).locator("visible=true");

  /** Types into a new cell at the end of the notebook. */
  async function typeInNewCell(text: string): Promise<void> {
    await visible(".jp-NotebookPanel .jp-Cell").last().click();
    await lab.page.evaluate(() => jupyterapp.commands.execute("notebook:insert-cell-below"));
    await lab.page.evaluate(() => jupyterapp.commands.execute("notebook:enter-edit-mode"));
    await lab.page.keyboard.type(text);
  }

  test("values show themselves: tensors, tables, controls without widgets, help", async () => {
    const { ended } = await lab.runAll();
    await ended;
    await lab.screenshot("kernel-values");
    const shown = await visible(".jp-NotebookPanel .jp-OutputArea-output").allInnerTexts();
    expect(shown[0]).toBe("tensor float32 [2, 2]\n    1    2\n    3  4.5");
    expect(shown[1].split(/\s+/)).toEqual(["epoch", "loss", "1", "0.5", "2", "0.25"]);
    expect(shown[2]).toMatch(/^order: 2 \(0 to 5 by 1\)\nSliders need ipywidgets/);
    expect(shown[3]).toContain("Trains a classifier");
  });

  test("Tab completes katlab's names, and Shift-Tab explains a call from inside its brackets", async () => {
    await typeInNewCell("createMo");
    await lab.page.keyboard.press("Tab");
    await expect.poll(() => visible(".jp-Completer-item").allInnerTexts()).toHaveLength(1);
    expect((await visible(".jp-Completer-item").allInnerTexts())[0]).toContain("kl.createModel");
    await lab.screenshot("kernel-complete");
    await lab.page.keyboard.press("Enter");
    await lab.page.keyboard.type("(");
    await lab.page.keyboard.press("Shift+Tab");
    await expect.poll(() => visible(".jp-Tooltip").allInnerTexts()).toHaveLength(1);
    await lab.screenshot("kernel-inspect");
    expect((await visible(".jp-Tooltip").allInnerTexts())[0]).toContain("createModel(name: ");
    await lab.page.keyboard.press("Escape");
  });

  test("a restart leaves nothing behind, and names come with their import", async () => {
    await lab.page.evaluate(() => void jupyterapp.commands.execute("kernelmenu:restart"));
    await visible(".jp-Dialog button.jp-mod-accept").click();
    await lab.page.waitForTimeout(300);
    await lab.kernelIs("idle");
    await typeInNewCell("const made = createMo");
    // The kernel reads katlab's types while it is idle.
    await expect
      .poll(
        async () => {
          await lab.page.keyboard.press("Tab");
          await lab.page.waitForTimeout(500);
          return visible(".jp-Completer-item").allInnerTexts();
        },
        { timeout: 20_000 },
      )
      .toHaveLength(1);
    await lab.screenshot("kernel-import");
    await lab.page.keyboard.press("Enter");
    const last = (await lab.cells()).at(-1);
    expect(last?.source.trim()).toBe('import { createModel } from "katlab";\nconst made = createModel');
  });

  test("a crash is seen, and the kernel starts again", async () => {
    await typeInNewCell("process.kill(process.pid, 'SIGKILL')");
    await lab.page.evaluate(() => void jupyterapp.commands.execute("notebook:run-cell"));
    await visible(".jp-Dialog").waitFor({ timeout: 30_000 });
    await lab.screenshot("kernel-crash");
    expect(await visible(".jp-Dialog").innerText()).toContain("appears to have died");
    await visible(".jp-Dialog button.jp-mod-accept").click();
    await lab.kernelIs("idle");
  });
});
