import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { hessianAt } from "../../src/autodiff/hessianAt.js";
import { hessianVectorProduct } from "../../src/autodiff/hessianVectorProduct.js";
import { jvp } from "../../src/autodiff/jvp.js";
import { valueAndGrads } from "../../src/autodiff/valueAndGrads.js";
import { rational, rationalDerivatives } from "../../src/bases/rational.js";
import { useEngine } from "../../src/engine.js";
import { createModel } from "../../src/models/registry.js";
import { dropPath } from "../../src/ops/dropPath.js";
import { gelu } from "../../src/ops/gelu.js";
import { groupRational } from "../../src/ops/groupRational.js";
import { layerNorm } from "../../src/ops/layerNorm.js";
import { linear } from "../../src/ops/linear.js";
import { patches } from "../../src/ops/patches.js";
import { scaledDotProductAttention } from "../../src/ops/scaledDotProductAttention.js";
import { softmaxCrossEntropy } from "../../src/ops/softmaxCrossEntropy.js";
import { Random } from "../../src/random.js";
import { addonStatus, currentTorchBackend, loadAddon } from "../../src/torch/backend.js";
import { onEveryEngine } from "../presentEngines.js";

const withTorch = addonStatus().available;

let live = { tensors: 0, handles: 0 };
const count = (): typeof live => ({
  tensors: tf.memory().numTensors,
  handles: withTorch ? loadAddon().live() : 0,
});

function leavesNothing(): void {
  beforeEach(() => {
    live = count();
  });
  afterEach(() => {
    tf.disposeVariables();
    expect(count()).toEqual(live);
  });
}

/** Values in full precision, where the engine has it; disposes nothing. */
const exactly = (tensor: tf.Tensor): number[] => [...currentTorchBackend("test").readFloat64(tensor)];
const variable = (values: readonly number[], shape: readonly number[] = [values.length]): tf.Variable =>
  tf.tidy(() => tf.variable(tf.tensor([...values], [...shape])));
const randoms = (random: Random, ...shape: number[]): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    shape,
  );
const randomVariable = (random: Random, ...shape: number[]): tf.Variable =>
  tf.tidy(() => tf.variable(randoms(random, ...shape)));

function expectNear(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(actual).toHaveLength(expected.length);
  const size = Math.max(1, ...expected.map(Math.abs));
  const worst = Math.max(0, ...actual.map((value, i) => Math.abs(value - expected[i])));
  expect(worst / size).toBeLessThanOrEqual(tolerance);
}

describe.skipIf(!withTorch)("in float64, to 1e-8", () => {
  beforeAll(async () => {
    await useEngine({ engine: "torch", device: "cpu", precision: "float64" });
  });
  leavesNothing();

  test("a quadratic form has its matrix", () => {
    const matrix = tf.tensor2d([
      [4, 1, -2],
      [1, 3, 0.5],
      [-2, 0.5, 5],
    ]);
    const x = variable([0.5, -1, 2]);
    const v = tf.tensor1d([1, 2, -1]);
    const result = hessianVectorProduct(() => tf.div<tf.Scalar>(tf.dot(x, tf.dot(matrix, x)), 2), [x], [v]);
    expect(result).toMatchObject({ exact: true, check: null });
    expectNear(exactly(result.products[0]), [8, 6.5, -6], 1e-12);
    expectNear(exactly(result.grads[0]), [-3, -1.5, 8.5], 1e-12);
    tf.dispose([matrix, v, result.value, result.grads, result.products]);
  });

  test("softmax regression has (diag p − p pᵀ) ⊗ x xᵀ", () => {
    const x = [1, -0.5, 2];
    const weight = [0.5, -1, 0.25, 1.5, 0.75, -0.25];
    const direction = [1, 0.5, -1, 0.25, 2, -0.5];
    const [logits, moved] = [weight, direction].map((table) =>
      [0, 1].map((row) => x.reduce((sum, value, i) => sum + value * table[row * 3 + i], 0)),
    );
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
    const p = logits.map((logit) => Math.exp(logit) / total);
    const mean = p[0] * moved[0] + p[1] * moved[1];
    const expected = [0, 1].flatMap((row) => x.map((value) => p[row] * (moved[row] - mean) * value));

    const w = variable(weight, [2, 3]);
    const [input, label, v] = [
      tf.tensor2d(x, [1, 3]),
      tf.tensor1d([1], "int32"),
      tf.tensor2d(direction, [2, 3]),
    ];
    const result = hessianVectorProduct(
      () => softmaxCrossEntropy(linear(input, w) as tf.Tensor2D, label),
      [w],
      [v],
    );
    expectNear(exactly(result.products[0]), expected, 1e-8);
    tf.dispose([input, label, v, result.value, result.grads, result.products]);
  });

  test("a rational has its second derivative on the diagonal", () => {
    const coefficients = {
      numerator: [0.25, 0.5, -0.75, 0.125, 0.5, -0.25],
      denominator: [0.5, -1, 0.25, 2],
    };
    const points = [-2.5, -1, -0.25, 0.5, 1.25, 3];
    const x = variable(points, [6, 1]);
    const [a, b] = [tf.tensor2d([coefficients.numerator]), tf.tensor2d([coefficients.denominator])];
    const v = tf.ones([6, 1]);
    const result = hessianVectorProduct(() => tf.sum<tf.Scalar>(groupRational(x, a, b)), [x], [v]);
    const expected = points.map((point) => rationalDerivatives(point, coefficients).second);
    expectNear(exactly(result.products[0]), expected, 1e-8);
    expect(exactly(result.value)[0]).toBeCloseTo(
      points.reduce((sum, point) => sum + rational(point, coefficients), 0),
      8,
    );
    tf.dispose([a, b, v, result.value, result.grads, result.products]);
  });

  interface Golden {
    X: number[][];
    Y: number[][];
    cases: {
      name: string;
      shapes: number[][];
      variables: number[][];
      vectors: number[][];
      value: number;
      grads: number[][];
      products: number[][];
      output: number[];
      tangent: number[];
    }[];
  }
  const golden = JSON.parse(
    readFileSync(new URL("../golden/autodiff/derivatives.json", import.meta.url), "utf8"),
  ) as Golden;
  const outputs: Record<string, (p: readonly tf.Tensor[]) => tf.Tensor> = {
    "tanh network": ([w1, b1, w2, b2]) =>
      tf.add(tf.matMul(tf.tanh(tf.add(tf.matMul(tf.tensor2d(golden.X), w1), b1)), w2), b2),
    "attention, layer norm, gelu": ([q, k, v, scale, offset]) =>
      gelu(
        layerNorm(
          scaledDotProductAttention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D),
          scale,
          offset,
        ),
      ),
  };

  test.each(golden.cases)("$name as PyTorch has it", (expected) => {
    const { name, shapes } = expected;
    const variables = expected.variables.map((values, i) => variable(values, shapes[i]));
    const vectors = expected.vectors.map((values, i) => tf.tensor(values, shapes[i]));
    const loss = (): tf.Scalar => {
      const y = outputs[name](variables);
      return tf.mean(tf.square(name === "tanh network" ? tf.sub(y, tf.tensor2d(golden.Y)) : y));
    };
    const { value, grads, products } = hessianVectorProduct(loss, variables, vectors);
    expectNear(exactly(value), [expected.value], 1e-8);
    grads.forEach((grad, i) => expectNear(exactly(grad), expected.grads[i], 1e-8));
    products.forEach((product, i) => expectNear(exactly(product), expected.products[i], 1e-8));
    const derivative = jvp(() => outputs[name](variables), variables, vectors);
    expect(derivative.exact).toBe(true);
    expectNear(exactly(derivative.value), expected.output, 1e-8);
    expectNear(exactly(derivative.tangent), expected.tangent, 1e-8);
    tf.dispose([vectors, value, grads, products, derivative.value, derivative.tangent]);
  });

  const random = new Random(11);
  const operators: Record<string, () => [f: () => tf.Tensor, variables: tf.Variable[]]> = {
    groupRational: () => {
      const [x, a, b] = [
        [4, 8],
        [1, 6],
        [2, 4],
      ].map((shape) => randomVariable(random, ...shape));
      return [() => groupRational(x, a as tf.Tensor2D, b as tf.Tensor2D), [x, a, b]];
    },
    gelu: () => {
      const x = randomVariable(random, 7);
      return [() => gelu(x), [x]];
    },
    layerNorm: () => {
      const [x, scale, offset] = [[3, 5], [5], [5]].map((shape) => randomVariable(random, ...shape));
      return [() => layerNorm(x, scale, offset), [x, scale, offset]];
    },
    linear: () => {
      const [x, w, b] = [[3, 4], [2, 4], [2]].map((shape) => randomVariable(random, ...shape));
      return [() => linear(x, w, b), [x, w, b]];
    },
    scaledDotProductAttention: () => {
      const all = [3, 5, 5].map((tokens) => randomVariable(random, 2, 2, tokens, 4));
      const [q, k, v] = all as tf.Tensor4D[];
      return [() => scaledDotProductAttention(q, k, v, { scale: 0.5 }), all];
    },
    softmaxCrossEntropy: () => {
      const logits = randomVariable(random, 3, 4);
      return [
        () =>
          softmaxCrossEntropy(logits as tf.Tensor2D, tf.tensor1d([0, 3, 1], "int32"), {
            labelSmoothing: 0.25,
          }),
        [logits],
      ];
    },
    dropPath: () => {
      const x = randomVariable(random, 6, 2);
      return [() => dropPath(x, 0.5, new Random(1)), [x]];
    },
    patches: () => {
      const x = randomVariable(random, 1, 4, 4, 2);
      return [() => patches(x as tf.Tensor4D, 2), [x]];
    },
  };

  test.each(Object.keys(operators))("%s: its products are the differences of its gradients", (name) => {
    const [f, variables] = operators[name]();
    // A curved function of the result, so that the operator's own first derivative counts twice.
    const loss = (): tf.Scalar => tf.sum(tf.sin(tf.mul(f(), 1.5)));
    const vectors = variables.map(({ shape }) => randoms(random, ...shape));
    const { value, grads, products } = hessianVectorProduct(loss, variables, vectors);
    const step = 2 ** -18;
    const gradientAt = (distance: number): number[][] => {
      const own = variables.map((each) => tf.clone(each));
      tf.tidy(() => {
        variables.forEach((each, i) => each.assign(tf.add(own[i], tf.mul(vectors[i], distance))));
      });
      const moved = valueAndGrads(loss, variables);
      const numbers = moved.grads.map(exactly);
      variables.forEach((each, i) => each.assign(own[i]));
      tf.dispose([own, moved.value, moved.grads]);
      return numbers;
    };
    const [above, below] = [gradientAt(step), gradientAt(-step)];
    products.forEach((product, i) => {
      const differences = above[i].map((a, j) => (a - below[i][j]) / (2 * step));
      expectNear(exactly(product), differences, 2e-7);
    });
    tf.dispose([vectors, value, grads, products]);
  });

  test.each(["vit_test_patch7_28", "kat_test_patch7_28"] as const)(
    "%s: products are symmetric, linear, and the differences of gradients",
    (name) => {
      const model = createModel(name, { seed: 2 });
      const parameters = [...model.namedParameters()];
      const variables = parameters.map(([, parameter]) => parameter.variable);
      const [images, labels] = [randoms(random, 4, 28, 28, 1), tf.tensor1d([1, 2, 3, 4], "int32")];
      const loss = (): tf.Scalar => softmaxCrossEntropy(model.forward(images), labels);
      // Denominators may start at 0, where |b| has a kink that differences would meet.
      const directions = (): tf.Tensor[] =>
        parameters.map(([path, { shape }]) =>
          path.endsWith("denominator") ? tf.zeros([...shape]) : randoms(random, ...shape),
        );
      const [u, v] = [directions(), directions()];
      const hessian = hessianAt(loss, variables);
      const [hu, hv] = [u, v].map((vectors) => hessian.times(vectors).products);
      const dot = (a: tf.Tensor[], b: tf.Tensor[]): number =>
        tf.tidy(() => a.reduce((sum, each, i) => sum + exactly(tf.sum(tf.mul(each, b[i])))[0], 0));
      expect(dot(u, hv) / dot(v, hu)).toBeCloseTo(1, 10);

      const both = u.map((each, i) => tf.tidy(() => tf.add(tf.mul(each, 2), v[i])));
      const combined = hessian.times(both).products;
      const apart = combined.map((each, i) => tf.tidy(() => tf.sub(each, tf.add(tf.mul(hu[i], 2), hv[i]))));
      expect(Math.sqrt(dot(apart, apart) / dot(combined, combined))).toBeLessThan(1e-12);

      // Small, for the kinks of a rational at 0 lie close by (form A).
      const step = 2 ** -27;
      const along = (distance: number): tf.Tensor[] => {
        const own = variables.map((each) => tf.clone(each));
        tf.tidy(() => {
          variables.forEach((each, i) => each.assign(tf.add(own[i], tf.mul(v[i], distance))));
        });
        const { value, grads } = valueAndGrads(loss, variables);
        variables.forEach((each, i) => each.assign(own[i]));
        tf.dispose([own, value]);
        return grads;
      };
      const [above, below] = [along(step), along(-step)];
      const differences = above.map((each, i) => tf.tidy(() => tf.div(tf.sub(each, below[i]), 2 * step)));
      const error = differences.map((each, i) => tf.sub(each, hv[i]));
      expect(Math.sqrt(dot(error, error) / dot(hv, hv))).toBeLessThan(1e-5);
      hessian.dispose();
      tf.dispose([images, labels, u, v, hu, hv, both, combined, apart, above, below, differences, error]);
      model.dispose();
    },
  );

  test("a Hessian stays at its point when the variables go on", () => {
    const x = variable([1, 2]);
    const v = tf.tensor1d([1, 1]);
    const hessian = hessianAt(() => tf.sum(tf.pow(x, 3)), [x]);
    tf.tidy(() => x.assign(tf.tensor1d([5, 7])));
    const { products } = hessian.times([v]);
    expect(exactly(products[0])).toEqual([6, 12]);
    expect([...x.dataSync()]).toEqual([5, 7]);
    hessian.dispose();
    expect(() => hessian.times([v])).toThrow(
      "the Hessian must be alive, and the engine it was made on in use; got a disposed one",
    );
    tf.dispose([v, products]);
  });

  test("what does not depend on a variable has zeros", () => {
    const [x, y] = [variable([2]), variable([3])];
    const v = tf.tensor1d([1]);
    const { value, grads, products } = hessianVectorProduct(() => tf.sum(tf.square(x)), [x, y], [v, v]);
    expect(products.map((product) => product.dataSync()[0])).toEqual([2, 0]);
    const constant = hessianVectorProduct(() => tf.scalar(4), [x], [v]);
    expect(constant.products[0].dataSync()[0]).toBe(0);
    const flat = jvp(() => tf.tensor1d([1, 2]), [x], [v]);
    expect([...flat.tangent.dataSync()]).toEqual([0, 0]);
    tf.dispose([
      v,
      value,
      grads,
      products,
      constant.value,
      constant.grads,
      constant.products,
      flat.value,
      flat.tangent,
    ]);
  });

  test("an operator that tfjs's cpu backend computes is refused", () => {
    const x = variable([1, 2, 3, 4], [1, 2, 2, 1]);
    const boxes = tf.tensor2d([[0, 0, 1, 1]]);
    const v = tf.ones([1, 2, 2, 1]);
    const f = (): tf.Scalar =>
      tf.sum(tf.square(tf.image.cropAndResize(x as tf.Tensor4D, boxes, tf.tensor1d([0], "int32"), [2, 2])));
    expect(() => hessianVectorProduct(f, [x], [v])).toThrow(/CropAndResize.*must not go through it/);
    tf.dispose([boxes, v]);
  });
});

describe.skipIf(!withTorch)("under bfloat16", () => {
  leavesNothing();

  test("products are those of float32", async () => {
    const x = variable([1.001, 2.003]);
    const v = tf.tensor1d([1, 1]);
    const product = async (precision: "float32" | "bfloat16"): Promise<number[]> => {
      await useEngine({ engine: "torch", device: "cpu", precision });
      const { value, grads, products } = hessianVectorProduct(() => tf.sum(tf.pow(x, 3)), [x], [v]);
      const numbers = [...products[0].dataSync()];
      tf.dispose([value, grads, products]);
      return numbers;
    };
    expect(await product("bfloat16")).toEqual(await product("float32"));
    v.dispose();
  });
});

onEveryEngine("derivatives", ({ options }) => {
  beforeAll(async () => {
    await useEngine(options);
  });
  leavesNothing();
  const exact = options.engine === "torch";

  test("a small network has symmetric products that agree with the exact ones", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 20 }), (seed) => {
        const random = new Random(seed);
        const shapes = [[3, 4], [4], [4, 2]];
        const variables = shapes.map((shape) => randomVariable(random, ...shape));
        const [w1, b1, w2] = variables;
        const x = randoms(random, 5, 3);
        const loss = (): tf.Scalar =>
          tf.mean(tf.square(tf.matMul(tf.tanh(tf.add(tf.matMul(x, w1), b1)), w2)));
        const [u, v] = [0, 1].map(() => shapes.map((shape) => randoms(random, ...shape)));
        const hessian = hessianAt(loss, variables);
        const [hu, hv] = [u, v].map((vectors) => hessian.times(vectors));
        const dot = (a: readonly tf.Tensor[], b: readonly tf.Tensor[]): number =>
          a.reduce((sum, each, i) => sum + tf.tidy(() => tf.sum(tf.mul(each, b[i])).dataSync()[0]), 0);
        const size = Math.sqrt(dot(u, u) * dot(hv.products, hv.products));
        expect(Math.abs(dot(u, hv.products) - dot(v, hu.products)) / size).toBeLessThan(exact ? 1e-5 : 0.02);
        expect(hv.exact).toBe(exact);
        if (!exact) expect(hv.check?.relativeError).toBeLessThan(0.02);
        tf.dispose([x, u, v, hu.products, hv.products]);
        hessian.dispose();
        tf.dispose(variables);
      }),
      { numRuns: 10, seed: 4 },
    );
  });

  test("a directional derivative is what tfjs's own gradient says", () => {
    const x = variable([0.5, -1, 2]);
    const v = tf.tensor1d([1, 2, 3]);
    const { value, tangent, exact: isExact } = jvp(() => tf.mul(tf.sin(x), 2), [x], [v]);
    expect(isExact).toBe(exact);
    [0.5, -1, 2].forEach((point, i) => {
      expect(value.dataSync()[i]).toBeCloseTo(2 * Math.sin(point), 5);
      expect(tangent.dataSync()[i]).toBeCloseTo(2 * Math.cos(point) * (i + 1), 2);
    });
    tf.dispose([v, value, tangent]);
  });

  test("variables are as before, bit for bit, also when f throws", () => {
    const x = variable([0.1, 0.2]);
    const v = tf.tensor1d([1, 1]);
    const before = [...x.dataSync()];
    let calls = 0;
    const f = (): tf.Scalar => {
      calls++;
      if (calls === 3 || exact) throw new Error("stop");
      return tf.sum(tf.square(x));
    };
    expect(() => hessianVectorProduct(f, [x], [v])).toThrow("stop");
    expect([...x.dataSync()]).toEqual(before);
    const { value, grads, products } = hessianVectorProduct(() => tf.sum(tf.square(x)), [x], [v]);
    expect([...x.dataSync()]).toEqual(before);
    expect(products[0].dataSync()[0]).toBeCloseTo(2, 2);
    tf.dispose([v, value, grads, products]);
  });

  test("nothing is left wherever f throws", () => {
    const x = variable([0.1, 0.2]);
    const v = tf.tensor1d([1, 1]);
    const before = count();
    // One gradient, four for the differences, two for their check; exact products take one.
    const evaluations = exact ? 1 : 7;
    for (let last = 1; last <= evaluations; last++) {
      let calls = 0;
      const f = (): tf.Scalar => {
        if (++calls === last) throw new Error("stop");
        return tf.sum(tf.square(tf.sin(x)));
      };
      expect(() => hessianVectorProduct(f, [x], [v])).toThrow("stop");
      expect(count()).toEqual(before);
    }
    v.dispose();
  });

  test("gradients of tfjs inside f are differentiated or refused, never wrong", () => {
    const points = [0.3, -0.7];
    const x = variable(points);
    const v = tf.tensor1d([1, 0.5]);
    const slope = (): tf.Tensor => tf.grad((z) => tf.sum(tf.tanh(z)))(x);
    const loss = (): tf.Scalar => tf.sum(tf.square(slope()));
    if (exact) {
      const { value, grads } = valueAndGrads(loss, [x]);
      points.forEach((point, i) => {
        const t = Math.tanh(point);
        expect(grads[0].dataSync()[i]).toBeCloseTo(-4 * t * (1 - t * t) ** 2, 5);
      });
      tf.dispose([value, grads]);
    } else {
      expect(() => valueAndGrads(loss, [x])).toThrow(/must not take gradients of tfjs/);
      expect(() => hessianVectorProduct(loss, [x], [v])).toThrow(/must not take gradients of tfjs/);
    }
    // A directional derivative takes values only.
    const { value, tangent } = jvp(slope, [x], [v]);
    points.forEach((point, i) => {
      const t = Math.tanh(point);
      expect(tangent.dataSync()[i]).toBeCloseTo(-2 * t * (1 - t * t) * [1, 0.5][i], 3);
    });
    tf.dispose([v, value, tangent]);
  });

  test("wrong arguments are said", () => {
    const x = variable([1, 2]);
    const whole = tf.tidy(() => tf.variable(tf.tensor1d([1], "int32")));
    const [v, one] = [tf.tensor1d([1, 2]), tf.scalar(1)];
    const loss = (): tf.Scalar => tf.sum(tf.square(x));
    expect(() => hessianVectorProduct(loss, [x], [])).toThrow(/one vector/);
    expect(() => hessianVectorProduct(loss, [x], [one])).toThrow(/shape must be \[2\]/);
    expect(() => hessianVectorProduct(loss, [x, x], [v, v])).toThrow(/must be there once/);
    expect(() => hessianVectorProduct(loss, [whole], [v])).toThrow(/must be float32; got int32/);
    expect(() => hessianVectorProduct(() => x as unknown as tf.Scalar, [x], [v])).toThrow(
      /shape must be \[\]/,
    );
    expect(() => hessianVectorProduct(() => valueAndGrads(loss, [x]).value, [x], [v])).toThrow(
      /must not be nested/,
    );
    expect(() => jvp(() => tf.cast(x, "int32"), [x], [v])).toThrow(/dtype must be float32; got int32/);
    tf.dispose([v, one]);
  });
});

test("finite differences that cannot be trusted are a warning", async () => {
  await useEngine({ engine: "cpu" });
  const warn = vi.spyOn(console, "warn").mockReturnValue(undefined);
  const x = variable([0.001]);
  const v = tf.tensor1d([1]);
  const { check, ...tensors } = hessianVectorProduct(() => tf.sum(tf.sin(tf.mul(x, 500))), [x], [v]);
  expect(check?.relativeError).toBeGreaterThan(0.02);
  expect(warn.mock.calls[0][0]).toMatch(
    /finite differences with a step of .* disagree .* The torch engine computes it exactly/,
  );
  tf.dispose([v, tensors.value, tensors.grads, tensors.products]);
  x.dispose();
  warn.mockRestore();
});

test.skipIf(!withTorch)(
  "on wasm, the product of a ViT is the exact one to 1e-3, without a warning",
  async () => {
    const warn = vi.spyOn(console, "warn").mockReturnValue(undefined);
    const product = async (options: Parameters<typeof useEngine>[0]): Promise<number[]> => {
      await useEngine(options);
      const random = new Random(5);
      const model = createModel("vit_test_patch7_28", { seed: 2 });
      const variables = model.parameters().map((parameter) => parameter.variable);
      const vectors = variables.map(({ shape }) => randoms(random, ...shape));
      const [images, labels] = [randoms(random, 4, 28, 28, 1), tf.tensor1d([1, 2, 3, 4], "int32")];
      const loss = (): tf.Scalar => softmaxCrossEntropy(model.forward(images), labels);
      const { value, grads, products, check } = hessianVectorProduct(loss, variables, vectors);
      if (check !== null) expect(Math.max(check.relativeError, check.asymmetry ?? 0)).toBeLessThan(5e-3);
      const numbers = products.flatMap((each) => [...each.dataSync()]);
      tf.dispose([vectors, images, labels, value, grads, products]);
      model.dispose();
      return numbers;
    };
    const exact = await product({ engine: "torch", device: "cpu", precision: "float64" });
    const differences = await product({ engine: "wasm" });
    const length = (values: number[]): number =>
      Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0));
    expect(length(differences.map((value, i) => value - exact[i])) / length(exact)).toBeLessThan(1e-3);
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  },
);
