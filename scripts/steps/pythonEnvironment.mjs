import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { hashFiles } from "./fileHash.mjs";
import { needRoom } from "./prerequisites.mjs";
import { ask, runLogged } from "../terminal/program.mjs";

/** @typedef {import("../setup.mjs").Step} Step */

/**
 * The project's own Python environment, `.venv`.
 *
 * @param {readonly string[]} lists names of requirements files in this folder
 * @returns {Step}
 */
export function pythonEnvironment(lists) {
  const files = lists.map((list) => join("scripts", list));
  const record = (/** @type {string} */ root, /** @type {string} */ file) =>
    join(root, ".venv", "katlab", `${basename(file)}.sha256`);
  const installed = (/** @type {string} */ root, /** @type {string} */ file) =>
    existsSync(record(root, file)) && readFileSync(record(root, file), "utf8") === hashFiles(root, [file]);
  return {
    title: "Python environment (.venv)",
    expect: "about 1 min",
    current({ root }) {
      const current = existsSync(venvPython(root)) && files.every((file) => installed(root, file));
      return current ? "up to date" : undefined;
    },
    async run({ root, python }) {
      needRoom(root, 0.6, "Python environment");
      if (ask(venvPython(root), "-m", "pip", "--version") === undefined) {
        await runLogged({
          root,
          name: "python -m venv",
          command: python,
          args: ["-m", "venv", "--clear", ".venv"],
        });
      }
      // Programs for Node in Python's packages are CommonJS, unlike the package around them.
      writeFileSync(join(root, ".venv", "package.json"), '{ "type": "commonjs" }');
      for (const file of files) rmSync(record(root, file), { force: true });
      await pipInstall(
        root,
        files.flatMap((file) => ["--requirement", file]),
      );
      mkdirSync(join(root, ".venv", "katlab"), { recursive: true });
      for (const file of files) writeFileSync(record(root, file), hashFiles(root, [file]));
      return "installed";
    },
  };
}

/** @param {string} root @returns {string} the environment's interpreter */
export function venvPython(root) {
  return join(root, ".venv", "bin", "python");
}

/**
 * Calls pip of the environment.
 *
 * @param {string} root
 * @param {readonly string[]} args after `pip install`
 * @returns {Promise<string>} standard output
 */
export function pipInstall(root, args) {
  return runLogged({
    root,
    name: "pip install",
    command: venvPython(root),
    args: ["-m", "pip", "--disable-pip-version-check", "--no-input", "install", ...args],
  });
}
