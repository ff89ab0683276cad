import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { exists } from "../data/locate.js";
import { mustBe } from "../errors.js";
import { saveWeights } from "../io/checkpoint.js";
import { listModels, type ModelName } from "../models/registry.js";
import type { VisionTransformer } from "../models/visionTransformer.js";
import { modelCard } from "./modelCard.js";
import {
  configFile,
  type ExportedRun,
  type ExportOptions,
  type ModelConfig,
  weightsFile,
} from "./modelConfig.js";

/**
 * Writes a model into a folder that others can use: `model.safetensors` (float32, timm's names), `config.json`, and `README.md`, a
 * model card with its make, its training, its measured accuracy, its limits and how to load it. All of it or nothing:
 * the folder must not be there yet. {@link loadPretrained} of the folder gives the same logits, bit by bit.
 *
 * @param folder a new one
 * @throws KatlabError `invalid` for a model that `createModel` did not make, for a folder that is there, and for data of another
 *   number of classes
 */
export async function exportModel(
  model: VisionTransformer,
  folder: string,
  { data, run, licence, text }: ExportOptions = {},
): Promise<void> {
  const { name, options } = model.config;
  const refused = (must: string, got: string, remedy: string): Error =>
    mustBe({ subject: `exportModel ${folder}`, must, got, remedy });
  if (options === undefined || !(listModels() as string[]).includes(name)) {
    throw refused("the model must be one that createModel made", name, "Save its weights by saveWeights.");
  }
  if (data && data.classes.length !== model.classes) {
    const got = `${data.classes.length}, of ${data.name}`;
    throw refused(
      `data must have the model's ${model.classes} classes`,
      got,
      "Pass the data it was trained on.",
    );
  }
  if (await exists(folder)) throw refused("must be a new folder", "one that is there", "Name another one.");
  const config: ModelConfig = {
    model: name as ModelName,
    options: { ...options, classes: model.classes },
    weights: weightsFile,
    katlab: version(),
    ...(text !== undefined && { text }),
    ...(licence !== undefined && { licence }),
    ...(data && { data: { name: data.name, classes: data.classes, mean: data.mean, std: data.std } }),
    ...(run && { run: plain(run) }),
  };
  const partial = `${folder}.${randomUUID()}.part`;
  try {
    await mkdir(partial, { recursive: true });
    await saveWeights(model, join(partial, weightsFile), { format: "pt", model: name });
    await writeFile(join(partial, configFile), `${JSON.stringify(config, undefined, 2)}\n`);
    await writeFile(join(partial, "README.md"), modelCard(config, model.describe().parameters));
    await rename(partial, folder);
  } catch (fault) {
    await rm(partial, { recursive: true, force: true });
    throw fault;
  }
}

function plain({ data, engine, recipe, seconds, stopped, test }: ExportedRun): ExportedRun {
  return { data, engine, recipe, seconds, stopped, test };
}

/** Of the package; src/pretrained and dist/pretrained both lie two levels under its root, and so does a bundle's only file. */
function version(): string {
  const text = readFileSync(fileURLToPath(new URL("../../package.json", import.meta.url)), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
