import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { runCommandLine } from "../../src/cli/main.js";
import { prepareRun, readRunConfig } from "../../src/cli/runConfig.js";
import { useEngine } from "../../src/engine.js";
import { addonStatus } from "../../src/torch/backend.js";

const engine = addonStatus().available ? "torch" : "wasm";
const valid = {
  model: "kat_test_patch7_28",
  options: { seed: 1 },
  data: { name: "synthetic", classes: 4, shape: [14, 14, 1], size: 64, testSize: 40, seed: 3 },
  recipe: { recipe: "small", epochs: 8, batchSize: 16 },
  engine: { engine },
  output: "out",
};

let folder: string;
let file: string;
let out: string;
let tensors: number;
const written: string[] = [];
const faults: string[] = [];
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "katlab-train-"));
  file = path.join(folder, "config.json");
  out = path.join(folder, "out");
  await useEngine({ engine });
  tensors = tf.memory().numTensors;
  vi.spyOn(console, "log").mockImplementation((text) => void written.push(`${text}\n`));
  vi.spyOn(console, "error").mockImplementation((text) => void faults.push(`${text}\n`));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  vi.restoreAllMocks();
  process.exitCode = undefined;
  expect(tf.memory().numTensors).toBe(tensors);
});

/** What the command prints on either stream, and its exit code. */
async function katlab(
  config: unknown,
  ...args: string[]
): Promise<{ text: string; fault: string; code: unknown }> {
  written.length = faults.length = 0;
  process.exitCode = undefined;
  writeFileSync(file, typeof config === "string" ? config : JSON.stringify(config));
  const [command, ...rest] = args;
  await runCommandLine(["node", "katlab", command, file, ...rest]);
  return { text: written.join(""), fault: faults.join(""), code: process.exitCode };
}

test("trains as the file says, and evaluate finds the same accuracy", async () => {
  const { text, fault, code } = await katlab(valid, "train");
  expect(fault).toBe("");
  expect(code).toBeUndefined();
  expect(text).toMatch(/^kat_test_patch7_28 on synthetic: 64 training and 40 test images/);
  expect(text).toMatch(/epoch 8\/8 .*\n.*finished · 8 of 8 epochs, 32 steps · .*\nwritten to .*out\n$/s);
  expect(readdirSync(out).sort()).toEqual([
    "checkpoints",
    "epochs.parquet",
    "run.json",
    "run.jsonl",
    "steps.parquet",
    "weights.safetensors",
  ]);
  const { test: result } = JSON.parse(readFileSync(path.join(out, "run.json"), "utf8")) as {
    test: { loss: number; accuracy: number };
  };
  const json = await katlab(valid, "evaluate", "--json");
  expect(JSON.parse(json.text)).toMatchObject({ split: "test", ...result });
  expect((await katlab(valid, "evaluate")).text).toBe(
    `kat_test_patch7_28 on synthetic, 40 test images: loss ${result.loss.toFixed(4)}, ` +
      `accuracy ${(100 * result.accuracy).toFixed(2)} %\n`,
  );
  const exported = await katlab(valid, "export", "-o", path.join(folder, "exported"), "--licence", "MIT");
  expect(exported.text).toMatch(/^kat_test_patch7_28: written to .*exported\n$/);
  const card = readFileSync(path.join(folder, "exported", "README.md"), "utf8");
  expect(card).toContain(`${(100 * result.accuracy).toFixed(2)} % of the test images of synthetic`);
  expect(card).toContain('"epochs": 8');
  expect((await katlab(valid, "export", "-o", path.join(folder, "exported"))).fault).toMatch(
    /must be a new folder/,
  );
  const again = await katlab(valid, "train", "--quiet");
  expect(again).toMatchObject({ text: "", code: 1 });
  expect(again.fault).toMatch(/config\.json: checkpoint folder .* must hold no checkpoints .*--resume/);
  const validation = await katlab(valid, "evaluate", "--split", "validation");
  expect(validation.fault).toContain("config.json: data: the data must have validation images; got none.");
});

test(
  "Ctrl-C writes a checkpoint and exits with 130; --resume ends with the bits of an undisturbed run",
  { timeout: 120_000 },
  async () => {
    const long = { ...valid, recipe: { ...valid.recipe, epochs: 20 } };
    const weights = (): Buffer => readFileSync(path.join(folder, "other", "weights.safetensors"));
    await katlab(long, "train", "--quiet", "-o", path.join(folder, "other"));
    const log = path.join(out, "run.jsonl");
    const press = setInterval(() => {
      if (existsSync(log) && readFileSync(log, "utf8").includes('"epoch":2')) {
        clearInterval(press);
        process.emit("SIGINT", "SIGINT");
      }
    }, 5);
    const { fault, code } = await katlab(long, "train", "--quiet");
    clearInterval(press);
    expect(code).toBe(130);
    expect(fault).toBe(`stopped; katlab train ${file} --resume goes on\n`);
    const record = JSON.parse(readFileSync(path.join(out, "run.json"), "utf8")) as { stopped: boolean };
    expect(record.stopped).toBe(true);
    const resumed = await katlab(long, "train", "--quiet", "--resume");
    expect(resumed).toEqual({ text: "", fault: "", code: undefined });
    expect(readFileSync(path.join(out, "weights.safetensors")).equals(weights())).toBe(true);
    expect(process.listenerCount("SIGINT")).toBe(0);
  },
);

test("makes the model with the recipe's stochastic depth, or with the file's", async () => {
  const data = { name: "synthetic", classes: 4, shape: [32, 32, 3], size: 8, testSize: 4 };
  const own = { ...valid, model: "kat_tiny_patch4_32", data, recipe: "cifar" };
  for (const [options, dropPath] of [
    [{}, 0.1],
    [{ dropPath: 0.2 }, 0.2],
  ] as const) {
    writeFileSync(file, JSON.stringify({ ...own, options }));
    const { model } = await prepareRun(file, await readRunConfig(file));
    expect(model.config.dropPath).toBe(dropPath);
  }
});

test("trains on a folder of pictures, named relative to the file", async () => {
  const { default: sharp } = await import("sharp");
  for (const part of ["train", "test"]) {
    for (const [label, red] of [
      ["dark", 20],
      ["light", 220],
    ] as const) {
      mkdirSync(path.join(folder, "pictures", part, label), { recursive: true });
      for (const i of [0, 1, 2, 3]) {
        const create = {
          width: 16,
          height: 14,
          channels: 3 as const,
          background: { r: red + i, g: red, b: 9 },
        };
        await sharp({ create })
          .png()
          .toFile(path.join(folder, "pictures", part, label, `${i}.png`));
      }
    }
  }
  const data = { folder: "pictures", size: 14, limit: { train: 6 } };
  const { text, fault } = await katlab(
    { ...valid, data, recipe: { ...valid.recipe, batchSize: 4 } },
    "train",
  );
  expect(fault).toBe("");
  expect(text).toMatch(/on pictures: 6 training and 8 test images, 14 × 14 × 3, 2 classes \(dark, light\)/);
  expect((await katlab({ ...valid, data }, "evaluate")).text).toMatch(
    /^kat_test_patch7_28 on pictures, 8 test images/,
  );
  const other = { ...data, streamed: true, cache: "decoded", validation: { count: 2, seed: 3 } };
  const { text: streamed } = await katlab({ ...valid, data: other }, "evaluate", "--split", "validation");
  expect(streamed).toMatch(/^kat_test_patch7_28 on pictures, 2 validation images/);
  expect(readdirSync(path.join(folder, "decoded"))).toHaveLength(2);
});

test("a run that diverges exits with 1", async () => {
  const wild = { ...valid, recipe: { ...valid.recipe, learningRate: 1e20, clipNorm: null, warmupEpochs: 0 } };
  const { fault, code } = await katlab(wild, "train", "--quiet");
  expect(code).toBe(1);
  expect(fault).toMatch(/^diverged at step \d+: loss (NaN|Infinity)\n$/);
});

describe("refuses, with the file and the place,", () => {
  test.each([
    ["what is no JSON", "{ model", /config\.json: must be JSON; got .*katlab train --help/],
    ["a list", [1], /config\.json: expected object, received array; got \[1\]/],
    [
      "a missing entry",
      { ...valid, output: undefined },
      /config\.json: output: expected string.*; got nothing/,
    ],
    [
      "an unknown entry",
      { ...valid, modle: "x" },
      /config\.json: must be one of model.*Did you mean "model"\?/,
    ],
    [
      "an unknown option of the data",
      { ...valid, data: { name: "synthetic", sizes: 1 } },
      /json: data: .*"size"\?/,
    ],
    [
      "an unknown model",
      { ...valid, model: "kat_tst_patch7_28" },
      /json: createModel: .*"kat_test_patch7_28"\?/,
    ],
    ["an unknown data set", { ...valid, data: "fashion-mnits" }, /json: loadDataset: .*"fashion-mnist"\?/],
    ["a slip in synthetic", { ...valid, data: "synthetc" }, /json: loadDataset: .*"synthetic"\?/],
    [
      "data without a name or a folder",
      { ...valid, data: { size: 8 } },
      /json: data: must have a name, or the folder/,
    ],
    [
      "a slip in a folder's options",
      { ...valid, data: { folder: "pictures", perclass: 1 } },
      /json: data: .*"perClass"\?/,
    ],
    [
      "a folder that is not there",
      { ...valid, data: { folder: "pictures" } },
      /json: imageFolder .*pictures: must be a folder/,
    ],
    [
      "an option of other data",
      { ...valid, data: { name: "synthetic", validation: 8 } },
      /json: data synthetic: must be one of classes.*got "validation"/,
    ],
    ["a recipe out of range", { ...valid, recipe: { epochs: 0 } }, /json: recipe: epochs: .*>=1; got 0/],
    ["an unknown recipe", { ...valid, recipe: "smal" }, /json: recipe: must be one of small.*"small"\?/],
    ["an unknown engine", { ...valid, engine: { engine: "trch" } }, /json: .*"torch"\?/],
    ["a wrong checkpoint", { ...valid, checkpoint: { keep: 0 } }, /json: checkpoint\.keep: .*>=1; got 0/],
  ])("%s", async (_, config, message) => {
    const { text, fault, code } = await katlab(config, "train", "--quiet");
    expect(code).toBe(1);
    expect(text).toBe("");
    expect(fault).toMatch(message);
    expect(fault.trim().split("\n")).toHaveLength(1);
    expect(readdirSync(folder)).toEqual(["config.json"]);
  });

  test("a file that is not there", async () => {
    faults.length = 0;
    await runCommandLine(["node", "katlab", "evaluate", path.join(folder, "no.json")]);
    expect(faults.join("")).toMatch(/no\.json: must be a file that can be read; got ENOENT/);
    process.exitCode = undefined;
  });
});
