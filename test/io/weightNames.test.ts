import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { afterEach, beforeEach, expect, test } from "vitest";
import { timmWeights, weightDifferences, weightNaming } from "../../src/io/weightNames.js";
import { createModel } from "../../src/models/registry.js";

let before: number;
beforeEach(() => {
  before = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before);
});

const layer = "vit.encoder.layer.11";

test.each([
  ["vit.embeddings.cls_token", "cls_token"],
  ["vit.embeddings.position_embeddings", "pos_embed"],
  ["vit.embeddings.patch_embeddings.projection.bias", "patch_embed.proj.bias"],
  [`${layer}.layernorm_before.weight`, "blocks.11.norm1.weight"],
  [`${layer}.layernorm_after.bias`, "blocks.11.norm2.bias"],
  [`${layer}.attention.output.dense.weight`, "blocks.11.attn.proj.weight"],
  [`${layer}.intermediate.dense.weight`, "blocks.11.mlp.fc1.weight"],
  [`${layer}.output.dense.bias`, "blocks.11.mlp.fc2.bias"],
  ["vit.layernorm.weight", "norm.weight"],
  ["classifier.weight", "head.weight"],
  ["vit.pooler.dense.weight", "vit.pooler.dense.weight"],
])("Hugging Face's %s is %s", (theirs, ours) => {
  tf.tidy(() => {
    const marker = `${layer}.output.dense.weight`;
    const renamed = timmWeights({ [marker]: tf.scalar(0), [theirs]: tf.scalar(7) });
    expect(renamed[ours].dataSync()[0]).toBe(7);
  });
});

test("query, key and value become qkv in this order, wherever they stand", () => {
  tf.tidy(() => {
    const stem = `${layer}.attention.attention`;
    const qkv = timmWeights({
      [`${stem}.value.weight`]: tf.tensor2d([[5, 6]]),
      [`${stem}.query.weight`]: tf.tensor2d([[1, 2]]),
      [`${stem}.key.weight`]: tf.tensor2d([[3, 4]]),
    });
    expect(Object.keys(qkv)).toEqual(["blocks.11.attn.qkv.weight"]);
    expect(qkv["blocks.11.attn.qkv.weight"].arraySync()).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
  });
});

test.each(["query", "key", "value"])("%s alone is refused", (part) => {
  tf.tidy(() => {
    const name = `${layer}.attention.attention.${part}.bias`;
    expect(() => timmWeights({ [name]: tf.zeros([2]) })).toThrow(/must have query, key and value; got no/);
  });
});

test("timm's and KAT's names stay", () => {
  tf.tidy(() => {
    const name = "blocks.0.mlp.act1.weight_numerator";
    expect(Object.keys(timmWeights({ [name]: tf.zeros([1, 6]) }))).toEqual([name]);
  });
});

test("two weights of one name are refused", () => {
  tf.tidy(() => {
    const twice = {
      "vit.encoder.layer.0.output.dense.bias": tf.scalar(0),
      "encoder.layer.0.output.dense.bias": tf.scalar(1),
    };
    expect(() => timmWeights(twice)).toThrow(/must not both be blocks.0.mlp.fc2.bias/);
  });
});

test("names of another model are refused", () => {
  expect(() => weightNaming(["conv1.weight"])).toThrow(/vision transformer.*got conv1\.weight/);
  expect(() => weightNaming([])).toThrow(/got no names/);
});

test("differences name what is missing, unexpected and mismatched", () => {
  const expected = { a: { shape: [1] }, b: { shape: [2, 3] }, c: { shape: [] } };
  expect(weightDifferences(expected, { b: { shape: [3, 2] }, c: { shape: [] }, d: { shape: [] } })).toEqual({
    missing: ["a"],
    unexpected: ["d"],
    mismatched: [{ name: "b", expected: [2, 3], got: [3, 2] }],
  });
});

test("a whole model under Hugging Face's names loads strictly, value for value", () => {
  const model = createModel("vit_test_patch7_28");
  tf.tidy(() => {
    const own = model.weights();
    const theirs: Record<string, tf.Tensor> = {};
    for (const [name, weight] of Object.entries(own)) {
      const scaled = tf.add(tf.mul(weight, 2), 1);
      const qkv = /^blocks\.(\d+)\.attn\.qkv\.(.+)$/.exec(name);
      if (qkv === null) theirs[huggingFaceName(name)] = scaled;
      else {
        const stem = `vit.encoder.layer.${qkv[1]}.attention.attention`;
        tf.split(scaled, 3, 0).forEach((part, i) => {
          theirs[`${stem}.${["query", "key", "value"][i]}.${qkv[2]}`] = part;
        });
      }
    }
    const expected = Object.fromEntries(
      Object.entries(own).map(([name, weight]) => [name, tf.add(tf.mul(weight, 2), 1).arraySync()]),
    );
    const renamed = timmWeights(theirs);
    expect(weightDifferences(own, renamed)).toEqual({ missing: [], unexpected: [], mismatched: [] });
    model.loadWeights(renamed);
    const loaded = Object.entries(model.weights()).map(([name, weight]) => [name, weight.arraySync()]);
    expect(Object.fromEntries(loaded)).toEqual(expected);
  });
  model.dispose();
});

function huggingFaceName(name: string): string {
  return name
    .replace(/^cls_token$/, "vit.embeddings.cls_token")
    .replace(/^pos_embed$/, "vit.embeddings.position_embeddings")
    .replace(/^patch_embed\.proj/, "vit.embeddings.patch_embeddings.projection")
    .replace(/^norm\./, "vit.layernorm.")
    .replace(/^head\./, "classifier.")
    .replace(/^blocks\.(\d+)/, "vit.encoder.layer.$1")
    .replace(/\.norm1\./, ".layernorm_before.")
    .replace(/\.norm2\./, ".layernorm_after.")
    .replace(/\.attn\.proj\./, ".attention.output.dense.")
    .replace(/\.mlp\.fc1\./, ".intermediate.dense.")
    .replace(/\.mlp\.fc2\./, ".output.dense.");
}
