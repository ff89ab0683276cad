import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { mustBe, unavailable } from "../errors.js";

const scheme = "file://";
const modelName = "model.json";
const weightsName = "weights.bin";

/**
 * Models of tfjs as files, in the form that tfjs's converter and tfjs-node have: `model.json` with the topology, and
 * binary weights beside it.
 *
 * tfjs-core alone knows no files. Importing katlab/torch makes it understand `"file://"` followed by such a path, so
 * `await model.save("file://models/digits")` and `await tf.loadLayersModel("file://models/digits/model.json")` work too;
 * where tfjs-node is loaded as well, its files come first.
 *
 * @param path to save: a folder, made where it is missing. To load: the folder, or the `.json` file in it.
 * @returns what `model.save`, `tf.loadLayersModel` and `tf.loadGraphModel` take in place of a URL. Loading throws
 *   KatlabError `unavailable` for a file that cannot be read, `invalid` for one that is no model.
 */
export function modelFiles(path: string): tf.io.IOHandler {
  return { save: (artifacts) => save(resolve(path), artifacts), load: () => load(resolve(path)) };
}

/** Makes tfjs understand `"file://…"`, unless it does. */
export function registerModelFiles(): void {
  if (tf.io.getSaveHandlers(scheme).length === 0) tf.io.registerSaveRouter(router(tf.io.getSaveHandlers));
  if (tf.io.getLoadHandlers(scheme).length === 0) tf.io.registerLoadRouter(router(tf.io.getLoadHandlers));
}

type Route = (url: string | string[]) => tf.io.IOHandler;

/** tfjs refuses a URL that two routers take, so this one takes what no other does: tfjs-node may be loaded later. */
function router(handlers: (url: string) => tf.io.IOHandler[]): Route {
  const none = null as unknown as tf.io.IOHandler; // as tfjs wants it, but does not declare it
  let asking = false;
  return (url) => {
    if (asking || typeof url !== "string" || !url.startsWith(scheme)) return none;
    asking = true;
    try {
      return handlers(url).length > 0 ? none : modelFiles(url.slice(scheme.length));
    } finally {
      asking = false;
    }
  };
}

async function save(folder: string, artifacts: tf.io.ModelArtifacts): Promise<tf.io.SaveResult> {
  const modelArtifactsInfo = tf.io.getModelArtifactsInfoForJSON(artifacts);
  const { weightData, weightSpecs = [], ...description } = artifacts;
  const weightsManifest = [{ paths: [weightsName], weights: weightSpecs }];
  await mkdir(folder, { recursive: true });
  await replace(join(folder, weightsName), new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData)));
  await replace(join(folder, modelName), JSON.stringify({ ...description, weightsManifest }));
  return { modelArtifactsInfo };
}

/** Afterwards, also after a fault, the file holds its old content or all of the new one. */
async function replace(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
  try {
    await writeFile(temporary, content);
    await rename(temporary, path);
  } catch (fault) {
    await rm(temporary, { force: true });
    throw fault;
  }
}

async function load(path: string): Promise<tf.io.ModelArtifacts> {
  const file = path.endsWith(".json") ? path : join(path, modelName);
  const model = parse(file, await read(file));
  return tf.io.getModelArtifactsForJSON(model, async (manifest) => {
    const names = manifest.flatMap(({ paths }) => paths);
    const parts = await Promise.all(names.map((name) => read(join(dirname(file), name))));
    return [manifest.flatMap(({ weights }) => weights), joined(parts)];
  });
}

async function read(file: string): Promise<Buffer> {
  return readFile(file).catch((error: unknown) => {
    throw unavailable(
      {
        subject: `modelFiles: ${file}`,
        must: "the file must be readable",
        got: error instanceof Error ? error.message : String(error),
        remedy: "Name the folder that the model was saved to, or the .json file in it.",
      },
      error,
    );
  });
}

function parse(file: string, bytes: Buffer): tf.io.ModelJSON {
  let model: unknown;
  try {
    model = JSON.parse(bytes.toString("utf8"));
  } catch {
    model = undefined;
  }
  if (typeof model === "object" && model !== null && "modelTopology" in model)
    return model as tf.io.ModelJSON;
  throw mustBe({
    subject: `modelFiles: ${file}`,
    must: "must be a model of tfjs: JSON with a modelTopology",
    got: JSON.stringify(bytes.toString("utf8", 0, 40)),
    remedy: "Save it with model.save, or convert it with tfjs's converter.",
  });
}

function joined(parts: readonly Buffer[]): ArrayBuffer {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes.buffer;
}
