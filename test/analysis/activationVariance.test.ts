import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { activationVariance } from "../../src/analysis/activationVariance.js";
import { useEngine } from "../../src/engine.js";
import { KatlabError } from "../../src/errors.js";
import { GroupKan } from "../../src/layers/groupKan.js";
import { Scope } from "../../src/layers/scope.js";
import { createModel } from "../../src/models/registry.js";
import { Random } from "../../src/random.js";

beforeAll(async () => {
  await useEngine({ engine: "wasm" });
});

/** [images, tokens, dim] of N(0, 1), what a LayerNorm gives. */
function normalTokens(shape: [number, number, number]): tf.Tensor3D {
  const random = new Random(1);
  return tf.tensor3d(
    Float32Array.from({ length: shape[0] * shape[1] * shape[2] }, () => random.normal()),
    shape,
  );
}

describe("the start of a GroupKan", () => {
  const dim = 128;
  const rowsOf = (weights: "variance-preserving" | "timm"): Map<string, number> => {
    const kan = new GroupKan(new Scope(new Random(2)).child("kan"), { dim, hiddenDim: 4 * dim, weights });
    const x = normalTokens([16, 16, dim]);
    const rows = activationVariance(kan, { inputs: x });
    expect(rows.map(({ layer, kind }) => [layer, kind])).toEqual([
      ["kan.act1", "GroupRational"],
      ["kan.fc1", "Linear"],
      ["kan.act2", "GroupRational"],
      ["kan.fc2", "Linear"],
    ]);
    kan.dispose();
    x.dispose();
    return new Map(rows.map(({ layer, output }) => [layer, output]));
  };

  test("keeps the variance by the paper's rule", () => {
    const output = rowsOf("variance-preserving");
    expect(output.get("kan.fc1")).toBeCloseTo(1, 1);
    // silu: E[F²] = 1 / 2.8108 for N(0, 1), and the weights behind make up for it.
    expect(output.get("kan.act2")).toBeCloseTo(1 / 2.8108, 1);
    // Over seeds 1.018 with a deviation of 0.022.
    expect(Math.abs((output.get("kan.fc2") ?? 0) - 1)).toBeLessThan(0.1);
  });

  test("shrinks it by the released code's", () => {
    const output = rowsOf("timm");
    expect(output.get("kan.fc1")).toBeCloseTo(0.02 ** 2 * dim, 2);
    expect(output.get("kan.fc2")).toBeLessThan(0.05);
  });
});

test("is exact for a known input, over several passes", () => {
  const model = createModel("kat_test_patch7_28");
  const images = tf.concat([tf.ones([40, 28, 28, 1]), tf.fill([20, 28, 28, 1], 3)]);
  const before = tf.memory().numTensors;
  model.parameters().forEach(({ variable }) => variable);
  const parameters = tf.memory().numTensors - before;
  const [patches] = activationVariance(model, { inputs: images, samples: 60 });
  expect(patches.kind).toBe("PatchEmbedding");
  // (40·1 + 20·9) / 60
  expect(patches.input).toBeCloseTo(220 / 60, 5);
  expect(tf.memory().numTensors).toBe(before + parameters);
  model.dispose();
  images.dispose();
});

test("the variance leaves out the mean", () => {
  const model = createModel("kat_test_patch7_28");
  const rows = activationVariance(model, { inputs: tf.randomNormal([8, 28, 28, 1], 0, 1, "float32", 1) });
  for (const { output, variance } of rows) {
    expect(variance).toBeLessThanOrEqual(output);
    expect(variance).toBeGreaterThan(0);
  }
  expect(rows.map(({ layer }) => layer)).toContain("blocks.3.mlp.fc2");
  model.dispose();
});

test("refuses no image, and a number of samples that is none", () => {
  const model = createModel("kat_test_patch7_28");
  expect(() => activationVariance(model, { inputs: tf.zeros([0, 28, 28, 1]) })).toThrow(KatlabError);
  expect(() => activationVariance(model, { inputs: tf.zeros([1, 28, 28, 1]), samples: 0.5 })).toThrow(
    /samples must be a whole number ≥ 1; got 1 images and samples 0.5/,
  );
});
