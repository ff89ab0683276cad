import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { useEngine } from "../../src/engine.js";
import { createModel, listModels, type ModelName } from "../../src/models/registry.js";

/** Parameters as timm and the KAT authors print them at 224² (elsewhere counted by hand: `dim`, depth and tokens differ
 * in known ways), and multiply-adds of the KAT paper, table 3, in units of 10⁹. */
const published: Readonly<Record<ModelName, { parameters: number; multiplyAdds?: number }>> = {
  vit_test_patch7_28: { parameters: 455_050 },
  vit_tiny_patch4_32: { parameters: 5_362_762 },
  vit_tiny_patch16_224: { parameters: 5_717_416, multiplyAdds: 1.08 },
  vit_small_patch16_224: { parameters: 22_050_664, multiplyAdds: 4.25 },
  vit_base_patch16_224: { parameters: 86_567_656, multiplyAdds: 16.87 },
  deit_tiny_patch16_224: { parameters: 5_717_416, multiplyAdds: 1.08 },
  deit_small_patch16_224: { parameters: 22_050_664, multiplyAdds: 4.25 },
  deit_base_patch16_224: { parameters: 86_567_656, multiplyAdds: 16.87 },
  kat_test_patch7_28: { parameters: 455_354 },
  kat_tiny_patch4_32: { parameters: 5_363_674 },
  kat_tiny_patch16_224: { parameters: 5_718_328, multiplyAdds: 1.13 },
  kat_small_patch16_224: { parameters: 22_051_576, multiplyAdds: 4.35 },
  kat_base_patch16_224: { parameters: 86_568_568, multiplyAdds: 17.06 },
};

test("every registered model is in the table", () => {
  expect(Object.keys(published).sort()).toEqual([...listModels()].sort());
});

describe.each(Object.entries(published))("%s", (name, { parameters, multiplyAdds }) => {
  const model = createModel(name as ModelName);

  test("has the published number of parameters, in its parts and in its description", () => {
    expect(model.parameters().reduce((sum, { size }) => sum + size, 0)).toBe(parameters);
    expect(model.describe().parameters).toBe(parameters);
  });

  test.runIf(multiplyAdds !== undefined)("has the published multiply-adds", () => {
    const description = model.describe();
    expect(Number((description.multiplyAdds / 1e9).toFixed(2))).toBe(multiplyAdds);
    const { depth, dim } = model.config;
    // Two products of 197 × 197 × dim in every block.
    expect(description.multiplyAddsWithAttention - description.multiplyAdds).toBe(2 * depth * 197 ** 2 * dim);
  });
});

describe("options", () => {
  const plain = createModel("kat_test_patch7_28");
  const { dim, depth } = plain.config;

  test("layerScale adds a scale of each branch by timm's names, and costs no multiply-add", () => {
    const model = createModel("kat_test_patch7_28", { layerScale: 1e-4 });
    const added = [...model.namedParameters().keys()].filter((name) => !plain.namedParameters().has(name));
    expect(added).toEqual([0, 1, 2, 3].flatMap((i) => [`blocks.${i}.ls1.gamma`, `blocks.${i}.ls2.gamma`]));
    expect(model.describe().parameters).toBe(plain.describe().parameters + 2 * depth * dim);
    expect(model.describe().multiplyAdds).toBe(plain.describe().multiplyAdds);
    expect(model.describe().toString()).toContain("LayerScale");
  });

  test("mean pooling has no class token: a token less everywhere", () => {
    const model = createModel("kat_test_patch7_28", { pooling: "mean" });
    expect(model.namedParameters().has("cls_token")).toBe(false);
    expect(model.posEmbed.shape).toEqual([1, 16, dim]);
    expect(model.describe().parameters).toBe(plain.describe().parameters - 2 * dim);
    expect(model.describe().layers.map(({ path }) => path)).toEqual(
      plain
        .describe()
        .layers.map(({ path }) => path)
        .filter((path) => path !== "cls_token"),
    );
    expect(model.describe().layers.find(({ path }) => path === "blocks.0")?.output).toEqual([16, dim]);
  });

  test("the rational functions' form, degrees and sharing reach every block and the description", () => {
    const model = createModel("kat_test_patch7_28", {
      form: "B",
      degrees: [3, 2],
      groups: 7,
      uneven: true,
      sharing: { numerator: "group" },
    });
    const shapes = [...model.namedParameters()].filter(([name]) => name.includes("weight_"));
    expect(shapes).toHaveLength(4 * depth);
    for (const [name, { shape }] of shapes) expect(shape).toEqual([7, name.includes("numerator") ? 4 : 2]);
    expect(model.describe().toString()).toContain(
      "GroupRational, 7 groups, form B, degrees 3/2, P per group",
    );
    const before = (plain.describe().multiplyAdds - model.describe().multiplyAdds) / (17 * 5 * dim);
    expect(before).toBe((21 - 13) * depth);
  });

  test("fixed activations have no coefficients, cost nothing, and the paper's gain", () => {
    const model = createModel("kat_test_patch7_28", { fixed: true, starts: ["identity", "gelu"] });
    const mixer = createModel("vit_test_patch7_28");
    expect([...model.namedParameters().keys()]).toEqual([...mixer.namedParameters().keys()]);
    expect(model.describe().multiplyAdds).toBe(mixer.describe().multiplyAdds);
    expect(model.describe().toString()).toContain("FixedActivation, gelu");
  });

  test("each function may be off, fixed or learned in its own way; the configuration says so as plain data", () => {
    const options = {
      starts: ["identity", "gelu"],
      fixed: [true, false],
      form: "D",
      groups: [8, 4],
    } as const;
    const model = createModel("kat_test_patch7_28", options);
    const description = model.describe();
    const [act1, , act2] = description.layers
      .filter(({ layer }) => layer === "TransformerBlock")
      .map(({ layers }) => layers[3].layers.map(({ layer }) => layer))[0];
    expect([act1, act2]).toEqual(["FixedActivation, identity", "GroupRational, 4 groups, form D"]);
    expect(plain.describe().parameters - description.parameters).toBe(depth * (6 + 8 * 4 + 4 * 4));
    const { options: kept } = JSON.parse(JSON.stringify(model.config)) as { options: typeof options };
    expect(kept).toEqual(options);
    expect(createModel("kat_test_patch7_28", kept).describe()).toEqual(description);
  });

  test("left out, the first weights are those they always were", async () => {
    await useEngine({ engine: "cpu" });
    const model = createModel("kat_test_patch7_28", { seed: 1 });
    const hash = createHash("sha256");
    for (const { name, variable } of model.parameters())
      hash.update(name).update(variable.dataSync<"float32">());
    expect(hash.digest("hex").slice(0, 16)).toBe("5fe3db63969080fd");
    model.dispose();
  });

  test("images and patches of any sides: tokens, shapes and costs follow", () => {
    const sides = { imageSize: [32, 24], patchSize: [8, 4], channels: 3 } as const;
    const model = createModel("kat_test_patch7_28", sides);
    expect(model.patchEmbed.grid).toEqual([4, 6]);
    expect(model.inputShape).toEqual([32, 24, 3]);
    expect(model.posEmbed.shape).toEqual([1, 25, dim]);
    expect(model.patchEmbed.weight.shape).toEqual([dim, 3, 8, 4]);
    expect(model.describe().input).toEqual([32, 24, 3]);
    expect(model.describe().layers[0].multiplyAdds).toBe(24 * dim * 3 * 8 * 4);
    const pairs = createModel("kat_test_patch7_28", { imageSize: [28, 28], patchSize: [7, 7] });
    expect(pairs.describe()).toEqual(plain.describe());
  });

  test("those that are none are refused", () => {
    const create = (options: object): (() => unknown) => {
      return () => createModel("kat_test_patch7_28", options);
    };
    expect(create({ layerScale: NaN })).toThrow(
      "layerScale: the first value must be a finite number; got NaN",
    );
    expect(create({ imageSize: [28, 30] })).toThrow(
      "PatchEmbedding: image width (30) must be a multiple of patch width (7); got remainder 2.",
    );
    expect(create({ imageSize: 30 })).toThrow("image height (30) must be a multiple of patch height (7)");
    expect(create({ imageSize: [28] })).toThrow(
      "imageSize must be a whole number ≥ 1, or a pair [height, width] of them; got [28]",
    );
    expect(create({ patchSize: 3.5 })).toThrow("patchSize must be a whole number ≥ 1, or a pair");
    expect(create({ pooling: "men" })).toThrow('got "men". Did you mean "mean"?');
    expect(create({ fixed: true, form: "B" })).toThrow("got form. Leave out form or fixed.");
    expect(create({ form: ["A"] })).toThrow("form must be one for both functions, or a pair [act1, act2]");
    expect(create({ form: ["A", "E"] })).toThrow('form: must be one of A, B, C, D, N; got "E"');
    expect(create({ groups: [8, 0] })).toThrow("groups must be a whole number from 1 to dim (384); got 0");
    expect(create({ weights: "tim" })).toThrow('Did you mean "timm"?');
    expect(create({ imageSize: null })).toThrow("createModel: imageSize must have a value; got null.");
    expect(create({ layerscale: 1 })).toThrow('Did you mean "layerScale"?');
  });
});

test("a name that is none gets the nearest one", () => {
  expect(() => createModel("kat_tiny_patch16_244" as ModelName)).toThrow(
    'Did you mean "kat_tiny_patch16_224"?',
  );
});
