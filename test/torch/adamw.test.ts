import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { readFileSync } from "node:fs";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { KatlabError } from "../../src/errors.js";
import {
  fusedAdamW,
  type FusedAdamW,
  loadAddon,
  registerTorchBackend,
  TorchBackend,
} from "../../src/torch/backend.js";

interface Golden {
  lr: number;
  betas: [number, number];
  eps: number;
  weight_decay: number;
  start: number[];
  gradients: number[][];
  after: number[][];
}
const golden = JSON.parse(
  readFileSync(new URL("../golden/torch/adamw.json", import.meta.url), "utf8"),
) as Golden;
const options = {
  learningRate: golden.lr,
  beta1: golden.betas[0],
  beta2: golden.betas[1],
  epsilon: golden.eps,
  weightDecay: golden.weight_decay,
};
const addon = loadAddon();

beforeAll(async () => {
  registerTorchBackend({ name: "torch-float64", float: "float64" });
  await tf.setBackend("torch");
});

let before = { numTensors: 0, handles: 0 };
beforeEach(() => {
  before = { numTensors: tf.memory().numTensors, handles: addon.live() };
  tf.engine().startScope();
});
afterEach(async () => {
  tf.disposeVariables();
  tf.engine().endScope();
  await tf.setBackend("torch");
  expect({ numTensors: tf.memory().numTensors, handles: addon.live() }).toEqual(before);
});

function backend(): TorchBackend {
  const current = tf.backend();
  if (current instanceof TorchBackend) return current;
  throw new Error(`${tf.getBackend()} is no torch backend`);
}

/** A tensor that keeps all bits on a float64 backend. */
function precise(values: readonly number[]): tf.Tensor {
  const dataId = backend().write(
    Float64Array.from(values) as unknown as Float32Array,
    [values.length],
    "float32",
  );
  return tf.engine().makeTensorFromTensorInfo({ dataId, shape: [values.length], dtype: "float32" });
}

/** A parameter with fresh state, and one step on it. */
function optimise(start: tf.Tensor): {
  parameter: tf.Variable;
  step: (change: Partial<FusedAdamW>) => void;
  t: tf.Variable;
} {
  const parameter = tf.variable(start);
  const [mean, variance, t] = [tf.zerosLike(start), tf.zerosLike(start), tf.scalar(0)].map((x) =>
    tf.variable(x),
  );
  start.dispose();
  const state = { parameters: [parameter], means: [mean], variances: [variance], steps: [t] };
  const step = (change: Partial<FusedAdamW>): void =>
    fusedAdamW({ ...options, ...state, gradients: [tf.zerosLike(parameter)], ...change });
  return { parameter, step, t };
}

/** AdamW in float64, as the paper writes it. */
function reference(start: readonly number[], gradients: readonly (readonly number[])[]): number[][] {
  const { learningRate, beta1, beta2, epsilon, weightDecay } = options;
  const theta = [...start];
  const m = start.map(() => 0);
  const v = start.map(() => 0);
  return gradients.map((gradient, k) => {
    gradient.forEach((g, i) => {
      m[i] = beta1 * m[i] + (1 - beta1) * g;
      v[i] = beta2 * v[i] + (1 - beta2) * g * g;
      const mean = m[i] / (1 - beta1 ** (k + 1));
      const deviation = Math.sqrt(v[i] / (1 - beta2 ** (k + 1)));
      theta[i] -= learningRate * (weightDecay * theta[i] + mean / (deviation + epsilon));
    });
    return [...theta];
  });
}

const largestError = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i])));

describe("values", () => {
  test("the formula is that of torch.optim.AdamW", () => {
    reference(golden.start, golden.gradients).forEach((theta, k) => {
      expect(largestError(theta, golden.after[k])).toBeLessThan(1e-14);
    });
  });

  test("float64: every step equals PyTorch's", async () => {
    await tf.setBackend("torch-float64");
    const { parameter, step, t } = optimise(precise(golden.start));
    golden.gradients.forEach((gradient, k) => {
      step({ gradients: [precise(gradient)] });
      expect(largestError(backend().readFloat64(parameter), golden.after[k])).toBeLessThan(1e-14);
      expect(t.dataSync()[0]).toBe(k + 1);
    });
  });

  test("float32: within a few roundings of it", () => {
    const { parameter, step } = optimise(tf.tensor1d(golden.start));
    golden.gradients.forEach((gradient, k) => {
      step({ gradients: [tf.tensor1d(gradient)] });
      expect(largestError(parameter.dataSync(), golden.after[k])).toBeLessThan(4 * 2 ** -23);
    });
  });

  test("groups with different decay take one call each and keep their own count", () => {
    const [decayed, plain] = [optimise(tf.tensor1d([1])), optimise(tf.tensor1d([1]))];
    for (let k = 0; k < 3; k++) {
      decayed.step({ weightDecay: 0.5, learningRate: 0.1 });
      plain.step({ weightDecay: 0, learningRate: 0.1 });
    }
    expect(decayed.parameter.dataSync()[0]).toBeCloseTo(0.95 ** 3, 6);
    expect(plain.parameter.dataSync()[0]).toBe(1);
  });

  test("several parameters of different shapes in one call", () => {
    const shapes = [[2, 3], [4], []];
    const make = (): tf.Variable[] => shapes.map((shape) => tf.variable(tf.zeros(shape)));
    const parameters = shapes.map((shape) => tf.variable(tf.ones(shape)));
    const steps = shapes.map(() => tf.variable(tf.scalar(0)));
    const gradients = shapes.map((shape) => tf.ones(shape));
    fusedAdamW({
      ...options,
      parameters,
      gradients,
      means: make(),
      variances: make(),
      steps,
      weightDecay: 0,
    });
    // The first step moves by η, up to ε.
    for (const parameter of parameters) {
      for (const value of parameter.dataSync()) expect(value).toBeCloseTo(1 - options.learningRate, 6);
    }
  });

  test("gradients with other strides are read by their axes", () => {
    const start = [1, 2, 3, 4, 5, 6];
    const rows = [0.1, -0.2, 0.3, -0.4, 0.5, -0.6];
    const columns = [0.1, -0.4, -0.2, 0.5, 0.3, -0.6];
    const [a, b] = [optimise(tf.tensor2d(start, [2, 3])), optimise(tf.tensor2d(start, [2, 3]))];
    a.step({ gradients: [tf.tensor2d(rows, [2, 3])] });
    b.step({ gradients: [tf.transpose(tf.tensor2d(columns, [3, 2]))] });
    expect([...b.parameter.dataSync()]).toEqual([...a.parameter.dataSync()]);
    const broadcast = optimise(tf.tensor2d(start, [2, 3]));
    broadcast.step({ gradients: [tf.broadcastTo(tf.scalar(1), [2, 3])] });
    const whole = optimise(tf.tensor2d(start, [2, 3]));
    whole.step({ gradients: [tf.ones([2, 3])] });
    expect([...broadcast.parameter.dataSync()]).toEqual([...whole.parameter.dataSync()]);
  });
});

describe("what shares the storage of a variable keeps its values", () => {
  const gradient = (): tf.Tensor[] => [tf.tensor2d([1, 1, 1, 1], [2, 2])];
  const values = [1, 2, 3, 4];

  test.each([
    ["the tensor it was made from", (start: tf.Tensor) => start],
    ["a clone", (_: tf.Tensor, parameter: tf.Variable) => tf.clone(parameter)],
    ["a reshaped view", (_: tf.Tensor, parameter: tf.Variable) => tf.reshape(parameter, [4])],
    ["a sliced view", (_: tf.Tensor, parameter: tf.Variable) => tf.slice(parameter, [0, 0], [2, 2])],
  ])("%s", (_, share) => {
    const start = tf.tensor2d(values, [2, 2]);
    const { parameter, step } = optimise(tf.clone(start));
    const other = share(start, parameter);
    if (other !== start) start.dispose();
    for (let k = 0; k < 2; k++) step({ gradients: gradient() });
    expect([...other.dataSync()]).toEqual(values);
    expect([...parameter.dataSync()]).not.toEqual(values);
    expect(tf.reshape(parameter, [4]).arraySync()).toEqual([...parameter.dataSync()]);
  });

  test("without others the storage stays where it is", () => {
    const { parameter, step } = optimise(tf.tensor2d(values, [2, 2]));
    const { dataId } = parameter;
    const handle = backend().handle(parameter);
    step({ gradients: gradient() });
    expect(parameter.dataId).toBe(dataId);
    expect(backend().handle(parameter)).toBe(handle);
  });

  test("a variable with other strides gets storage in order", () => {
    const slopes = [tf.tensor2d([1, 0, 0, 0], [2, 2])];
    const { parameter, step } = optimise(tf.transpose(tf.tensor2d(values, [2, 2])));
    step({ gradients: slopes, learningRate: 0.5, weightDecay: 0 });
    expect([...parameter.dataSync()].map((x) => x.toFixed(3))).toEqual(["0.500", "3.000", "2.000", "4.000"]);
    step({ gradients: [tf.tensor2d([0, 1, 0, 0], [2, 2])], learningRate: 0.5, weightDecay: 0 });
    expect([...parameter.dataSync()].slice(2)).toEqual([2, 4]);
  });

  test("plain tensors may be updated only where they are alone", () => {
    const alone = tf.tensor2d(values, [2, 2]);
    const { step } = optimise(tf.tensor2d(values, [2, 2]));
    step({ means: [alone], gradients: gradient() });
    expect([...alone.dataSync()]).not.toEqual(values);
    const shared = tf.clone(alone);
    expect(() => step({ means: [shared], gradients: gradient() })).toThrow(
      "fusedAdamW: a tensor that is updated in place must be a tf.Variable or the only tensor on its values",
    );
  });
});

describe("refusals", () => {
  const refusal = (change: Partial<FusedAdamW>): string => {
    const { step, parameter } = optimise(tf.tensor1d([1, 2]));
    try {
      step(change);
    } catch (error) {
      expect(error).toBeInstanceOf(KatlabError);
      expect([...parameter.dataSync()]).toEqual([1, 2]);
      return (error as Error).message;
    }
    return "no error";
  };

  test("name the list or the option", () => {
    expect([
      refusal({ gradients: [] }),
      refusal({ gradients: [tf.ones([2, 1])] }),
      refusal({ steps: [tf.zeros([1])] }),
      refusal({ learningRate: -1 }),
      refusal({ learningRate: NaN }),
      refusal({ beta1: 1 }),
      refusal({ beta2: -0.1 }),
      refusal({ epsilon: Infinity }),
      refusal({ weightDecay: -0.1 }),
    ]).toMatchSnapshot();
  });

  test("another backend", async () => {
    await tf.setBackend("cpu");
    const none = { parameters: [], gradients: [], means: [], variances: [], steps: [] };
    expect(() => fusedAdamW({ ...options, ...none })).toThrow("fusedAdamW: the torch backend must be set");
    await tf.setBackend("torch");
    expect(() => fusedAdamW({ ...options, ...none })).not.toThrow();
  });
});
