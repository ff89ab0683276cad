import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { processTree } from "./processes.js";

/** The repository's folder. */
export const root: string = fileURLToPath(new URL("../../", import.meta.url));

/** `npm start` at work. */
export interface StartedLab {
  /** What it printed as JupyterLab's address. */
  readonly url: string;
  /** Process ids of everything it has started that still runs. */
  processes(): number[];
  /** Presses Ctrl-C, unless it has ended, and waits until all its output has ended. */
  interrupt(): Promise<void>;
}

/** Settings with which all cells of a page exist, and nothing pops up over them. */
const settings = {
  "@jupyterlab/notebook-extension/tracker": { windowingMode: "none", maxNumberOutputs: 1000 },
  "@jupyterlab/apputils-extension/notification": { fetchNews: "false", checkForUpdates: false },
  "@jupyterlab/docmanager-extension/plugin": { autosave: false },
};

/** What JupyterLab leaves out, as if ipywidgets were not installed. */
const withoutWidgets = { disabledExtensions: { "@jupyter-widgets/jupyterlab-manager": true } };

/**
 * Runs `npm start -- --no-browser` as a user would, with a configuration of its own.
 *
 * @param options widgets: whether JupyterLab knows them
 * @throws Error with all that it printed, when it ends before it shows an address
 */
export async function startLab({ widgets = true }: { widgets?: boolean } = {}): Promise<StartedLab> {
  const config = mkdtempSync(join(tmpdir(), "katlab-e2e-"));
  write(join(config, "jupyter_lab_config.json"), { LabApp: { expose_app_in_browser: true } });
  for (const [name, values] of Object.entries(settings)) {
    write(join(config, "lab", "user-settings", `${name}.jupyterlab-settings`), values);
  }
  if (!widgets) write(join(config, "labconfig", "page_config.json"), withoutWidgets);
  const child = spawn("npm", ["start", "--", "--no-browser"], {
    cwd: root,
    env: { ...process.env, JUPYTER_CONFIG_DIR: config },
    stdio: ["ignore", "pipe", "pipe"],
    // Ctrl-C reaches all programs of a terminal's foreground group; so it does here.
    detached: true,
  });
  let running = true;
  const ended = new Promise<void>((resolve) => {
    child.on("close", () => {
      running = false;
      rmSync(config, { recursive: true, force: true });
      resolve();
    });
  });
  return {
    url: await printedAddress(child),
    processes: () => (child.pid === undefined ? [] : processTree(child.pid)),
    async interrupt() {
      if (running && child.pid !== undefined) process.kill(-child.pid, "SIGINT");
      await ended;
    },
  };
}

function printedAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        const url = /^JupyterLab: (\S+)$/m.exec(output)?.[1];
        if (url !== undefined) resolve(url);
      });
    }
    child.on("close", () => reject(new Error(output)));
  });
}

function write(file: string, content: object): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(content));
}
