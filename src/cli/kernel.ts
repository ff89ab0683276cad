import path from "node:path";
import { Command, InvalidArgumentError } from "commander";
import type { EngineName } from "../jupyter/kernel.js";

interface EngineOption {
  engine: EngineName;
}

interface InstallOptions extends EngineOption {
  prefix?: string;
  name?: string;
}

/**
 * `katlab kernel`: the notebook kernel for TypeScript. What it needs is loaded when it is used, so that other
 * commands start without it.
 */
export function kernelCommand(): Command {
  const command = new Command("kernel").description("the notebook kernel for TypeScript");
  withEngine(command.command("install"))
    .description("make the kernel known to Jupyter, by absolute paths")
    .option("--prefix <folder>", "into <folder>/share/jupyter instead of the user's data folder")
    .option("--name <name>", "name of the kernelspec")
    .action(install);
  withEngine(command.command("check"))
    .description("start the kernel, run a cell, and print how long both took")
    .action(check);
  command.command("path").description("print what to put into JUPYTER_PATH").action(printPath);
  withEngine(command.command("run", { hidden: true }))
    .description("become a kernel; Jupyter calls this")
    .argument("<connection-file>")
    .action(run);
  return command;
}

/** Adds the option that chooses what runs cells. */
export function withEngine(command: Command): Command {
  return command.option(
    "--engine <name>",
    "what compiles and runs cells: repl or tslab",
    engineNamed,
    "repl",
  );
}

function engineNamed(name: string): EngineName {
  if (name === "repl" || name === "tslab") return name;
  throw new InvalidArgumentError("It must be repl or tslab.");
}

async function install({ prefix, name, engine }: InstallOptions): Promise<void> {
  const { installKernelspec, userDataFolder } = await import("../jupyter/kernelspec.js");
  const dataFolder =
    prefix === undefined ? userDataFolder() : path.join(path.resolve(prefix), "share", "jupyter");
  const folder = installKernelspec(dataFolder, { engine, ...(name === undefined ? {} : { name }) });
  console.log(`kernelspec written to ${folder}`);
}

async function check({ engine }: EngineOption): Promise<void> {
  const [{ KernelClient }, kernelspec] = await Promise.all([
    import("../jupyter/client.js"),
    import("../jupyter/kernelspec.js"),
  ]);
  const started = performance.now();
  const kernel = await KernelClient.start({ argv: kernelspec.kernelCommand({ engine }) });
  const ready = performance.now();
  const { reply } = await kernel.execute("1 + 1");
  const executed = performance.now();
  await kernel.shutdown();
  console.log(
    `kernel (${engine}): ready after ${Math.round(ready - started)} ms, ` +
      `first cell ${String(reply["status"])} after ${Math.round(executed - ready)} ms more`,
  );
  if (reply["status"] !== "ok") process.exitCode = 1;
}

async function printPath(): Promise<void> {
  const { jupyterPath } = await import("../jupyter/kernelspec.js");
  console.log(jupyterPath);
}

async function run(connectionFile: string, { engine }: EngineOption): Promise<void> {
  const { startKernel } = await import("../jupyter/kernel.js");
  await startKernel({ connectionFile, engine });
}
