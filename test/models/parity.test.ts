import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { activationVariance } from "../../src/analysis/activationVariance.js";
import { useEngine } from "../../src/engine.js";
import { loadWeights, saveWeights } from "../../src/io/checkpoint.js";
import { saveSafetensors } from "../../src/io/safetensors.js";
import { createModel } from "../../src/models/registry.js";
import { addonStatus } from "../../src/torch/backend.js";
import {
  apart,
  cases,
  computed,
  errorsByKind,
  imagesOf,
  largest,
  logitsOf,
  specification,
  valuesOf,
} from "./pytorchModels.js";

const python = join(import.meta.dirname, "../../.venv/bin/python");
const program = join(import.meta.dirname, "../python/models/parity.py");
const missing = existsSync(python) ? "" : " (skipped: no .venv with torch)";
const noTorch = addonStatus().available ? "" : " (skipped: no torch engine)";

describe.skipIf(missing !== "")(`the models beside PyTorch${missing}`, () => {
  let folder: string;
  const at = (file: string): string => join(folder, file);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "katlab-parity-"));
    const specs = Object.fromEntries(Object.entries(cases).map(([name, own]) => [name, specification(own)]));
    await writeFile(at("specs.json"), JSON.stringify(specs));
    await promisify(execFile)(python, [program, "make", folder]);
  }, 180_000);
  afterAll(() => rm(folder, { recursive: true }));

  describe.skipIf(noTorch !== "")(`on torch${noTorch}`, () => {
    test.each(Object.entries(cases))(
      "%s: logits and gradients",
      { timeout: 60_000 },
      async (name, { model, options }) => {
        await useEngine({ engine: "torch", device: "cpu" });
        const before = tf.memory().numTensors;
        const own = createModel(model, options);
        await loadWeights(own, at(`${name}.safetensors`));
        const { images, labels } = await imagesOf(at(`${name}.images.safetensors`));
        const ours = computed(own, images, labels);
        const [plain, truth] = await Promise.all([
          valuesOf(at(`${name}.float32.safetensors`)),
          valuesOf(at(`${name}.float64.safetensors`)),
        ]);
        expect(Object.keys(ours).sort()).toEqual(Object.keys(truth).sort());
        expect(apart(ours.logits, plain.logits)).toBeLessThan(1e-5 * largest(truth.logits));
        const [errors, allowed] = [errorsByKind(ours, truth), errorsByKind(plain, truth)];
        for (const [kind, error] of errors) {
          expect(error, kind).toBeLessThan(2 * (allowed.get(kind) ?? NaN) + 2 ** -22);
          expect(error, kind).toBeLessThan(1e-4);
        }
        tf.dispose([images, labels]);
        own.dispose();
        expect(tf.memory().numTensors).toBe(before);
      },
    );

    test("a file of torch.save gives the same model", async () => {
      await useEngine({ engine: "torch", device: "cpu" });
      const [one, other] = [createModel("kat_test_patch7_28"), createModel("kat_test_patch7_28")];
      await loadWeights(one, at("kat.safetensors"));
      await loadWeights(other, at("kat.pth"));
      for (const [key, value] of Object.entries(one.weights())) {
        expect(other.weights()[key].dataSync()).toEqual(value.dataSync());
      }
      one.dispose();
      other.dispose();
    });

    test("activationVariance finds what goes into every linear layer, and what comes out", async () => {
      await useEngine({ engine: "torch", device: "cpu" });
      const model = createModel("kat_test_patch7_28");
      await loadWeights(model, at("kat.safetensors"));
      const { images, labels } = await imagesOf(at("kat.images.safetensors"));
      const rows = activationVariance(model, { inputs: images });
      const expected = JSON.parse(await readFile(at("kat.variances.json"), "utf8")) as Record<
        string,
        [number, number]
      >;
      for (const [layer, [input, output]] of Object.entries(expected)) {
        const row = rows.find((one) => one.layer === layer);
        expect(row?.input, layer).toBeCloseTo(input, 4);
        expect(row?.output, layer).toBeCloseTo(output, 4);
      }
      tf.dispose([images, labels]);
      model.dispose();
    });
  });

  test.each(["wasm", "cpu"] as const)("logits on %s", { timeout: 60_000 }, async (engine) => {
    await useEngine({ engine });
    for (const name of ["vit", "kat", "formB", "mean"]) {
      const { model, options } = cases[name];
      const own = createModel(model, options);
      await loadWeights(own, at(`${name}.safetensors`));
      const { images, labels } = await imagesOf(at(`${name}.images.safetensors`));
      const logits = logitsOf(own, images);
      const { logits: truth } = await valuesOf(at(`${name}.float64.safetensors`));
      expect(apart(logits, truth)).toBeLessThan(1e-5 * largest(truth));
      tf.dispose([images, labels]);
      own.dispose();
    }
  });

  test("PyTorch computes the same of what katlab wrote", { timeout: 60_000 }, async () => {
    await useEngine({ engine: noTorch === "" ? "torch" : "wasm" });
    const logits = new Map<string, Float64Array>();
    for (const [name, { model, options, batch }] of Object.entries(cases)) {
      const own = createModel(model, options);
      await saveWeights(own, at(`${name}.katlab.safetensors`), { made: "by a test" });
      const images = tf.randomNormal([batch, ...own.inputShape], 0, 1, "float32", 3);
      await saveSafetensors(at(`${name}.katlabImages.safetensors`), { images });
      logits.set(name, logitsOf(own, images));
      images.dispose();
      own.dispose();
    }
    await promisify(execFile)(python, [program, "check", folder]);
    for (const [name, ours] of logits) {
      const { logits: theirs } = await valuesOf(at(`${name}.checked.safetensors`));
      expect(apart(ours, theirs), name).toBeLessThan(1e-5 * Math.max(1, largest(theirs)));
    }
  });
});
