import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { activationGain } from "../../src/bases/gain.js";
import { activations } from "../../src/bases/activations.js";
import { rationalPreset } from "../../src/bases/rationalPreset.js";
import { useEngine } from "../../src/engine.js";
import { GroupKan, type GroupKanOptions } from "../../src/layers/groupKan.js";
import type { GroupRational } from "../../src/layers/groupRational.js";
import { Mlp } from "../../src/layers/mlp.js";
import { Scope } from "../../src/layers/scope.js";
import { Random } from "../../src/random.js";
import { onEveryEngine } from "../presentEngines.js";

const create = (options: Partial<GroupKanOptions> = {}): GroupKan =>
  new GroupKan(new Scope(new Random(1)), { dim: 16, hiddenDim: 64, ...options });

const points = (): tf.Tensor2D => tf.randomNormal([12, 16], 0, 2, "float32", 5);

onEveryEngine("GroupKan", ({ options }) => {
  let before: number;
  beforeEach(async () => {
    await useEngine(options);
    before = tf.memory().numTensors;
  });
  afterEach(() => {
    expect(tf.memory().numTensors).toBe(before);
  });

  test("without the first function, with the second a fixed gelu, it is ViT's mixer to the bit", () => {
    const mixer = create({ starts: ["identity", "gelu"], fixed: true });
    const mlp = new Mlp(new Scope(new Random(2)), { dim: 16, hiddenDim: 64 });
    mlp.loadWeights(mixer.weights());
    tf.tidy(() => {
      const x = points();
      expect(mixer.forward(x).dataSync()).toEqual(mlp.forward(x).dataSync());
    });
    mixer.dispose();
    mlp.dispose();
  });

  test.each<[string, Partial<GroupKanOptions>, learned: string[]]>([
    ["act1 off, act2 learned", { fixed: [true, false] }, ["act2"]],
    ["act1 a fixed gelu", { starts: ["gelu", "silu"], fixed: [true, false] }, ["act2"]],
    ["act2 fixed", { fixed: [false, true], form: "B" }, ["act1"]],
    ["both learned, each in its form", { form: ["C", "N"] }, ["act1", "act2"]],
  ])("%s: only what learns has coefficients and gradients", (_, chosen, learned) => {
    const mixer = create(chosen);
    const coefficients = mixer.parameters().filter(({ kind }) => kind === "coefficient");
    expect(coefficients.map(({ name }) => name)).toEqual(
      learned.flatMap((act) => [`${act}.weight_numerator`, `${act}.weight_denominator`]),
    );
    tf.tidy(() => {
      const x = points();
      const { grads } = tf.variableGrads(
        () => tf.sum(tf.square(mixer.forward(x))),
        mixer.parameters().map(({ variable }) => variable),
      );
      const norms = Object.values(grads).map((gradient) => tf.norm(gradient).dataSync()[0]);
      expect(norms).toHaveLength(mixer.parameters().length);
      for (const norm of norms) expect(norm).toBeGreaterThan(0);
    });
    mixer.dispose();
  });
});

describe("GroupKan, without computing", () => {
  test("each function has its own start, form, degrees, groups and sharing", () => {
    const mixer = create({
      starts: ["tanh", "gelu"],
      form: ["B", "A"],
      degrees: [
        [3, 2],
        [5, 4],
      ],
      groups: [4, 2],
      sharing: [{ numerator: "group" }, {}],
    });
    const [first, second] = [mixer.act1, mixer.act2] as GroupRational[];
    expect([first.start, first.form, first.degrees, first.groups]).toEqual(["tanh", "B", [3, 2], 4]);
    expect([second.start, second.form, second.degrees, second.groups]).toEqual(["gelu", "A", [5, 4], 2]);
    expect([first.numerator.shape, first.denominator.shape]).toEqual([
      [4, 4],
      [4, 2],
    ]);
    expect([second.numerator.shape, second.denominator.shape]).toEqual([
      [1, 6],
      [2, 4],
    ]);
    const [act1, , act2] = mixer.outline([16]).layers;
    expect(act1.layer).toBe("GroupRational, 4 groups, form B, degrees 3/2, P per group");
    expect(act2.layer).toBe("GroupRational, 2 groups");
  });

  test("a function that is off, or fixed, costs no parameter and no multiply-add", () => {
    const [learned, off] = [create(), create({ fixed: [true, false] })].map((mixer) => mixer.outline([16]));
    expect(learned.parameters - off.parameters).toBe(6 + 8 * 4);
    expect(learned.multiplyAdds - off.multiplyAdds).toBe(21 * 16);
    expect(off.layers[0]).toMatchObject({
      layer: "FixedActivation, identity",
      parameters: 0,
      multiplyAdds: 0,
    });
  });

  test("a function that is off takes no operator: only another name for the same values", async () => {
    await useEngine({ engine: "cpu" });
    const mixer = create({ starts: ["identity", "gelu"], fixed: true });
    const mlp = new Mlp(new Scope(new Random(2)), { dim: 16, hiddenDim: 64 });
    const x = points();
    const kernels = async (layer: GroupKan | Mlp): Promise<string[]> => {
      layer.forward(x).dispose(); // makes its parameters
      const { kernels: run } = await tf.profile(() => tf.tidy(() => layer.forward(x)));
      return run.map(({ name }) => name);
    };
    const [own, others] = [await kernels(mixer), await kernels(mlp)];
    expect(own).toEqual(["Identity", ...others]);
    tf.tidy(() => {
      const y = mixer.act1.forward(x);
      expect(y.dataId).toBe(x.dataId);
    });
    for (const layer of [mixer, mlp]) layer.dispose();
    x.dispose();
  });

  test("weights start with the gain of the very function before them", async () => {
    await useEngine({ engine: "cpu" });
    const wide = { dim: 256, hiddenDim: 512 };
    const spread = ({ fc1, fc2 }: GroupKan): number[] =>
      [fc1, fc2].map(({ weight, inputDim }) =>
        tf.tidy(() => {
          const { variance } = tf.moments(weight.variable);
          return variance.dataSync()[0] * inputDim;
        }),
      );
    const mixer = create({ ...wide, starts: ["tanh", "relu"], fixed: [false, true] });
    const [first, second] = spread(mixer);
    const within = 5 * Math.sqrt(2 / (256 * 512)); // five standard deviations of a variance of so many draws
    expect(Math.abs(first / rationalPreset("tanh").gain - 1)).toBeLessThan(within);
    expect(Math.abs(second / activationGain(activations.relu) - 1)).toBeLessThan(within);
    mixer.dispose();
  });
});
