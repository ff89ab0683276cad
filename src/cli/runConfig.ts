import { readFile } from "node:fs/promises";
import path from "node:path";
import type { DatasetName } from "../data/catalogue.js";
import type { Dataset } from "../data/dataset.js";
import type { ImageFolderOptions } from "../data/imageFolder.js";
import type { LoadOptions } from "../data/load.js";
import type { SyntheticOptions } from "../data/syntheticImages.js";
import type { EngineOptions } from "../engine.js";
import { KatlabError, mustBe, unavailable, unknownOption } from "../errors.js";
import type { ModelOptions } from "../models/modelOptions.js";
import type { ModelName } from "../models/registry.js";
import type { VisionTransformer } from "../models/visionTransformer.js";
import type { Sides } from "../shape.js";
import type { CheckpointOptions } from "../training/checkpointFolder.js";
import type { RecipeSettings } from "../training/completeRecipe.js";

/** A run as its file describes it. */
export interface RunConfig {
  /** One of `listModels()`. */
  readonly model: ModelName;
  /** Options of the model. */
  readonly options: ModelOptions;
  /** Name of a data set, `"synthetic"` among them, and options of its loading; without a name, a folder of pictures. */
  readonly data: { readonly name?: string } & LoadOptions & ImageFolderOptions & SyntheticOptions;
  /** A named recipe, and what differs from it. */
  readonly recipe: RecipeSettings;
  /** What computes. */
  readonly engine: EngineOptions;
  /** Folder of all that the run writes, absolute. */
  readonly output: string;
  /** How often checkpoints are written, and how many are kept. */
  readonly checkpoint: Omit<CheckpointOptions, "folder">;
}

async function makeSchema() {
  const z = await import("zod");
  const count = z.int().min(1);
  return z.strictObject({
    model: z.string(),
    options: z.record(z.string(), z.unknown()).default({}),
    data: z.strictObject({
      name: z.string().optional(),
      folder: z.string().optional(),
      fetch: z.boolean().optional(),
      limit: z
        .strictObject({ train: count.optional(), test: count.optional(), seed: z.int().optional() })
        .optional(),
      validation: z.union([count, z.strictObject({ count, seed: z.int().optional() })]).optional(),
      streamed: z.boolean().optional(),
      cache: z.union([z.boolean(), z.string()]).optional(),
      classes: count.optional(),
      size: count.optional(),
      perClass: count.optional(),
      testSize: count.optional(),
      shape: z.tuple([count, count, count]).optional(),
      noise: z.number().optional(),
      seed: z.int().optional(),
    }),
    recipe: z.record(z.string(), z.unknown()).default({}),
    engine: z
      .strictObject({
        engine: z.string().optional(),
        device: z.string().optional(),
        threads: count.optional(),
        precision: z.string().optional(),
        deterministic: z.boolean().optional(),
      })
      .default({}),
    output: z.string(),
    checkpoint: z
      .strictObject({
        every: z.strictObject({ steps: count.optional(), epochs: count.optional() }).optional(),
        keep: count.optional(),
      })
      .default({}),
  });
}

/**
 * Reads the description of a run, a JSON file. Where `data` or `recipe` is a text, it is the name. Paths in it are relative
 * to its folder. Values of the model, the recipe and the engine are checked by those.
 *
 * @throws KatlabError `unavailable` for a file that cannot be read; `invalid` or `unknown`, with the file and the place in
 *   it, for what is no description of a run
 */
export async function readRunConfig(file: string): Promise<RunConfig> {
  const given = withNames(await readJson(file));
  const result = (await makeSchema()).safeParse(given);
  if (!result.success) {
    const [issue] = result.error.issues;
    const place = issue.path.join(".");
    if (issue.code === "unrecognized_keys") {
      const known = place === "" ? [...topKeys] : place === "data" ? [...dataKeys] : [];
      const subject = place === "" ? file : `${file}: ${place}`;
      if (known.length > 0) throw unknownOption(subject, issue.keys[0], known);
    }
    throw mustBe({
      subject: place === "" ? file : `${file}: ${place}`,
      must: issue.message.replace(/^(Invalid input|Too small|Too big): /, ""),
      got: shown(issue.path.reduce(entryOf, given)),
      remedy: "See katlab train --help for an example.",
    });
  }
  const { data, output, ...rest } = result.data;
  const folder = path.dirname(path.resolve(file));
  return {
    ...rest,
    data: {
      ...data,
      ...(data.folder !== undefined && { folder: path.resolve(folder, data.folder) }),
      ...(typeof data.cache === "string" && { cache: path.resolve(folder, data.cache) }),
    },
    output: path.resolve(folder, output),
  } as RunConfig;
}

const topKeys = ["model", "options", "data", "recipe", "engine", "output", "checkpoint"] as const;
const loadKeys = ["folder", "fetch", "size", "limit", "validation", "streamed", "cache"] as const;
const folderKeys = ["folder", "size", "perClass", "limit", "validation", "streamed", "cache"] as const;
const syntheticKeys = ["classes", "size", "testSize", "shape", "noise", "seed"] as const;
const dataKeys = [...new Set(["name", ...loadKeys, ...folderKeys, ...syntheticKeys])] as const;

/**
 * The engine, the data and the model of a description.
 *
 * @throws KatlabError with the file before its message
 */
export async function prepareRun(
  file: string,
  { model, options, data, recipe, engine }: RunConfig,
): Promise<{ engine: string; data: Dataset; model: VisionTransformer }> {
  const [{ useEngine }, { createModel }, { recipeDropPath }] = await Promise.all([
    import("../engine.js"),
    import("../models/registry.js"),
    import("../training/recipes.js"),
  ]);
  return inFile(file, async () => {
    const used = await useEngine(engine);
    const dataset = await loadData(data);
    const [height, width, channels] = dataset.train.shape;
    const imageSize: Sides = height === width ? height : [height, width];
    const dropPath = recipeDropPath(recipe.recipe ?? "small", model);
    const own = { classes: dataset.classes.length, imageSize, channels, dropPath, ...options };
    return { engine: used.toString(), data: dataset, model: createModel(model, own) };
  });
}

/** Runs `f`; a fault that katlab knows gets the file before its message. */
export async function inFile<T>(file: string, f: () => Promise<T>): Promise<T> {
  try {
    return await f();
  } catch (fault) {
    if (!(fault instanceof KatlabError)) throw fault;
    const { code, message, remedy } = fault;
    throw new KatlabError(code, `${file}: ${message}`, { cause: fault, ...(remedy && { remedy }) });
  }
}

async function loadData({ name, ...options }: RunConfig["data"]): Promise<Dataset> {
  const mustKnow = (subject: string, known: readonly string[]): void => {
    const other = Object.keys(options).find((key) => !known.includes(key));
    if (other !== undefined) throw unknownOption(subject, other, known);
  };
  if (name === undefined) {
    const { folder, ...reading } = options;
    if (folder === undefined) {
      throw mustBe({
        subject: "data",
        must: "must have a name, or the folder of pictures",
        got: "neither",
        remedy: "See katlab train --help for an example.",
      });
    }
    mustKnow("data folder", folderKeys);
    return (await import("../data/imageFolder.js")).imageFolder(folder, reading);
  }
  const { catalogue } = await import("../data/catalogue.js");
  const names = ["synthetic", ...Object.keys(catalogue)];
  if (!names.includes(name)) throw unknownOption("loadDataset", name, names);
  mustKnow(`data ${name}`, name === "synthetic" ? syntheticKeys : loadKeys);
  if (name === "synthetic") return (await import("../data/syntheticImages.js")).syntheticImages(options);
  return (await import("../data/load.js")).loadDataset(name as DatasetName, options);
}

async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw unavailable(
      {
        subject: file,
        must: "must be a file that can be read",
        got: (cause as Error).message,
        remedy: "Check the path.",
      },
      cause,
    );
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw mustBe({
      subject: file,
      must: "must be JSON",
      got: (cause as Error).message,
      remedy: "See katlab train --help for an example.",
    });
  }
}

function withNames(given: unknown): unknown {
  if (typeof given !== "object" || given === null || Array.isArray(given)) return given;
  const { data, recipe } = given as { data?: unknown; recipe?: unknown };
  return {
    ...given,
    ...(typeof data === "string" && { data: { name: data } }),
    ...(typeof recipe === "string" && { recipe: { recipe } }),
  };
}

function entryOf(value: unknown, key: PropertyKey): unknown {
  return (value as Readonly<Record<PropertyKey, unknown>> | undefined)?.[key];
}

function shown(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
