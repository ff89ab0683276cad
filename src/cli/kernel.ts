import { Command, InvalidArgumentError, Option } from "commander";
import type { EngineName } from "../jupyter/kernel.js";

interface EngineOption {
  engine: EngineName;
}

interface PlaceOptions {
  user?: boolean;
  prefix?: string;
  project?: boolean;
}

interface InstallOptions extends EngineOption, PlaceOptions {
  name?: string;
}

/**
 * `katlab kernel`: the notebook kernel for TypeScript. What it needs is loaded when it is used, so that other
 * commands start without it.
 */
export function kernelCommand(): Command {
  const command = new Command("kernel").description("the notebook kernel for TypeScript");
  withPlace(withEngine(command.command("install")))
    .description("make the kernel known to Jupyter and VS Code, by absolute paths")
    .option("--name <name>", "name of the kernelspec (default: katlab)")
    .action(install);
  command
    .command("list")
    .description("show where kernels of katlab are installed, and whether they can start")
    .option("--json", "print the list as JSON")
    .action(list);
  withPlace(command.command("remove"))
    .description("remove an installed kernel")
    .argument("[name]", "name of the kernelspec", "katlab")
    .action(remove);
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

/** Adds the options that choose a data folder of Jupyter. */
function withPlace(command: Command): Command {
  return command
    .addOption(new Option("--user", "in the user's data folder (default)").conflicts(["prefix", "project"]))
    .addOption(
      new Option("--prefix <folder>", "in <folder>/share/jupyter, e.g. of a Python environment").conflicts([
        "project",
      ]),
    )
    .option(
      "--project",
      "in the .venv of the project around the current folder, or else in the project itself",
    );
}

function engineNamed(name: string): EngineName {
  if (name === "repl" || name === "tslab") return name;
  throw new InvalidArgumentError("It must be repl or tslab.");
}

async function install({ name, engine, ...place }: InstallOptions): Promise<void> {
  const { installKernelspec } = await import("../jupyter/kernelspec.js");
  const { dataFolder, isFoundByItself } = await dataFolderOf(place);
  const folder = installKernelspec(dataFolder, { engine, ...(name === undefined ? {} : { name }) });
  console.log(`kernelspec written to ${folder}`);
  if (!isFoundByItself) console.log(`Jupyter finds it with JUPYTER_PATH=${dataFolder}`);
}

async function list({ json = false }: { json?: boolean }): Promise<void> {
  const [{ installedKernels }, { allDataFolders }] = await Promise.all([
    import("../jupyter/installedKernels.js"),
    import("../jupyter/dataFolders.js"),
  ]);
  const kernels = installedKernels(allDataFolders(process.cwd()));
  if (json) {
    console.log(JSON.stringify(kernels, undefined, 2));
    return;
  }
  for (const { name, displayName, folder, fault } of kernels) {
    console.log(`${fault === undefined ? "✓" : "✗"} ${name}  ${displayName}  ${folder}`);
    if (fault !== undefined) console.log(`  ${fault}: install it again, or katlab kernel remove ${name}`);
  }
  if (kernels.length === 0) console.log("none installed: katlab kernel install makes one known to Jupyter");
}

async function remove(name: string, place: PlaceOptions): Promise<void> {
  const { removeKernelspec } = await import("../jupyter/installedKernels.js");
  const { dataFolder } = await dataFolderOf(place);
  console.log(`removed ${removeKernelspec(dataFolder, name)}`);
}

async function dataFolderOf({
  prefix,
  project = false,
}: PlaceOptions): Promise<{ dataFolder: string; isFoundByItself: boolean }> {
  const { prefixDataFolder, projectDataFolder, userDataFolder } = await import("../jupyter/dataFolders.js");
  if (project) return projectDataFolder(process.cwd());
  return {
    dataFolder: prefix === undefined ? userDataFolder() : prefixDataFolder(prefix),
    isFoundByItself: true,
  };
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
