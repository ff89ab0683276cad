import * as fc from "fast-check";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { autocast } from "../../src/autocast.js";
import { valueAndGrads } from "../../src/autodiff/valueAndGrads.js";
import { useEngine } from "../../src/engine.js";
import { createModel } from "../../src/models/registry.js";
import { softmaxCrossEntropy } from "../../src/ops/softmaxCrossEntropy.js";
import { loadAddon } from "../../src/torch/backend.js";
import { registerTapeGradients } from "../../src/torch/tapeGradients.js";
import { anyReal, anyTensor, shape, tensor } from "./kernels/arbitrary.js";
import type { Plain } from "./kernels/kernelRun.js";

const addon = loadAddon();

beforeAll(async () => {
  await useEngine({ engine: "cpu" }); // without its advertisement
});

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

const toTensor = ({ values, shape, dtype }: Plain): tf.Tensor => tf.tensor([...values], [...shape], dtype);

type Gradient = (x: Plain, dy: Plain | undefined) => object;

/** What the tape says of `f`, on the backend in use. */
function gradientOf(f: (x: tf.Tensor) => tf.Tensor): Gradient {
  return (x, dy) =>
    tf.tidy(() => {
      const gradient = tf.grad(f)(toTensor(x), dy === undefined ? undefined : toTensor(dy));
      return { shape: gradient.shape, dtype: gradient.dtype, values: [...gradient.dataSync()] };
    });
}

/** tfjs's own gradients run on the cpu backend. */
async function expectTfjsGradient(gradient: Gradient, x: Plain, dy?: Plain): Promise<void> {
  await tf.setBackend("torch");
  const ours = gradient(x, dy);
  await tf.setBackend("cpu");
  expect(ours).toEqual(gradient(x, dy));
}

describe("the gradients are tfjs's own", () => {
  test.each([
    ["sum", tf.sum],
    ["mean", tf.mean],
  ] as const)("%s, along any axes", async (_, reduce) => {
    const runs = anyTensor("float32", anyReal, { min: 1 }).chain((x) =>
      fc.record({ axes: fc.subarray(x.shape.map((_, i) => i)), keepDims: fc.boolean() }).chain((attrs) => {
        const reduced = x.shape
          .map((size, i) => (attrs.axes.includes(i) ? 1 : size))
          .filter((_, i) => attrs.keepDims || !attrs.axes.includes(i));
        return fc.tuple(fc.constant(x), tensor(reduced, "float32", anyReal), fc.constant(attrs));
      }),
    );
    await fc.assert(
      fc.asyncProperty(runs, ([x, dy, { axes, keepDims }]) =>
        expectTfjsGradient(
          gradientOf((x) => reduce(x, axes, keepDims)),
          x,
          dy,
        ),
      ),
    );
  });

  test("sum and mean of nothing", async () => {
    const nothing: Plain = { shape: [2, 0], dtype: "float32", values: [] };
    await expectTfjsGradient(
      gradientOf((x) => tf.sum(x)),
      nothing,
    );
    await expectTfjsGradient(
      gradientOf((x) => tf.mean(x, 1)),
      nothing,
    );
  });

  test("unsortedSegmentSum, rows of segments below 0 left out, whatever is in them", async () => {
    const runs = shape({ minRank: 1, maxRank: 4, min: 1 }).chain(([rows, ...rest]) =>
      fc.record({
        x: tensor([rows, ...rest], "float32", anyReal),
        dy: tensor([3, ...rest], "float32", anyReal),
        ids: tensor([rows], "int32", fc.integer({ min: -2, max: 2 })),
      }),
    );
    await fc.assert(
      fc.asyncProperty(runs, ({ x, dy, ids }) =>
        expectTfjsGradient(
          gradientOf((x) => tf.unsortedSegmentSum(x, toTensor(ids) as tf.Tensor1D, 3)),
          x,
          dy,
        ),
      ),
    );
  });

  test("oneHot: its indices have none", async () => {
    const chosen = gradientOf((x) => tf.sum(tf.mul(tf.oneHot(tf.argMax(x, 1), 3), x)));
    await expectTfjsGradient(chosen, { shape: [2, 3], dtype: "float32", values: [1, 3, 2, 6, 5, 4] });
  });
});

describe("a step on the tape copies no array to the device", () => {
  test.each(["vit_test_patch7_28", "kat_test_patch7_28"] as const)("%s", (name) => {
    const model = createModel(name);
    const images = tf.ones<tf.Rank.R4>([2, 28, 28, 1]);
    const labels = tf.tensor1d([1, 7], "int32");
    const variables = model.parameters().map(({ variable }) => variable);
    const loss = (): tf.Scalar => softmaxCrossEntropy(model.forward(images), labels);
    const optimizer = tf.train.adam(1e-3);
    const copies = vi.spyOn(addon, "from");
    optimizer.minimize(loss, false, variables);
    expect(copies.mock.calls.map(([, shape]) => shape).filter(({ length }) => length > 0)).toEqual([]);
    copies.mockRestore();
    optimizer.dispose();
    model.dispose();
    tf.dispose([images, labels]);
  });

  test("embedding, mean and one-hot labels in tfjs's own operators", () => {
    const table = tf.tidy(() => tf.variable(tf.ones([5, 3])));
    const words = tf.tensor2d([[1, 2], [4, 4]], [2, 2], "int32"); // prettier-ignore
    const labels = tf.tensor1d([0, 2], "int32");
    const copies = vi.spyOn(addon, "from");
    const { value, grads } = tf.variableGrads(() => {
      const sentences = tf.mean(tf.gather(table, words), 1);
      return tf.losses.softmaxCrossEntropy(tf.oneHot(labels, 3), sentences);
    }, [table]);
    expect(copies.mock.calls.filter(([, { length }]) => length > 0)).toEqual([]);
    copies.mockRestore();
    tf.dispose([value, grads, table, words, labels]);
  });
});

test("packages that register tfjs's gradients anew do not undo it, and keep theirs on other backends", async () => {
  const registered = tf.getGradient(tf.Sum);
  const others = vi.fn((_: tf.Tensor | tf.Tensor[], [x]: tf.Tensor[]) => ({ x: () => tf.onesLike(x) }));
  try {
    tf.registerGradient({ ...registered, gradFunc: others });
    registerTapeGradients();
    registerTapeGradients();
    const gradient = gradientOf((x) => tf.sum(x));
    const x: Plain = { shape: [2], dtype: "float32", values: [3, 4] };
    expect(gradient(x, undefined)).toMatchObject({ values: [1, 1] });
    expect(others).not.toHaveBeenCalled();
    await tf.setBackend("cpu");
    expect(gradient(x, undefined)).toMatchObject({ values: [1, 1] });
    expect(others).toHaveBeenCalledTimes(1);
  } finally {
    tf.registerGradient(registered);
  }
});

test("inside autocast the tape's gradients are as exact as torch autograd's", async () => {
  await useEngine({ engine: "torch", device: "cpu", precision: "bfloat16" });
  const model = createModel("kat_test_patch7_28");
  const images = tf.ones<tf.Rank.R4>([2, 28, 28, 1]);
  const labels = tf.tensor1d([1, 7], "int32");
  const variables = model.parameters().map(({ variable }) => variable);
  const loss = (): tf.Scalar => softmaxCrossEntropy(model.forward(images), labels);
  const onTape = (): tf.Tensor[] => Object.values(tf.variableGrads(loss, variables).grads);
  tf.tidy(() => {
    const exact = onTape(); // outside it everything is float32
    const apart = (grads: tf.Tensor[]): number =>
      tf.norm(tf.stack(grads.map((grad, i) => tf.norm(tf.sub(grad, exact[i]))))).dataSync()[0];
    const byAutograd = apart(valueAndGrads(loss, variables).grads);
    expect(byAutograd).toBeGreaterThan(0);
    expect(apart(autocast(onTape))).toBeLessThanOrEqual(2 * byAutograd);
  });
  model.dispose();
  tf.dispose([images, labels]);
  await useEngine({ engine: "torch", device: "cpu" });
});

test("a gradient of a gradient goes through", () => {
  const values = tf.tidy(() => {
    const slope = tf.grad((x: tf.Tensor) => tf.sum(tf.square(tf.sum(x, 0))));
    return [
      ...tf
        .grad((x: tf.Tensor) => tf.sum(slope(x)))(tf.ones([2, 3]))
        .dataSync(),
    ];
  });
  // d/dx Σ 2·(x₁ + x₂) over both rows
  expect(values).toEqual([4, 4, 4, 4, 4, 4]);
});
