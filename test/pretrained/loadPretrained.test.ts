import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { useEngine } from "../../src/engine.js";
import { saveWeights } from "../../src/io/checkpoint.js";
import { saveSafetensors } from "../../src/io/safetensors.js";
import { createModel, listModels } from "../../src/models/registry.js";
import { resizePositions } from "../../src/models/resizePositions.js";
import type { VisionTransformer } from "../../src/models/visionTransformer.js";
import { pretrainedWeights, type PretrainedName } from "../../src/pretrained/pretrainedWeights.js";
import { exportModel } from "../../src/pretrained/exportModel.js";
import { readModelConfig } from "../../src/pretrained/modelConfig.js";
import { loadPretrained } from "../../src/pretrained/loadPretrained.js";
import { addonStatus } from "../../src/torch/backend.js";
import { answer, type FileServer, fileServer, serve } from "../data/fileServer.js";

let folder: string;
let before: number;
let server: FileServer | undefined;
const made: VisionTransformer[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "katlab-pretrained-"));
  vi.stubEnv("XDG_CACHE_HOME", join(folder, "cache"));
  await useEngine({ engine: addonStatus().available ? "torch" : "wasm" });
  before = tf.memory().numTensors;
});
afterEach(async () => {
  for (const model of made.splice(0)) model.dispose();
  expect(tf.memory().numTensors).toBe(before);
  vi.unstubAllEnvs();
  await server?.close();
  server = undefined;
  await rm(folder, { recursive: true });
});

const kept = (model: VisionTransformer): VisionTransformer => {
  made.push(model);
  return model;
};

const small = { classes: 3, imageSize: 14, seed: 5 } as const;

/** Logits of one fixed batch. */
function logits(model: VisionTransformer): number[] {
  return tf.tidy(() => {
    const images = tf.randomNormal([2, ...model.inputShape], 0, 1, "float32", 7);
    return [...model.forward(images).dataSync()];
  });
}

describe("a folder that exportModel wrote", () => {
  test("knows its positions' grid, where they are as many as a square's", async () => {
    const model = kept(createModel("kat_test_patch7_28", { imageSize: [14, 56], seed: 5 }));
    await exportModel(model, join(folder, "out"));
    const same = kept(await loadPretrained({ folder: join(folder, "out") }));
    expect(logits(same)).toEqual(logits(model));
    const square = kept(await loadPretrained({ folder: join(folder, "out") }, { imageSize: 28 }));
    tf.tidy(() => {
      const resized = resizePositions(model.posEmbed.variable, { from: [2, 8], to: 4, prefix: 1 });
      expect(square.posEmbed.variable.dataSync()).toEqual(resized.dataSync());
    });
  });

  test("gives the same model, bit by bit, whatever it was made with", async () => {
    const options = {
      ...small,
      layerScale: 0.1,
      pooling: "mean",
      form: "B",
      groups: 4,
      dropPath: 0.1,
    } as const;
    const model = kept(createModel("kat_test_patch7_28", options));
    await exportModel(model, join(folder, "out"));
    expect((await readdir(join(folder, "out"))).sort()).toEqual([
      "README.md",
      "config.json",
      "model.safetensors",
    ]);
    const loaded = kept(await loadPretrained({ folder: join(folder, "out") }));
    expect(loaded.name).toBe("kat_test_patch7_28");
    expect(logits(loaded)).toEqual(logits(model));
    expect(loaded.config.dropPath).toBe(0.1);
  });

  test("says what it is, how it was trained, and what it does", async () => {
    const model = kept(createModel("vit_test_patch7_28", small));
    const data = { name: "dots", classes: ["a", "b", "c"], mean: [0.5], std: [0.25] };
    const run = {
      data: "dots",
      engine: "cpu",
      recipe: { epochs: 3 },
      seconds: 12,
      stopped: false,
      test: { loss: 0.5, accuracy: 0.875 },
    };
    await exportModel(model, join(folder, "out"), { data, run, licence: "MIT", text: "Tells dots apart." });
    const card = await readFile(join(folder, "out", "README.md"), "utf8");
    for (const part of [
      "license: mit",
      "# vit_test_patch7_28 on dots",
      "Tells dots apart.",
      "| classes | a, b, c |",
      "mean 0.5000, deviation 0.2500",
      '"epochs": 3',
      "87.50 % of the test images of dots",
      "loadPretrained({ folder:",
    ]) {
      expect(card).toContain(part);
    }
    expect(await readModelConfig(join(folder, "out"))).toMatchObject({
      model: "vit_test_patch7_28",
      options: small,
      data,
      run,
    });
    await exportModel(model, join(folder, "bare"));
    const bare = await readFile(join(folder, "bare", "README.md"), "utf8");
    expect(bare).toContain("Its maker did not say.");
    expect(bare).not.toContain("undefined");
  });

  test("is written whole or not at all", async () => {
    const model = kept(createModel("vit_test_patch7_28", small));
    const data = { name: "dots", classes: ["a", "b"], mean: [0], std: [1] };
    await expect(exportModel(model, join(folder, "out"), { data })).rejects.toThrow(
      "data must have the model's 3 classes; got 2, of dots.",
    );
    await expect(exportModel(model, folder)).rejects.toThrow("must be a new folder");
    await writeFile(join(folder, "file"), "");
    await expect(exportModel(model, join(folder, "file", "out"))).rejects.toThrow("ENOTDIR");
    expect(await readdir(folder)).toEqual(["file"]);
  });

  test("is refused when it is none", async () => {
    await expect(loadPretrained({ folder })).rejects.toThrow(
      /must be a folder with config\.json.*name the model/,
    );
    const config = join(folder, "config.json");
    for (const text of [
      "{",
      "[]",
      '{"model":"vit_test_patch7_28"}',
      '{"model":3,"options":{},"weights":"model.safetensors"}',
    ]) {
      await writeFile(config, text);
      await expect(loadPretrained({ folder })).rejects.toThrow(
        "must be JSON with model, options and weights",
      );
    }
    // A path in it is not followed.
    await writeFile(config, '{"model":"vit_test_patch7_28","options":{},"weights":"../../secret"}');
    await expect(loadPretrained({ folder })).rejects.toThrow("must be JSON with model, options and weights");
    await writeFile(config, '{"model":"vit_tst","options":{},"weights":"model.safetensors"}');
    await expect(loadPretrained({ folder })).rejects.toMatchObject({ code: "unknown" });
  });
});

describe("a file", () => {
  test("takes another number of classes with a new head, and another size with resized positions", async () => {
    const model = kept(createModel("kat_test_patch7_28", { seed: 5 }));
    const file = join(folder, "w.safetensors");
    await saveWeights(model, file);
    const same = kept(await loadPretrained({ model: "kat_test_patch7_28", file }));
    expect(logits(same)).toEqual(logits(model));
    const other = kept(
      await loadPretrained({ model: "kat_test_patch7_28", file }, { classes: 4, imageSize: 42, seed: 9 }),
    );
    const fresh = kept(createModel("kat_test_patch7_28", { classes: 4, imageSize: 42, seed: 9 }));
    const of = (from: VisionTransformer, name: string): number[] => [...from.weights()[name].dataSync()];
    expect(of(other, "head.weight")).toEqual(of(fresh, "head.weight"));
    expect(of(other, "blocks.1.mlp.fc1.weight")).toEqual(of(model, "blocks.1.mlp.fc1.weight"));
    expect(other.weights().pos_embed.shape).toEqual([1, 37, 96]);
    expect(logits(other)).toHaveLength(8);
  });

  test("may have Hugging Face's names", async () => {
    const model = kept(createModel("vit_test_patch7_28", { seed: 5 }));
    const hugging = tf.tidy(() =>
      Object.fromEntries(
        Object.entries(model.weights()).flatMap(([name, value]): [string, tf.Tensor][] => {
          const block = /^blocks\.(\d+)\.(.+)\.(weight|bias)$/.exec(name);
          if (!block) {
            const outer: Record<string, string> = {
              cls_token: "vit.embeddings.cls_token",
              pos_embed: "vit.embeddings.position_embeddings",
              "patch_embed.proj.weight": "vit.embeddings.patch_embeddings.projection.weight",
              "patch_embed.proj.bias": "vit.embeddings.patch_embeddings.projection.bias",
              "norm.weight": "vit.layernorm.weight",
              "norm.bias": "vit.layernorm.bias",
              "head.weight": "classifier.weight",
              "head.bias": "classifier.bias",
            };
            return [[outer[name], tf.clone(value)]];
          }
          const [, i, layer, kind] = block;
          const stem = `vit.encoder.layer.${i}`;
          if (layer === "attn.qkv") {
            return tf
              .split(value, 3)
              .map((part, k) => [
                `${stem}.attention.attention.${["query", "key", "value"][k]}.${kind}`,
                part,
              ]);
          }
          const inner: Record<string, string> = {
            norm1: "layernorm_before",
            norm2: "layernorm_after",
            "attn.proj": "attention.output.dense",
            "mlp.fc1": "intermediate.dense",
            "mlp.fc2": "output.dense",
          };
          return [[`${stem}.${inner[layer]}.${kind}`, tf.clone(value)]];
        }),
      ),
    );
    const file = join(folder, "hf.safetensors");
    await saveSafetensors(file, hugging);
    tf.dispose(hugging);
    expect(logits(kept(await loadPretrained({ model: "vit_test_patch7_28", file })))).toEqual(logits(model));
  });

  test("of another model, or distilled, is refused, and leaves nothing", async () => {
    const model = kept(createModel("vit_test_patch7_28", { seed: 5 }));
    const file = join(folder, "w.safetensors");
    await saveWeights(model, file);
    await expect(loadPretrained({ model: "kat_test_patch7_28", file })).rejects.toThrow(/act1/);
    await expect(loadPretrained({ model: "vit_tiny_patch16_224", file })).rejects.toMatchObject({
      name: "KatlabError",
    });
    const distilled = { ...model.weights(), dist_token: tf.zeros([1, 1, 96]) };
    await saveSafetensors(file, distilled);
    distilled.dist_token.dispose();
    await expect(loadPretrained({ model: "vit_test_patch7_28", file })).rejects.toThrow(/a distilled DeiT/);
    await expect(
      loadPretrained({ model: "vit_test_patch7_28", file: join(folder, "none") }),
    ).rejects.toMatchObject({
      code: "unavailable",
    });
  });
});

describe("an address", () => {
  test("is downloaded once, and checked each time", async () => {
    const model = kept(createModel("vit_test_patch7_28", { seed: 5 }));
    const file = join(folder, "w.safetensors");
    await saveWeights(model, file);
    const bytes = await readFile(file);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    server = await fileServer([serve(bytes), answer(500)]);
    const from = { model: "vit_test_patch7_28", url: `${server.url}w.safetensors`, sha256 } as const;
    const quiet = { onProgress: () => undefined };
    expect(logits(kept(await loadPretrained(from, quiet)))).toEqual(logits(model));
    expect(logits(kept(await loadPretrained(from, { fetch: false })))).toEqual(logits(model));
    expect(server.ranges).toHaveLength(1);
    const weights = join(folder, "cache", "katlab", "weights");
    const [name] = await readdir(weights);
    expect(name).toBe(`vit_test_patch7_28-${sha256.slice(0, 12)}.safetensors`);
    await writeFile(join(weights, name), "changed");
    await expect(loadPretrained(from, quiet)).rejects.toThrow(`must have the SHA-256 ${sha256}`);
  });

  test("that gives other bytes leaves no file", async () => {
    server = await fileServer([serve(Buffer.from("other"))]);
    const from = { model: "vit_test_patch7_28", url: `${server.url}w.pth`, sha256: "0".repeat(64) } as const;
    await expect(loadPretrained(from, { onProgress: () => undefined })).rejects.toThrow(
      "must have the SHA-256 000",
    );
    expect(
      existsSync(join(folder, "cache", "katlab", "weights", `vit_test_patch7_28-${"0".repeat(12)}.pth`)),
    ).toBe(false);
  });
});

describe("the catalogue", () => {
  test("names models that there are, with digests", () => {
    for (const [name, { model, sha256, url }] of Object.entries(pretrainedWeights)) {
      expect(listModels()).toContain(model);
      expect(name.startsWith(`${model}.`)).toBe(true);
      expect(sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(url).toMatch(/^https:\/\/huggingface\.co\//);
    }
    const digests = Object.values(pretrainedWeights).map(({ sha256 }) => sha256);
    expect(new Set(digests).size).toBe(digests.length);
  });

  test("says which names there are, and where a file must lie", async () => {
    await expect(loadPretrained("kat_tiny_patch16_224" as PretrainedName)).rejects.toThrow(
      /Did you mean "kat_tiny_patch16_224\.in1k"/,
    );
    await expect(loadPretrained("kat_tiny_patch16_224.in1k", { fetch: false })).rejects.toThrow(
      /must be in the cache when fetch is false; got no .*kat_tiny_patch16_224\.in1k-07ae82e0269d\.bin\. Put the file of https:/,
    );
  });
});
