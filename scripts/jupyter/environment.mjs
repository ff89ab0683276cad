import { accessSync, constants, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";

/**
 * The environment in which Jupyter finds our kernel, and the kernel finds the Node that runs this.
 *
 * @param {string} root
 * @param {NodeJS.ProcessEnv} env
 * @param {readonly string[]} [folders] more data folders of Jupyter
 * @returns {NodeJS.ProcessEnv}
 */
export function jupyterEnvironment(root, env, folders = []) {
  const data = [...folders, join(root, "share", "jupyter"), env.JUPYTER_PATH].filter(Boolean);
  return {
    ...env,
    ...writableHome(root),
    JUPYTER_PATH: data.join(delimiter),
    PATH: [dirname(process.execPath), env.PATH].filter(Boolean).join(delimiter),
  };
}

/** Jupyter writes into the home folder; a user of a container may have none. */
function writableHome(/** @type {string} */ root) {
  try {
    accessSync(homedir(), constants.W_OK);
    return {};
  } catch {
    const home = join(root, ".katlab", "home");
    mkdirSync(home, { recursive: true });
    return { HOME: home };
  }
}
