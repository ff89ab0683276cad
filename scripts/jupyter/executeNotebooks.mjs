import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { venvPython } from "../steps/pythonEnvironment.mjs";
import { readCounts } from "../terminal/counts.mjs";
import { jupyterEnvironment } from "./environment.mjs";

/** Kernels that run our notebooks: our own, and tslab as it is published. */
export const kernels = ["katlab", "tslab"];

/**
 * Executes notebooks without a browser, and shows each cell with its time.
 *
 * @param {object} options
 * @param {string} options.root
 * @param {readonly string[]} options.files
 * @param {"quick" | "full"} options.scale
 * @param {string} [options.kernel]
 * @param {boolean} [options.write] store the outputs in the files
 * @param {boolean} [options.show] print what the cells show
 * @returns {Promise<import("../terminal/counts.mjs").Counts>} numbers of code cells
 */
export async function executeNotebooks({
  root,
  files,
  scale,
  kernel = "katlab",
  write = false,
  show = false,
}) {
  const folders = kernel === "tslab" ? [writeTslabKernelspec(root)] : [];
  const child = spawn(
    venvPython(root),
    [
      join(root, "scripts", "jupyter", "execute.py"),
      ...["--kernel", kernel, "--scale", scale],
      ...(scale === "quick" ? ["--timeout", "300"] : []),
      ...(write ? ["--write"] : []),
      ...(show ? ["--show"] : []),
      ...files,
    ],
    { cwd: root, env: jupyterEnvironment(root, process.env, folders), stdio: ["ignore", "pipe", "inherit"] },
  );
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (/** @type {string} */ text) => {
    output += text;
    process.stdout.write(text);
  });
  const code = await new Promise((resolve) => void child.on("close", resolve));
  const counts = readCounts(output);
  return counts ?? { passed: 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

/** Describes tslab's own kernel to Jupyter. @param {string} root @returns {string} a data folder of Jupyter */
function writeTslabKernelspec(root) {
  const data = join(root, ".katlab", "jupyter");
  const folder = join(data, "kernels", "tslab");
  mkdirSync(folder, { recursive: true });
  const program = join(root, "node_modules", "tslab", "bin", "tslab");
  const kernelspec = {
    argv: [process.execPath, program, "kernel", "--config-path", "{connection_file}"],
    display_name: "TypeScript (tslab)",
    language: "typescript",
  };
  writeFileSync(join(folder, "kernel.json"), JSON.stringify(kernelspec, undefined, 2));
  return data;
}
