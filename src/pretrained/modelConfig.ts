import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { mustBe, unavailable, unknownOption } from "../errors.js";
import type { ModelOptions } from "../models/modelOptions.js";
import { listModels, type ModelName } from "../models/registry.js";

/** How a model does on the test images. */
export interface ExportedResult {
  /** Mean loss, nats per image. */
  readonly loss: number;
  /** Share classified rightly, 0 to 1. */
  readonly accuracy: number;
}

/** The data a model was trained on. */
export interface ExportedData {
  /** What it is called. */
  readonly name: string;
  /** Names of the classes; the label is the index. */
  readonly classes: readonly string[];
  /** Mean of each channel, pixels scaled to 0…1. */
  readonly mean: readonly number[];
  /** Standard deviation of each channel, pixels scaled to 0…1. */
  readonly std: readonly number[];
}

/** What a run says of itself; a `Run` is one. */
export interface ExportedRun {
  /** Name of the data set. */
  readonly data: string;
  /** What it ran on, in words. */
  readonly engine: string;
  /** Every setting. */
  readonly recipe: object;
  /** Wall-clock time in seconds. */
  readonly seconds: number;
  /** Whether it ended before its last epoch. */
  readonly stopped: boolean;
  /** How the model does on the test images; null where that was not measured. */
  readonly test: ExportedResult | null;
}

/** What is said of a model beside its weights. */
export interface ExportOptions {
  /** The data it was trained on: names of the classes, and how images are normalised. A `Dataset` is one. */
  readonly data?: ExportedData;
  /** The run that trained it. */
  readonly run?: ExportedRun;
  /** Licence of the weights, a short name as `"MIT"`; default: not stated. */
  readonly licence?: string;
  /** What it is, in a sentence or a paragraph of Markdown. */
  readonly text?: string;
}

/** `config.json` of an exported model. */
export interface ModelConfig extends ExportOptions {
  /** What `createModel` makes of it. */
  readonly model: ModelName;
  /** Options of `createModel`. */
  readonly options: ModelOptions;
  /** Name of the file of weights. */
  readonly weights: string;
  /** Version that wrote it. */
  readonly katlab: string;
}

/** What the file of weights in an exported folder is called. */
export const weightsFile = "model.safetensors";
/** What its description is called. */
export const configFile = "config.json";

/**
 * Reads what `exportModel` said of a model.
 *
 * @throws KatlabError `unavailable` for a folder without `config.json`; `invalid` or `unknown` for another file of that name
 */
export async function readModelConfig(folder: string): Promise<ModelConfig> {
  const path = join(folder, configFile);
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw unavailable(
      {
        subject: `loadPretrained ${folder}`,
        must: `must be a folder with ${configFile}, as exportModel writes it`,
        got: (cause as Error).message,
        remedy: "Check the path; for a file of weights alone, name the model: { model, file }.",
      },
      cause,
    );
  });
  const config = parsed(text);
  if (typeof config?.model !== "string" || config.weights !== weightsFile || !isObject(config.options)) {
    throw mustBe({
      subject: path,
      must: "must be JSON with model, options and weights, as exportModel writes it",
      got: text.slice(0, 60),
      remedy: "Export the model again.",
    });
  }
  if (!(listModels() as string[]).includes(config.model))
    throw unknownOption(path, config.model, listModels());
  return config as unknown as ModelConfig;
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
