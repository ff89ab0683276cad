import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser, missingBrowser } from "./browser.js";
import { codeNotebook } from "./codeNotebook.js";
import { LabPage } from "./labPage.js";
import { startLab, type StartedLab } from "./startCommand.js";

const cells = [
  'import * as kl from "katlab";',
  'const order = kl.slider({ label: "order", max: 5, value: 2, onChange: (value) => console.log(`now ${value}`) });\norder',
  'kl.button({ label: "count", onPress: () => console.log("pressed") })',
];

describe.skipIf(missingBrowser)("controls with ipywidgets", () => {
  let command: StartedLab;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    browser = await launchBrowser();
    command = await startLab();
    page = await browser.newPage({ viewport: { width: 1280, height: 960 } });
  });

  afterAll(async () => {
    await browser.close();
    await command.interrupt();
  });

  /** Moves the slider and presses the button; gives what their listeners print. */
  async function useControls(): Promise<string> {
    const shown = page.locator(".jp-Notebook").locator("visible=true");
    const track = shown.locator(".widget-slider .noUi-target");
    await track.waitFor({ timeout: 60_000 });
    expect(await shown.locator(".widget-readout").innerText()).toBe("2");
    const { width, height } = (await track.boundingBox()) ?? { width: 0, height: 0 };
    await track.click({ position: { x: (3 / 5) * width, y: height / 2 } });
    await shown.locator(".widget-button").click();
    const printed = (): Promise<string[]> => shown.locator('[data-mime-type*="stdout"]').allInnerTexts();
    await expect.poll(printed, { timeout: 10_000 }).toHaveLength(2);
    expect(await shown.locator(".widget-readout").innerText()).toBe("3");
    return (await printed()).join("").replace(/\s+/g, " ").trim();
  }

  test("work in JupyterLab", async () => {
    const lab = new LabPage(page);
    await lab.goto(command.url);
    await lab.open(codeNotebook("widgets.ipynb", cells));
    const { ended } = await lab.runAll();
    await ended;
    expect(await useControls()).toBe("now 3 pressed");
    await lab.screenshot("widgets-lab");
  });

  test("work in Notebook 7, which runs our kernel as JupyterLab does", async () => {
    const url = new URL(command.url);
    url.pathname = `/notebooks/${codeNotebook("notebook7.ipynb", cells)}`;
    await page.goto(url.href);
    // Cells that are run before the kernel is there are not run.
    await page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').waitFor({ timeout: 60_000 });
    await page.getByRole("menuitem", { name: "Run", exact: true }).click();
    await page.getByRole("menuitem", { name: "Run All Cells", exact: true }).click();
    expect(await useControls()).toBe("now 3 pressed");
    await new LabPage(page).screenshot("widgets-notebook7");
  });
});
