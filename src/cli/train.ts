import path from "node:path";
import { Command } from "commander";

interface TrainCommandOptions {
  resume?: boolean;
  output?: string;
  quiet?: boolean;
}

const help = `
config.json, for example; paths in it are relative to it:

  {
    "model": "kat_test_patch7_28",
    "options": { "dropPath": 0.1 },
    "data": "fashion-mnist",
    "recipe": { "recipe": "small", "epochs": 10 },
    "engine": { "precision": "float32" },
    "output": "runs/1",
    "checkpoint": { "every": { "steps": 500 }, "keep": 2 }
  }

"data" may also be { "name": "cifar10", "validation": 5000 } (katlab data list shows the names), or the folder of pictures
in train/<class>/ and test/<class>/: { "folder": "pictures", "size": 64 }.

The output folder gets run.jsonl, steps.parquet, epochs.parquet, run.json, checkpoints/ and weights.safetensors.
Exits with 0 when the run is done; 1 after an error, or when it diverged; 130 when Ctrl-C stopped it (143: SIGTERM),
after it has written a checkpoint. A second Ctrl-C ends it at once.`;

/** Exit codes of a run that a signal stopped. */
const stopped = { SIGINT: 130, SIGTERM: 143 } as const;

/** `katlab train`: a run described in a file. */
export function trainCommand(): Command {
  return new Command("train")
    .description("train a model as a file describes it; can be stopped and resumed")
    .argument("<config>", "a JSON file")
    .option("--resume", "go on from the newest checkpoint, if there is one")
    .option("-o, --output <folder>", "another folder for what the run writes")
    .option("-q, --quiet", "print no progress")
    .addHelpText("after", help)
    .action(run);
}

async function run(
  file: string,
  { resume = false, output, quiet = false }: TrainCommandOptions,
): Promise<void> {
  const { inFile, prepareRun, readRunConfig } = await import("./runConfig.js");
  const config = await readRunConfig(file);
  const folder = output === undefined ? config.output : path.resolve(output);
  const [{ train }, { saveWeights }] = await Promise.all([
    import("../training/train.js"),
    import("../io/checkpoint.js"),
  ]);
  const { engine, data, model } = await prepareRun(file, config);
  if (!quiet) console.log(`${model.name} on ${data.toString()}\n${engine}`);
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => stop.abort(signal);
  for (const signal of Object.keys(stopped)) process.once(signal, onSignal);
  try {
    const done = await inFile(file, () =>
      train(model, data, {
        ...config.recipe,
        checkpoint: { ...config.checkpoint, folder: path.join(folder, "checkpoints") },
        ...{ resume, log: folder, show: !quiet, signal: stop.signal },
      }),
    );
    await saveWeights(model, path.join(folder, "weights.safetensors"), {
      model: model.name,
      recipe: JSON.stringify(done.recipe),
    });
    if (!quiet) console.log(`${done.toString()}\nwritten to ${folder}`);
    if (stop.signal.aborted) {
      console.error(`stopped; katlab train ${file} --resume goes on`);
      process.exitCode = stopped[stop.signal.reason as keyof typeof stopped];
    } else if (done.divergence !== null) {
      console.error(`diverged at step ${done.divergence.step}: ${done.divergence.reason}`);
      process.exitCode = 1;
    }
  } finally {
    for (const signal of Object.keys(stopped)) process.off(signal, onSignal);
    model.dispose();
  }
}
