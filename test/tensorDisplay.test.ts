import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import "../src/tensorDisplay.js";

beforeAll(() => tf.setBackend("cpu"));

/** What a notebook shows of a tensor, which is then disposed. */
async function shown(tensor: tf.Tensor): Promise<string> {
  const display = Reflect.get(tensor, Symbol.for("Jupyter.display")) as unknown;
  const { data } = await (Reflect.apply(display as () => unknown, tensor, []) as Promise<{
    data: Record<string, string>;
  }>);
  tensor.dispose();
  return data["text/plain"];
}

describe("a tensor shows its dtype, its shape and its first values", () => {
  test.each([
    [() => tf.scalar(0.123456), "tensor float32 []\n  0.1235"],
    [() => tf.tensor1d([1, 2.5, -3e10]), "tensor float32 [3]\n             1           2.5  -30000000000"],
    [
      () => tf.tidy(() => tf.reshape(tf.range(0, 20, 1, "int32"), [2, 10])),
      "tensor int32 [2, 10]\n   0   1   2   3   4   5   6   7  …\n  10  11  12  13  14  15  16  17  …",
    ],
    [() => tf.zeros([9, 1]), `tensor float32 [9, 1]${"\n  0".repeat(6)}\n  …`],
    [() => tf.ones([4, 3, 2, 2]), "tensor float32 [4, 3, 2, 2], at [0, 0, :, :]\n  1  1\n  1  1"],
    [() => tf.tensor1d([true, false], "bool"), "tensor bool [2]\n   true  false"],
    [() => tf.tensor1d(["a", 'b"']), 'tensor string [2]\n    "a"  "b\\""'],
    [() => tf.tidy(() => tf.complex([1, 2], [0.5, -1])), "tensor complex64 [2]\n  1 + 0.5i   2 + -1i"],
    [() => tf.tensor1d([NaN, Infinity]), "tensor float32 [2]\n       NaN  Infinity"],
    [() => tf.zeros([0, 3]), "tensor float32 [0, 3], without values"],
    [() => tf.tidy(() => tf.variable(tf.scalar(1))), "variable float32 []\n  1"],
  ])("case %#", async (make, text) => {
    const before = tf.memory().numTensors;
    expect(await shown(make())).toBe(text);
    expect(tf.memory().numTensors).toBe(before);
  });

  test("also when it is disposed", async () => {
    const tensor = tf.zeros([2]);
    tensor.dispose();
    expect(await shown(tensor)).toBe("tensor float32 [2], disposed");
  });

  test("and lists no member for it", () => {
    const names: string[] = [];
    for (const name in tf.scalar(1)) names.push(name);
    expect(names.some((name) => name.includes("Jupyter"))).toBe(false);
    expect(
      Object.getOwnPropertyDescriptor(tf.Tensor.prototype, Symbol.for("Jupyter.display"))?.enumerable,
    ).toBe(false);
  });
});
