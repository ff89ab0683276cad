import { createRequire } from "node:module";
import type { MessagePort } from "node:worker_threads";
import type { Engine, Runner, RunnerEnvironment } from "./engine.js";
import type { LanguageThreadData } from "./languageThread.js";
import { ReplRunner } from "./runner/replRunner.js";
import { startThread } from "./startThread.js";

/**
 * The kernel's own engine: current TypeScript in a thread of its own, cells on the main one.
 *
 * The compiler is not loaded here: its version stands in its package file.
 */
export const replEngine: Engine = {
  version: (createRequire(import.meta.url)("typescript/package.json") as { version: string }).version,

  startLanguage(port: MessagePort, folder: string): void {
    const data: LanguageThreadData = { port, folder };
    startThread("languageThread", data, [port]);
  },

  createRunner(environment: RunnerEnvironment): Runner {
    return new ReplRunner(environment);
  },
};
