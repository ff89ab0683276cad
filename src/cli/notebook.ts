import path from "node:path";
import { Command, InvalidArgumentError } from "commander";
import type { EngineName } from "../jupyter/kernel.js";
import type { NotebookRun, RunNotebookOptions } from "../jupyter/notebook/runNotebook.js";
import type { NotebookFile } from "../jupyter/notebook/notebookFile.js";
import { withEngine } from "./kernel.js";
import { NotebookProgress } from "./notebookProgress.js";

interface ExecuteOptions {
  parameter: ReadonlyMap<string, string>;
  timeout?: number;
  engine: EngineName;
}

interface RunOptions extends ExecuteOptions {
  output?: string;
  show?: boolean;
}

interface CheckOptions extends ExecuteOptions {
  tolerance?: number;
}

/** `katlab notebook`: notebooks without a browser and without Python. */
export function notebookCommand(): Command {
  const command = new Command("notebook").description("execute and check notebooks, without a browser");
  withExecution(command.command("run"))
    .description("execute a copy of a notebook; the exit code is 1 when a cell fails")
    .argument("<notebook>", "an .ipynb file")
    .option(
      "-o, --output <file>",
      "where to write the executed copy; the notebook itself to store its outputs",
    )
    .option("--show", "print what the cells show, as text")
    .action(run);
  withExecution(command.command("check"))
    .description(
      "compare an executed notebook with the committed one: status, kinds of output, asserted numbers",
    )
    .argument("<committed>", "the notebook as it should come out")
    .argument("[executed]", "an executed copy; by default it is executed now")
    .option("--tolerance <ratio>", "relative difference of asserted numbers (default: 0.01)", notNegative)
    .action(check);
  return command;
}

function withExecution(command: Command): Command {
  return withEngine(command)
    .option(
      "-p, --parameter <name=value>",
      "another value for a variable of the cell tagged parameters; may be repeated",
      addParameter,
      new Map<string, string>(),
    )
    .option("--timeout <seconds>", "time a cell may take (default: no limit)", positive);
}

async function run(file: string, { output, show = false, ...options }: RunOptions): Promise<void> {
  const { readNotebook, writeNotebook } = await import("../jupyter/notebook/notebookFile.js");
  const { ok } = await execute(readNotebook(file), file, options, {
    show,
    ...(output === undefined ? {} : { onCopy: (copy) => writeNotebook(copy, output) }),
  });
  if (output !== undefined) console.log(`written to ${output}`);
  if (!ok) process.exitCode = 1;
}

async function check(
  committed: string,
  executed: string | undefined,
  { tolerance, ...options }: CheckOptions,
): Promise<void> {
  const [{ readNotebook }, { compareNotebooks }] = await Promise.all([
    import("../jupyter/notebook/notebookFile.js"),
    import("../jupyter/notebook/compareNotebooks.js"),
  ]);
  const expected = readNotebook(committed);
  const got =
    executed === undefined
      ? (await execute(expected, committed, options, { show: false })).notebook
      : readNotebook(executed);
  const differences = compareNotebooks(expected, got, tolerance === undefined ? {} : { tolerance });
  for (const { number, source, what } of differences) console.log(`cell ${number} (${source}): ${what}`);
  if (differences.length > 0) process.exitCode = 1;
  else console.log(`${committed}: came out as committed`);
}

async function execute(
  notebook: NotebookFile,
  file: string,
  { parameter, timeout, engine }: ExecuteOptions,
  { show, ...listeners }: { show: boolean } & Pick<RunNotebookOptions, "onCopy">,
): Promise<NotebookRun> {
  const [{ withParameters }, { runNotebook }, { kernelCommand: commandOf }] = await Promise.all([
    import("../jupyter/notebook/parameterCell.js"),
    import("../jupyter/notebook/runNotebook.js"),
    import("../jupyter/kernelspec.js"),
  ]);
  const folder = path.dirname(path.resolve(file));
  const progress = new NotebookProgress({ out: process.stdout, faults: process.stderr, show });
  // Ctrl-C is the stop button; the second one ends the program, and its kernel notices.
  const stop = new AbortController();
  const press = (): void => stop.abort();
  process.once("SIGINT", press);
  try {
    const done = await runNotebook(withParameters(notebook, parameter, folder), {
      argv: commandOf({ engine }),
      folder,
      ...(timeout === undefined ? {} : { timeoutMs: timeout * 1000 }),
      signal: stop.signal,
      ...progress.listeners,
      ...listeners,
    });
    progress.end();
    return done;
  } finally {
    process.off("SIGINT", press);
  }
}

function addParameter(text: string, previous: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("It must be name=value.");
  return new Map([...previous, [text.slice(0, at).trim(), text.slice(at + 1)]]);
}

function positive(text: string): number {
  const value = notNegative(text);
  if (value > 0) return value;
  throw new InvalidArgumentError("It must be a number above 0.");
}

function notNegative(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value >= 0) return value;
  throw new InvalidArgumentError("It must be a number that is not negative.");
}
