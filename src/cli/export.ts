import { readFile } from "node:fs/promises";
import path from "node:path";
import { Command } from "commander";
import { mustBe } from "../errors.js";
import type { ExportedRun } from "../pretrained/modelConfig.js";

interface ExportCommandOptions {
  output: string;
  weights?: string;
  licence?: string;
  text?: string;
}

/** `katlab export`: the model of a run as a folder that others can load. */
export function exportCommand(): Command {
  return new Command("export")
    .description("write the model of a run as a folder: safetensors, its make, and a model card")
    .argument("<config>", "the JSON file the run was described by")
    .requiredOption("-o, --output <folder>", "a new folder")
    .option("-w, --weights <file>", "weights to take (default: weights.safetensors of the run)")
    .option("--licence <name>", 'licence of the weights, as "MIT" (default: not stated)')
    .option("--text <text>", "what the model is, for its card")
    .action(run);
}

async function run(file: string, { output, weights, licence, text }: ExportCommandOptions): Promise<void> {
  const { prepareRun, readRunConfig } = await import("./runConfig.js");
  const config = await readRunConfig(file);
  const [{ exportModel }, { loadWeights }] = await Promise.all([
    import("../pretrained/exportModel.js"),
    import("../io/checkpoint.js"),
  ]);
  const { data, model } = await prepareRun(file, config);
  try {
    await loadWeights(model, weights ?? path.join(config.output, "weights.safetensors"));
    // What the run measured is said of its own weights only.
    const record = weights === undefined ? await readRun(path.join(config.output, "run.json")) : undefined;
    await exportModel(model, output, {
      data,
      ...(record && { run: record }),
      ...(licence !== undefined && { licence }),
      ...(text !== undefined && { text }),
    });
    console.log(`${model.name}: written to ${path.resolve(output)}`);
  } finally {
    model.dispose();
  }
}

/** What `katlab train` wrote of the run; undefined where it was not finished. */
async function readRun(file: string): Promise<ExportedRun | undefined> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as ExportedRun;
  } catch (cause) {
    throw mustBe({
      subject: file,
      must: "must be JSON",
      got: (cause as Error).message,
      remedy: "Run katlab train again, or take it away.",
    });
  }
}
