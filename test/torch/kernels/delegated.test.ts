import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { KatlabError } from "../../../src/errors.js";
import { loadAddon, torchValueAndGrads } from "../../../src/torch/backend.js";

const addon = loadAddon();

let before = { numTensors: 0, handles: 0 };
beforeEach(async () => {
  await tf.setBackend("torch");
  before = { numTensors: tf.memory().numTensors, handles: addon.live() };
});
afterEach(async () => {
  await tf.setBackend("torch");
  tf.disposeVariables();
  expect({ numTensors: tf.memory().numTensors, handles: addon.live() }).toEqual(before);
});

/** Values, shapes and dtypes of what `f` gives on a backend. */
async function on(backendName: string, f: Case): Promise<object[]> {
  await tf.setBackend(backendName);
  return tf.tidy(() => [f()].flat(2).map((x) => ({ shape: x.shape, dtype: x.dtype, values: x.dataSync() })));
}

type Case = () => tf.Tensor | (tf.Tensor | tf.Tensor[])[];

const cases: Record<string, Case> = {
  "strings, split": () => {
    const { indices, values, shape } = tf.string.stringSplit(["a b", "", "c ü  d"], " ");
    return [indices, values, shape];
  },
  "strings, hashed": () => tf.string.stringToHashBucketFast(["a", "b", "katlab"], 10),
  "strings, replaced": () => tf.string.staticRegexReplace(["abc", "aab"], "a", "x"),
  "strings in any shape": () => {
    const words = tf.tensor2d(["a", "b", "c", "d"], [2, 2]);
    return [
      tf.tile(words, [1, 2]),
      tf.slice(words, [1, 0], [1, 2]),
      tf.concat([words, words], 1),
      tf.reshape(words, [4]),
      tf.stack([words, words]),
      tf.expandDims(words, 1),
      tf.unstack(words),
      tf.equal(words, tf.tensor1d(["a", "d"])),
      tf.fill([2], "x"),
      tf.clone(words),
    ];
  },
  ragged: () => {
    const { outputNestedSplits, outputDenseValues } = tf.raggedGather(
      [tf.tensor1d([0, 3, 3, 5], "int32")],
      tf.tensor1d([0.1, 0.2, 0.3, 0.4, 0.5]),
      tf.tensor1d([2, 0], "int32"),
      1,
    );
    return [outputNestedSplits, outputDenseValues];
  },
  sparse: () => {
    const indices = tf.tensor2d([[0, 0], [2, 1]], [2, 2], "int32"); // prettier-ignore
    const { outputIndices, outputValues, emptyRowIndicator } = tf.sparse.sparseFillEmptyRows(
      indices,
      tf.tensor1d([5, 6]),
      tf.tensor1d([3, 2], "int32"),
      tf.scalar(-1),
    );
    return [outputIndices, outputValues, emptyRowIndicator];
  },
  boxes: () => {
    const boxes = tf.tensor2d([[0, 0, 1, 1], [0, 0.1, 1, 1.1], [0, 10, 1, 11]]); // prettier-ignore
    const { selectedIndices, selectedScores } = tf.image.nonMaxSuppressionWithScore(
      boxes,
      [0.9, 0.75, 0.6],
      3,
      0.5,
    );
    return [selectedIndices, selectedScores];
  },
  images: () => {
    const image = tf.reshape<tf.Rank.R4>(tf.range(0, 16), [1, 4, 4, 1]);
    return [
      tf.image.cropAndResize(image, [[0, 0, 0.5, 1]], [0], [2, 3]),
      tf.image.rotateWithOffset(image, Math.PI / 2),
      tf.image.transform(image, tf.tensor2d([[1, 0, 1, 0, 1, 0, 0, 0]])),
    ];
  },
  "in order of appearance": () => {
    const { values, indices } = tf.unique([3, 1, 3, 2, 1]);
    return [values, indices];
  },
  "drawn from a seed": () => tf.multinomial(tf.tensor2d([[0.1, 2, 0.4]]), 8, 7),
  shapes: () => tf.broadcastArgs([2, 1], [1, 3]),
};

test.each(Object.keys(cases))("%s, as on tfjs's cpu backend", async (name) => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const result = await on("torch", cases[name]);
  expect(warn).not.toHaveBeenCalled();
  expect(result).toEqual(await on("cpu", cases[name]));
  warn.mockRestore();
});

test("strings given to an operator of numbers", () => {
  const run = (): unknown => tf.tidy(() => tf.engine().runKernel("Gelu", { x: tf.tensor1d(["a"]) }));
  expect(run).toThrow("torch: tfjs kernel Gelu: inputs must hold numbers; got strings.");
});

describe("torch autograd", () => {
  const image = (): tf.Variable<tf.Rank.R4> => tf.tidy(() => tf.variable(tf.ones<tf.Rank.R4>([1, 2, 2, 1])));
  const cropped = (x: tf.Tensor4D): tf.Scalar =>
    tf.sum(tf.image.cropAndResize(x, [[0, 0, 1, 1]], [0], [1, 1]));

  test("does not go through: the gradient would be lost in silence", () => {
    const x = image();
    const run = (): unknown => torchValueAndGrads(() => cropped(x), [x]);
    expect(run).toThrow(KatlabError);
    expect(run).toThrowErrorMatchingInlineSnapshot(
      `[KatlabError: torch: tfjs kernel CropAndResize: torch autograd must not go through it, for tfjs's cpu backend computes it; got an input that requires a gradient. Compute it before torchValueAndGrads, or differentiate by tfjs's tape: tf.variableGrads.]`,
    );
    expect(addon.gradMode(false)).toBe(false);
  });

  test("may pass by: where no input requires a gradient, or the results are integers", () => {
    const [x, constant] = [image(), tf.ones<tf.Rank.R4>([1, 2, 2, 1])];
    const scores = tf.tidy(() => tf.variable(tf.tensor1d([1, 2])));
    const run = torchValueAndGrads(() => {
      const chosen = tf.image.nonMaxSuppression([[0, 0, 1, 1], [2, 2, 3, 3]], scores, 1); // prettier-ignore
      return tf.add(tf.sum(tf.mul(x, cropped(constant))), tf.sum(tf.gather(scores, chosen)));
    }, [x, scores]);
    expect(run.grads.map((grad) => [...grad.dataSync()])).toEqual([
      [1, 1, 1, 1],
      [0, 1],
    ]);
    tf.dispose([run.value, ...run.grads, constant]);
  });

  test("outside of it nothing is refused", () => {
    const x = image();
    const value = tf.tidy(() => cropped(x).dataSync()[0]);
    expect(value).toBe(1);
  });
});
