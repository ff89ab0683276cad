// Started by Jupyter as `node kernel.mjs [--engine repl|tslab] <connection file>`. The spec is found through
// JUPYTER_PATH, at whatever place this package lies; the compiled kernel lies four folders up.
import { runKernelProcess } from "../../../../dist/jupyter/kernelProcess.js";

await runKernelProcess(process.argv.slice(2));
