import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { useEngine } from "../../src/engine.js";
import { Mlp } from "../../src/layers/mlp.js";
import { Scope } from "../../src/layers/scope.js";
import { Random } from "../../src/random.js";

const names = ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"];

describe("Module", () => {
  let before = 0;
  let mlp: Mlp;
  beforeAll(async () => {
    await useEngine({ engine: "cpu" });
  });
  beforeEach(() => {
    before = tf.memory().numTensors;
    mlp = new Mlp(new Scope(new Random(1)).child("blocks").child(0).child("mlp"), { dim: 2, hiddenDim: 3 });
  });
  afterEach(() => {
    mlp.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test("names its parameters from itself on; a parameter knows its full name", () => {
    expect(mlp.path).toBe("blocks.0.mlp");
    expect([...mlp.namedParameters().keys()]).toEqual(names);
    expect(mlp.parameters().map(({ name }) => name)).toEqual(names.map((name) => `blocks.0.mlp.${name}`));
    expect([...mlp.fc2.namedParameters().keys()]).toEqual(["weight", "bias"]);
  });

  test("forward frees all but its result; observe sees every layer", () => {
    const x = tf.ones([1, 2]);
    const seen: string[] = [];
    const y = mlp.forward(x, {
      observe: ({ module, input, output }) =>
        seen.push(`${module.path}: ${input.shape.join("×")} → ${output.shape.join("×")}`),
    });
    expect(tf.memory().numTensors).toBe(before + 2 + names.length);
    expect(seen).toEqual([
      "blocks.0.mlp.fc1: 1×2 → 1×3",
      "blocks.0.mlp.act: 1×3 → 1×3",
      "blocks.0.mlp.fc2: 1×3 → 1×2",
      "blocks.0.mlp: 1×2 → 1×2",
    ]);
    tf.dispose([x, y]);
  });

  test("weights are its own, and load into another", () => {
    const other = new Mlp(new Scope(new Random(2)), { dim: 2, hiddenDim: 3 });
    const weights = mlp.weights();
    expect(other.loadWeights(weights)).toEqual({ loaded: names, kept: [], missing: [], unexpected: [] });
    const [x, y, z] = tf.tidy(() => {
      const input = tf.tensor2d([[1, -2]]);
      return [input, mlp.forward(input), other.forward(input)];
    });
    expect([...z.dataSync()]).toEqual([...y.dataSync()]);
    other.dispose();
    expect([...mlp.fc1.parameters()[0].variable.dataSync()]).toHaveLength(6);
    tf.dispose([x, y, z]);
  });

  test("loadWeights refuses names that do not fit, and loads nothing", () => {
    tf.tidy(() => {
      const good = Object.fromEntries(
        [...mlp.namedParameters()].map(([name, { shape }]) => [name, tf.zeros([...shape])]),
      );
      const { "fc1.bias": bias, ...without } = good;
      expect(() => mlp.loadWeights(without)).toThrow(
        'got 1 missing ("fc1.bias"). Pass the weights of this model',
      );
      expect(() => mlp.loadWeights({ ...good, "fc1.bia": bias })).toThrow(
        'got 1 unexpected ("fc1.bia"). Did you mean "fc1.bias"?',
      );
      const strange = Object.fromEntries(["a", "b", "c", "d", "e"].map((name) => [name, bias]));
      expect(() => mlp.loadWeights(strange)).toThrow(
        '4 missing ("fc1.weight", "fc1.bias", "fc2.weight", and 1 more) and 5 unexpected ("a", "b", "c", and 2 more)',
      );
      expect(() => mlp.loadWeights({ ...good, "fc2.bias": tf.zeros([3]) })).toThrow(
        "blocks.0.mlp.fc2.bias: shape must be [out 2]; got [3]",
      );
    });
    expect(mlp.parameters().some(({ isBuilt }) => isBuilt)).toBe(false);
  });

  test("loadWeights keeps a kind: the record has all others, and none of it", () => {
    tf.tidy(() => {
      const before = mlp.weights()["fc1.bias"].dataSync();
      const matrices = { "fc1.weight": tf.ones([3, 2]), "fc2.weight": tf.ones([2, 3]) };
      expect(mlp.loadWeights(matrices, { keep: "bias" })).toEqual({
        loaded: ["fc1.weight", "fc2.weight"],
        kept: ["fc1.bias", "fc2.bias"],
        missing: [],
        unexpected: [],
      });
      expect(mlp.weights()["fc1.bias"].dataSync()).toEqual(before);
      const bias = tf.ones([3]);
      expect(() => mlp.loadWeights({ ...matrices, "fc1.bias": bias }, { keep: "bias" })).toThrow(
        'got 1 unexpected ("fc1.bias")',
      );
      expect(() => mlp.loadWeights({ "fc1.weight": matrices["fc1.weight"] }, { keep: "bias" })).toThrow(
        'got 1 missing ("fc2.weight")',
      );
    });
  });

  test("loadWeights, not strict, loads what matches and says what does not", () => {
    tf.tidy(() => {
      const report = mlp.loadWeights({ "fc1.bias": tf.ones([3]), head: tf.ones([1]) }, { strict: false });
      expect(report).toEqual({
        loaded: ["fc1.bias"],
        kept: [],
        missing: ["fc1.weight", "fc2.weight", "fc2.bias"],
        unexpected: ["head"],
      });
      expect([...mlp.weights()["fc1.bias"].dataSync()]).toEqual([1, 1, 1]);
    });
  });
});
