#!/usr/bin/env node
import { existsSync, realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { KatlabError } from "../errors.js";
import { dataCommand } from "./data.js";
import { doctorCommand } from "./doctor.js";
import { evaluateCommand } from "./evaluate.js";
import { exportCommand } from "./export.js";
import { kernelCommand } from "./kernel.js";
import { notebookCommand } from "./notebook.js";
import { packCommand } from "./pack.js";
import { packageVersion } from "./packageRoot.js";
import { recipesCommand } from "./recipes.js";
import { trainCommand } from "./train.js";

/** The command `katlab` with all its sub-commands. */
export function katlabCommand(): Command {
  return new Command("katlab")
    .description("An open lab for Kolmogorov–Arnold Transformers")
    .version(packageVersion())
    .showSuggestionAfterError()
    .addCommand(trainCommand())
    .addCommand(evaluateCommand())
    .addCommand(exportCommand())
    .addCommand(recipesCommand())
    .addCommand(dataCommand())
    .addCommand(doctorCommand())
    .addCommand(kernelCommand())
    .addCommand(notebookCommand())
    .addCommand(packCommand());
}

/**
 * Runs a command line. A fault that katlab knows is one sentence on stderr and exit code 1; any other is a
 * fault of the program and shows its stack.
 *
 * @param argv as `process.argv`: the program, the script, then the arguments
 */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  try {
    await katlabCommand().parseAsync([...argv]);
  } catch (fault) {
    console.error(fault instanceof KatlabError ? fault.message : fault);
    process.exitCode = 1;
  }
}

if (isProgram(process.argv[1])) {
  void runCommandLine(process.argv);
}

/** Whether this file is what Node was started with. npm links commands, so the path may be another name of it. */
function isProgram(path: string | undefined): boolean {
  return path !== undefined && existsSync(path) && realpathSync(path) === fileURLToPath(import.meta.url);
}
