import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  loadAddon,
  registerTorchBackend,
  TorchBackend,
  torchValueAndGrads,
} from "../../../src/torch/backend.js";

const addon = loadAddon();

beforeAll(() => {
  registerTorchBackend({ name: "torch-float64", float: "float64" });
});

let before = { numTensors: 0, handles: 0 };
beforeEach(async () => {
  await tf.setBackend("torch-float64");
  before = { numTensors: tf.memory().numTensors, handles: addon.live() };
});
afterEach(() => {
  tf.disposeVariables();
  expect({ numTensors: tf.memory().numTensors, handles: addon.live() }).toEqual(before);
});

type Tensors = Record<string, tf.Tensor>;

/** A fused operator: its tfjs kernel, and what it shall be in tfjs's own operators. */
interface Fused {
  readonly kernelName: string;
  readonly shapes: Record<string, number[]>;
  readonly attrs?: object;
  readonly constants?: () => Tensors;
  readonly composed: (inputs: Tensors) => tf.Tensor;
}

/** Σ cᵢ · |x|ⁱ⁺ᶠ over the last axis of c, whose row for each channel is that of its group. */
function polynomial(x: tf.Tensor, table: tf.Tensor, first: number): tf.Tensor {
  const [groups, terms] = table.shape;
  const dim = x.shape[x.rank - 1];
  const rows = tf.gather(
    table,
    tf.tensor1d(
      Array.from({ length: dim }, (_, c) => Math.floor((c * groups) / dim)),
      "int32",
    ),
  );
  const sums = Array.from({ length: terms }, (_, i) =>
    tf.mul(tf.reshape(tf.slice(rows, [0, i], [dim, 1]), [dim]), tf.pow(x, tf.scalar(i + first))),
  );
  return tf.addN(sums);
}

const fused: Fused[] = [
  {
    kernelName: "GroupRational",
    shapes: { x: [3, 2, 8], numerator: [2, 6], denominator: [4, 4] },
    composed: ({ x, numerator, denominator }) =>
      tf.div(polynomial(x, numerator, 0), tf.add(1, polynomial(tf.abs(x), tf.abs(denominator), 1))),
  },
  {
    kernelName: "Gelu",
    shapes: { x: [2, 5] },
    composed: ({ x }) =>
      tf.mul(tf.mul(x, 0.5), tf.add(1, tf.erf(tf.div(x, tf.sqrt(tf.add(tf.onesLike(x), 1)))))),
  },
  {
    kernelName: "LayerNorm",
    shapes: { x: [2, 3, 4], scale: [4], offset: [4] },
    attrs: { epsilon: 2 ** -20 },
    composed: ({ x, scale, offset }) => {
      const centred = tf.sub(x, tf.mean(x, -1, true));
      const variance = tf.mean(tf.square(centred), -1, true);
      return tf.add(tf.mul(tf.div(centred, tf.sqrt(tf.add(variance, 2 ** -20))), scale), offset);
    },
  },
  {
    kernelName: "Linear",
    shapes: { x: [2, 3, 4], weight: [5, 4], bias: [5] },
    composed: ({ x, weight, bias }) =>
      tf.add(tf.reshape(tf.matMul(tf.reshape(x, [6, 4]), weight, false, true), [2, 3, 5]), bias),
  },
  {
    kernelName: "Linear",
    shapes: { x: [3, 4], weight: [5, 4] },
    composed: ({ x, weight }) => tf.matMul(x, weight, false, true),
  },
  ...[undefined, 0.75].map((scale) => ({
    kernelName: "ScaledDotProductAttention",
    shapes: { query: [2, 2, 3, 4], key: [2, 2, 5, 4], value: [2, 2, 5, 4] },
    attrs: scale === undefined ? {} : { scale },
    composed: ({ query, key, value }: Tensors) =>
      tf.matMul(tf.softmax(tf.mul(tf.matMul(query, key, false, true), scale ?? 0.5)), value), // 1/√4
  })),
  ...[0, 0.25].map((labelSmoothing) => ({
    kernelName: "SoftmaxCrossEntropy",
    shapes: { logits: [3, 4] },
    attrs: { labelSmoothing },
    constants: () => ({ labels: tf.tensor1d([2, 0, 3], "int32") }),
    composed: ({ logits, labels }: Tensors) => {
      const wanted = tf.cast(tf.oneHot(tf.cast(labels, "int32"), 4), "float32");
      const smoothed = tf.add(tf.mul(wanted, 1 - labelSmoothing), labelSmoothing / 4);
      return tf.neg(tf.div(tf.sum(tf.mul(smoothed, tf.logSoftmax(logits))), 3));
    },
  })),
];

/** Numbers in (−2, 2), none of them 0. */
function variables({ shapes }: Fused): Record<string, tf.Variable> {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape], k) => {
      const values = Array.from(
        { length: tf.util.sizeFromShape(shape) },
        (_, i) => 4 * (((i + 3 * k + 1) * 0.618034) % 1) - 2,
      );
      return [name, tf.tidy(() => tf.variable(tf.tensor(values, shape)))];
    }),
  );
}

function run({ kernelName, attrs = {} }: Fused, inputs: Tensors): tf.Tensor {
  return tf.engine().runKernel<tf.Tensor>(kernelName, inputs, attrs as tf.NamedAttrMap);
}

/** Value and gradients of Σ w · y, all as one list of numbers. */
function valueAndGrads(
  f: (inputs: Tensors) => tf.Tensor,
  of: Fused,
  inputs: Record<string, tf.Variable>,
): number[] {
  const backend = tf.backend();
  if (!(backend instanceof TorchBackend)) throw new Error("no torch backend");
  const { value, grads } = torchValueAndGrads(() => {
    const y = f({ ...inputs, ...of.constants?.() });
    return tf.sum(tf.mul(y, tf.reshape(tf.linspace(0.5, 1.5, y.size), y.shape)));
  }, Object.values(inputs));
  const numbers = [value, ...grads].flatMap((x) => [...backend.readFloat64(x)]);
  tf.dispose([value, ...grads]);
  return numbers;
}

const titles = fused.map(
  (of) => [`${of.kernelName} ${JSON.stringify(of.attrs ?? Object.keys(of.shapes))}`, of] as const,
);

describe("value and gradients are those of the composed operators, in float64", () => {
  test.each(titles)("%s", (_, of) => {
    const inputs = variables(of);
    const actual = valueAndGrads((all) => run(of, all), of, inputs);
    const expected = valueAndGrads(of.composed, of, inputs);
    expect(actual.length).toBe(expected.length);
    actual.forEach((value, i) => expect(value).toBeCloseTo(expected[i], 6));
  });
});

describe("in float32 they are at most twice as far from float64 as the composed ones", () => {
  test.each(titles)("%s", async (_, of) => {
    const all = async (backendName: string, f: (inputs: Tensors) => tf.Tensor): Promise<number[]> => {
      await tf.setBackend(backendName);
      const inputs = variables(of);
      const result = valueAndGrads(f, of, inputs);
      tf.disposeVariables();
      return result;
    };
    const kernel = (inputs: Tensors): tf.Tensor => run(of, inputs);
    const exact = await all("torch-float64", kernel);
    const error = (actual: number[]): number =>
      Math.max(...actual.map((value, i) => Math.abs(value - exact[i])));
    const ulp = 2 ** -23 * Math.max(...exact.map(Math.abs));
    const fusedError = error(await all("torch", kernel));
    expect(fusedError).toBeLessThanOrEqual(2 * error(await all("torch", of.composed)) + ulp);
  });
});

test.each([
  ["Gelu", "GeluGradient"],
  ["GroupRational", "GroupRationalGradient"],
])("the gradient of %s is a tfjs kernel, too", (kernelName, gradientName) => {
  const of = fused.find((each) => each.kernelName === kernelName) as Fused;
  const inputs = variables(of);
  const grads = tf.tidy(() => {
    const dy = tf.reshape(tf.linspace(0.5, 1.5, inputs["x"].size), inputs["x"].shape);
    const results = tf.engine().runKernel(gradientName, { dy, ...inputs }, {});
    return [results].flat().flatMap((x) => [...x.dataSync()]);
  });
  const [, ...expected] = valueAndGrads((all) => run(of, all), of, inputs);
  expect(grads.length).toBe(expected.length);
  grads.forEach((value, i) => expect(value).toBeCloseTo(expected[i], 5));
});

test("labels that are no class are refused, −100 among them", () => {
  for (const label of [3, -1, -100]) {
    expect(() =>
      tf.tidy(() =>
        tf
          .engine()
          .runKernel(
            "SoftmaxCrossEntropy",
            { logits: tf.zeros([1, 3]), labels: tf.tensor1d([label], "int32") },
            { labelSmoothing: 0 },
          ),
      ),
    ).toThrow("out of bounds");
  }
});
