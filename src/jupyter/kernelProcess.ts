import { parseArgs } from "node:util";
import { mustBe, unknownOption } from "../errors.js";
import { type EngineName, engineNames, startKernel } from "./kernel.js";
import { logToTerminal } from "./terminal.js";

/**
 * The command line of a kernel process: `[--engine repl|tslab] <connection file>`. A fault is told on the
 * terminal that the Jupyter server was started from, and ends the process with code 1.
 */
export async function runKernelProcess(args: string[]): Promise<void> {
  try {
    const { values, positionals } = parseArgs({
      args,
      options: { engine: { type: "string", default: "repl" } },
      allowPositionals: true,
    });
    if (positionals.length !== 1) {
      throw mustBe({
        subject: "kernel",
        must: "needs one connection file",
        got: positionals.length === 0 ? "none" : positionals.join(" "),
        remedy: "Let Jupyter start the kernel.",
      });
    }
    await startKernel({ connectionFile: positionals[0], engine: engineName(values.engine) });
  } catch (fault) {
    logToTerminal(fault instanceof Error ? fault.message : String(fault));
    process.exitCode = 1;
  }
}

/** @throws KatlabError when there is no engine of this name */
export function engineName(name: string): EngineName {
  const found = engineNames.find((known) => known === name);
  if (found === undefined) throw unknownOption("engine", name, engineNames);
  return found;
}
