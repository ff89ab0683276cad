import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { useEngine } from "../../src/engine.js";
import { GroupKan as GroupKanModule } from "../../src/layers/groupKan.js";
import { GroupKan, type GroupKanSettings, GroupRational } from "../../src/layers/keras.js";
import { Scope } from "../../src/layers/scope.js";
import { Random } from "../../src/random.js";
import { onEveryEngine } from "../presentEngines.js";

function points(): { x: tf.Tensor2D; y: tf.Tensor2D } {
  const random = new Random(7);
  const x = Float32Array.from({ length: 64 * 8 }, () => random.normal());
  return tf.tidy(() => {
    const inputs = tf.tensor2d(x, [64, 8]);
    return { x: inputs, y: tf.sin<tf.Tensor2D>(tf.sum(inputs, 1, true)) };
  });
}

async function reloaded(model: tfl.LayersModel): Promise<tfl.LayersModel> {
  const saved: tf.io.ModelArtifacts[] = [];
  await model.save(
    tf.io.withSaveHandler((artifacts) => {
      saved.push(artifacts);
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } });
    }),
  );
  // As a file has it.
  const { modelTopology, weightSpecs, weightData } = saved[0];
  const topology = JSON.parse(JSON.stringify(modelTopology)) as object;
  return tfl.loadLayersModel(tf.io.fromMemory({ modelTopology: topology, weightSpecs, weightData }));
}

onEveryEngine("katlab/keras", ({ options }) => {
  let before: number;
  beforeEach(async () => {
    await useEngine(options);
    before = tf.memory().numTensors;
  });
  afterEach(() => {
    expect(tf.memory().numTensors).toBe(before);
  });

  test("GroupKan computes what the module computes", () => {
    const layer = new GroupKan({ inputShape: [8], hiddenDim: 16, seed: 3 });
    const model = tfl.sequential({ layers: [layer] });
    const twin = new GroupKanModule(new Scope(new Random(3).split("weights")), { dim: 8, hiddenDim: 16 });
    tf.tidy(() => {
      const { x } = points();
      const [ours, theirs] = [model.predict(x) as tf.Tensor, twin.forward(x)];
      expect(ours.dataSync()).toEqual(theirs.dataSync());
    });
    expect(layer.getWeights().map(({ shape }) => shape)).toEqual(twin.parameters().map(({ shape }) => shape));
    model.dispose();
    twin.dispose();
  });

  test("a model of both learns by fit, and loads from its file with the same predictions", async () => {
    const model = tfl.sequential({
      layers: [
        new GroupKan({ inputShape: [8], hiddenDim: 16, form: "B", starts: ["identity", "leakyRelu"] }),
        new GroupRational({ start: "tanh", groups: 3, uneven: true, sharing: { numerator: "group" } }),
        tfl.layers.dense({ units: 1, kernelInitializer: "ones" }),
      ],
    });
    const optimizer = tf.train.adam(0.01);
    model.compile({ optimizer, loss: "meanSquaredError" });
    const { x, y } = points();
    const coefficients = (): Float32Array[] =>
      model.layers[1].getWeights().map((weight) => weight.dataSync<"float32">().slice());
    const start = coefficients();
    const { history } = await model.fit(x, y, { epochs: 12, batchSize: 16, shuffle: false });
    expect(history.loss.at(-1)).toBeLessThan(0.7 * Number(history.loss[0]));
    coefficients().forEach((values, i) => expect(values).not.toEqual(start[i]));

    const again = await reloaded(model);
    expect(again.layers.slice(0, 2).map((layer) => layer.constructor)).toEqual([GroupKan, GroupRational]);
    expect(again.layers.map((layer) => layer.getConfig())).toEqual(
      model.layers.map((layer) => layer.getConfig()),
    );
    tf.tidy(() => {
      const [ours, theirs] = [model.predict(x) as tf.Tensor, again.predict(x) as tf.Tensor];
      // The file has float32, whatever the engine computes in.
      expect(tf.max(tf.abs(tf.sub(theirs, ours))).dataSync()[0]).toBeLessThan(1e-6);
    });
    for (const part of [model, again]) part.dispose();
    optimizer.dispose();
    tf.dispose([x, y]);
  });
});

describe("form D", () => {
  test.each([
    ["GroupRational", () => new GroupRational({ start: "silu", form: "D", inputShape: [8], seed: 1 })],
    ["GroupKan", () => new GroupKan({ form: ["A", "D"], inputShape: [8], seed: 1 })],
  ])("%s is noisy in training alone, and by its seed", async (_, create) => {
    await useEngine({ engine: "cpu" });
    const before = tf.memory().numTensors;
    const { x, y } = points();
    const train = (layer: tfl.layers.Layer): Float32Array =>
      tf.tidy(() => (layer.apply(x, { training: true }) as tf.Tensor).dataSync<"float32">());
    const [one, same] = [create(), create()];
    const quiet = tf.tidy(() => (one.apply(x) as tf.Tensor).dataSync());
    const first = train(one);
    expect(first).not.toEqual(quiet);
    expect(train(one)).not.toEqual(first);
    expect(train(same)).toEqual(first);
    expect(tf.tidy(() => (one.apply(x) as tf.Tensor).dataSync())).toEqual(quiet);
    for (const layer of [one, same]) layer.dispose();
    tf.dispose([x, y]);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("settings", () => {
  const choices: GroupKanSettings[] = [
    { form: "C", degrees: [3, 2], sharing: { numerator: "channel", denominator: "shared" }, seed: 5 },
    { fixed: true, starts: ["identity", "erfcSoftplusSquared"], firstWeights: "timm" },
    { starts: ["leakyRelu0.1", "upstream-gelu"], groups: 3, uneven: true },
    { starts: ["identity", "gelu"], fixed: [true, false], form: ["B", "D"], groups: [1, 4] },
    {
      starts: "tanh",
      degrees: [
        [3, 2],
        [5, 4],
      ],
      sharing: [{ numerator: "channel" }, {}],
      uneven: [true, false],
    },
  ];
  test.each(choices)("%o survive a saved model", async (settings) => {
    await useEngine({ engine: "cpu" });
    const before = tf.memory().numTensors;
    const model = tfl.sequential({ layers: [new GroupKan({ ...settings, inputShape: [8] })] });
    const again = await reloaded(model);
    expect(again.layers[0].getConfig()).toMatchObject(settings);
    const shapes = (one: tfl.LayersModel): unknown => one.getWeights().map(({ shape }) => shape);
    expect(shapes(again)).toEqual(shapes(model));
    model.dispose();
    again.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test("all of GroupRational's survive a saved model", async () => {
    await useEngine({ engine: "cpu" });
    const settings = {
      start: "erfcSoftplusSquared",
      groups: 3,
      form: "D",
      degrees: [3, 2],
      sharing: { numerator: "group", denominator: "channel" },
      uneven: true,
      seed: 4,
    } as const;
    const model = tfl.sequential({ layers: [new GroupRational({ ...settings, inputShape: [8] })] });
    const again = await reloaded(model);
    expect(again.layers[0].getConfig()).toMatchObject(settings);
    for (const one of [model, again]) one.dispose();
  });

  test("what GroupRational refuses is refused when the layer meets its input", () => {
    const layer = new GroupRational({ start: "silu", inputShape: [9] });
    expect(() => tfl.sequential({ layers: [layer] })).toThrow("dim (9) must be a multiple of groups (8)");
  });
});
