import path from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { mustBe } from "../errors.js";

interface EvaluateCommandOptions {
  weights?: string;
  split: "test" | "validation" | "train";
  batchSize: number;
  json?: boolean;
}

/** `katlab evaluate`: how a trained model does on a part of its data. */
export function evaluateCommand(): Command {
  return new Command("evaluate")
    .description("loss and accuracy of a trained model on the data of its run")
    .argument("<config>", "the JSON file the run was described by")
    .option("-w, --weights <file>", "weights to load (default: weights.safetensors of the run)")
    .addOption(
      new Option("--split <part>", "part of the data")
        .choices(["test", "validation", "train"])
        .default("test"),
    )
    .option("--batch-size <n>", "images per forward pass", positiveInteger, 500)
    .option("--json", "print all of the result, predictions and confusion matrix too, as JSON")
    .action(run);
}

async function run(
  file: string,
  { weights, split, batchSize, json = false }: EvaluateCommandOptions,
): Promise<void> {
  const { prepareRun, readRunConfig } = await import("./runConfig.js");
  const config = await readRunConfig(file);
  const [{ evaluate }, { loadWeights }] = await Promise.all([
    import("../training/evaluate.js"),
    import("../io/checkpoint.js"),
  ]);
  const { data, model } = await prepareRun(file, config);
  try {
    await loadWeights(model, weights ?? path.join(config.output, "weights.safetensors"));
    const images = data[split];
    if (images === undefined) {
      throw mustBe({
        subject: `${file}: data`,
        must: "the data must have validation images",
        got: "none",
        remedy: 'Ask for them by data: { "validation": 5000, … }, or take --split test.',
      });
    }
    const result = await evaluate(model, images, { batchSize });
    const { loss, accuracy } = result;
    if (json) {
      const predictions = [...result.predictions];
      console.log(JSON.stringify({ model: model.name, data: data.name, split, ...result, predictions }));
    } else {
      const on = `${data.name}, ${images.size} ${split} images`;
      console.log(
        `${model.name} on ${on}: loss ${loss.toFixed(4)}, accuracy ${(100 * accuracy).toFixed(2)} %`,
      );
    }
  } finally {
    model.dispose();
  }
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError("It must be an integer of at least 1.");
}
