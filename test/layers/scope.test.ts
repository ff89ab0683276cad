import { beforeAll, describe, expect, test } from "vitest";
import { useEngine } from "../../src/engine.js";
import { normal } from "../../src/layers/initializer.js";
import type { Parameter, ParameterSpec } from "../../src/layers/parameter.js";
import { Scope } from "../../src/layers/scope.js";
import { Random } from "../../src/random.js";

const spec: ParameterSpec = { kind: "weight", axes: ["dim"], shape: [4], initializer: normal(1) };

function valuesOf(parameter: Parameter): number[] {
  const values = [...parameter.variable.dataSync()];
  parameter.dispose();
  return values;
}

describe("Scope", () => {
  beforeAll(async () => {
    await useEngine({ engine: "cpu" });
  });

  test("names by place, and remembers what is below", () => {
    const root = new Scope();
    const block = root.child("blocks").child(0);
    root.parameter("cls_token", spec);
    expect(block.child("attn").parameter("weight", spec).name).toBe("blocks.0.attn.weight");
    block.parameter("bias", spec);
    expect([...root.parameters.keys()]).toEqual(["cls_token", "blocks.0.attn.weight", "blocks.0.bias"]);
    expect([...block.parameters.keys()]).toEqual(["blocks.0.attn.weight", "blocks.0.bias"]);
  });

  test("first values depend on seed and name alone", () => {
    const alone = new Scope(new Random(1)).child("b").parameter("w", spec);
    const after = ((): Parameter => {
      const root = new Scope(new Random(1));
      root.child("a").parameter("w", spec);
      return root.child("b").parameter("w", spec);
    })();
    const values = valuesOf(alone);
    expect(valuesOf(after)).toEqual(values);
    expect(valuesOf(new Scope(new Random(2)).child("b").parameter("w", spec))).not.toEqual(values);
    expect(valuesOf(new Scope(new Random(1)).child("c").parameter("w", spec))).not.toEqual(values);
  });

  test("a name is taken once; the refused one leaves no trace", () => {
    const root = new Scope();
    root.child("fc").parameter("weight", spec);
    const again = root.child("fc");
    expect(() => again.parameter("weight", spec)).toThrow(
      'each parameter must have a name of its own; got a second "fc.weight"',
    );
    expect([root.parameters.size, again.parameters.size]).toEqual([1, 0]);
  });
});
