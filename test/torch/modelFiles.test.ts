import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { modelFiles, registerModelFiles } from "../../src/torch/modelFiles.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "katlab-model-"));
  registerModelFiles();
});
afterAll(() => rm(folder, { recursive: true }));

const artifacts: tf.io.ModelArtifacts = {
  modelTopology: { layers: ["a", "b"] },
  format: "layers-model",
  generatedBy: "a test",
  convertedBy: null,
  userDefinedMetadata: { note: { text: "ü" } },
  trainingConfig: { optimizer_config: {}, loss: "meanSquaredError" },
  weightSpecs: [
    { name: "a/kernel", shape: [2, 1], dtype: "float32" },
    { name: "b/steps", shape: [], dtype: "int32" },
  ],
  weightData: [new Float32Array([1.5, -2]).buffer, new Int32Array([7]).buffer],
};

/** Saves with a handler and loads with another. */
async function roundTrip(saver: tf.io.IOHandler, loader: tf.io.IOHandler): Promise<tf.io.ModelArtifacts> {
  await saver.save?.(artifacts);
  return (await loader.load?.()) as tf.io.ModelArtifacts;
}

const onlyHandler = (handlers: tf.io.IOHandler[]): tf.io.IOHandler => {
  expect(handlers).toHaveLength(1);
  return handlers[0];
};

describe("what is saved is loaded", () => {
  const joined = { ...artifacts, weightData: tf.io.CompositeArrayBuffer.join(artifacts.weightData) };

  test("from the folder, and from the file in it", async () => {
    const place = join(folder, "new", "model");
    expect(await roundTrip(modelFiles(place), modelFiles(place))).toEqual(joined);
    expect(await modelFiles(join(place, "model.json")).load?.()).toEqual(joined);
    expect((await readdir(place)).sort()).toEqual(["model.json", "weights.bin"]);
  });

  test("over an older model", async () => {
    const place = join(folder, "twice");
    await modelFiles(place).save?.({ ...artifacts, weightData: new ArrayBuffer(12) });
    expect(await roundTrip(modelFiles(place), modelFiles(place))).toEqual(joined);
  });

  test("by tfjs's URLs, spaces and all", async () => {
    const url = `file://${join(folder, "a folder, 100%")}`;
    const saver = onlyHandler(tf.io.getSaveHandlers(url));
    const loader = onlyHandler(tf.io.getLoadHandlers(`${url}/model.json`));
    expect(await roundTrip(saver, loader)).toEqual(joined);
  });

  test("without weights", async () => {
    const place = join(folder, "bare");
    await modelFiles(place).save?.({ modelTopology: {} });
    expect(await modelFiles(place).load?.()).toMatchObject({ modelTopology: {}, weightSpecs: [] });
  });

  test("says what it saved", async () => {
    const result = await modelFiles(join(folder, "told")).save?.(artifacts);
    expect(result).toMatchObject({ modelArtifactsInfo: { modelTopologyType: "JSON", weightDataBytes: 12 } });
  });
});

test("weights in several files, in groups, as the converter writes them", async () => {
  const numbers = new Float32Array([1, 2, 3, 4]);
  const spec = (name: string, size: number): tf.io.WeightsManifestEntry => ({
    name,
    shape: [size],
    dtype: "float32",
  });
  await writeFile(join(folder, "part1"), new Uint8Array(numbers.buffer, 0, 6));
  await writeFile(join(folder, "part2"), new Uint8Array(numbers.buffer, 6, 2));
  await writeFile(join(folder, "part3"), new Uint8Array(numbers.buffer, 8));
  const weightsManifest = [
    { paths: ["part1", "part2"], weights: [spec("a", 2)] },
    { paths: ["part3"], weights: [spec("b", 2)] },
  ];
  const path = join(folder, "converted.json");
  await writeFile(path, JSON.stringify({ modelTopology: {}, weightsManifest }));
  const { weightData, weightSpecs } = (await modelFiles(path).load?.()) as tf.io.ModelArtifacts;
  expect(weightSpecs?.map(({ name }) => name)).toEqual(["a", "b"]);
  expect([...new Float32Array(weightData as ArrayBuffer)]).toEqual([...numbers]);
});

describe("who takes a URL", () => {
  test("other schemes are others'", () => {
    expect(tf.io.getSaveHandlers("indexeddb://model")).toEqual([]);
    expect(tf.io.getLoadHandlers("models/model.json")).toEqual([]);
    expect(tf.io.getLoadHandlers(["file://a", "file://b"])).toEqual([]);
  });

  test("registering twice makes no second handler", () => {
    registerModelFiles();
    expect(tf.io.getSaveHandlers("file://a")).toHaveLength(1);
    expect(tf.io.getLoadHandlers("file://a")).toHaveLength(1);
  });

  test("another package that knows files, as tfjs-node does, comes first, also when it is loaded later", () => {
    const other: tf.io.IOHandler = {};
    const none = null as unknown as tf.io.IOHandler;
    tf.io.registerSaveRouter((url) => (url === "file://other" ? other : none));
    tf.io.registerLoadRouter((url) => (url === "file://other" ? other : none));
    expect(tf.io.getSaveHandlers("file://other")).toEqual([other]);
    expect(tf.io.getLoadHandlers("file://other")).toEqual([other]);
    expect(tf.io.getSaveHandlers("file://ours")).toHaveLength(1);
  });
});

describe("faults", () => {
  test("a file that is not there", async () => {
    await expect(modelFiles(join(folder, "nowhere")).load?.()).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/nowhere.model\.json: the file must be readable; got ENOENT/) as string,
    });
  });

  test("weights that are not there", async () => {
    const path = join(folder, "halved.json");
    const weightsManifest = [{ paths: ["gone.bin"], weights: [] }];
    await writeFile(path, JSON.stringify({ modelTopology: {}, weightsManifest }));
    await expect(modelFiles(path).load?.()).rejects.toThrow(/gone\.bin: the file must be readable/);
  });

  test.each([["{"], ['{"layers": []}'], ["null"]])("a file that is no model: %s", async (text) => {
    const path = join(folder, "none.json");
    await writeFile(path, text);
    await expect(modelFiles(path).load?.()).rejects.toMatchObject({ code: "invalid" });
    expect(await readFile(path, "utf8")).toBe(text);
  });

  test("what cannot be saved leaves no files", async () => {
    const place = join(folder, "binary");
    const binary = { ...artifacts, modelTopology: new ArrayBuffer(4) };
    await expect(modelFiles(place).save?.(binary)).rejects.toThrow(/JSON model topology/);
    await expect(readdir(place)).rejects.toThrow(/ENOENT/);
  });
});
