import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { loadGraphModel } from "@tensorflow/tfjs-converter";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { useEngine } from "../../../src/engine.js";
import { loadAddon, modelFiles } from "../../../src/torch/backend.js";

interface Golden {
  readonly images: number[];
  readonly probabilities: number[];
  readonly class: number[];
}

const folder = fileURLToPath(new URL("../../golden/graphModel/", import.meta.url));

test.each([
  ["by a URL", `file://${folder}model.json`],
  ["by files", modelFiles(folder)],
])("loadGraphModel %s computes what PyTorch does in float64", async (_, source) => {
  const golden = JSON.parse(await readFile(`${folder}outputs.json`, "utf8")) as Golden;
  await useEngine({ engine: "torch", device: "cpu" });
  const before = { numTensors: tf.memory().numTensors, handles: loadAddon().live() };
  const model = await loadGraphModel(source);
  const images = tf.tensor4d(golden.images, [3, 8, 8, 1]);
  const [probabilities, classes] = model.predict(images) as tf.Tensor[];
  expect(probabilities.shape).toEqual([3, 5]);
  probabilities.dataSync().forEach((value, i) => {
    expect(Math.abs(value - golden.probabilities[i])).toBeLessThan(1e-6);
  });
  expect([classes.dtype, ...classes.dataSync()]).toEqual(["int32", ...golden.class]);

  const logits = model.execute({ image: images }, "logits") as tf.Tensor;
  expect(logits.shape).toEqual([3, 5]);
  tf.dispose([images, probabilities, classes, logits]);
  model.dispose();
  expect({ numTensors: tf.memory().numTensors, handles: loadAddon().live() }).toEqual(before);
});
