import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const executablePath = process.env["KATLAB_CHROMIUM"] ?? "/usr/bin/chromium";

/** Whether there is no browser. Where changes are accepted it must be there: without it the tests run and fail. */
export const missingBrowser: boolean = !existsSync(executablePath) && !process.env["CI"];
if (missingBrowser)
  console.log(`skipped: no Chromium at ${executablePath}; install it or name one in KATLAB_CHROMIUM`);

/** Starts Chromium without a window. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ["--no-sandbox"] : [] });
}
