/**
 * A Hessian-vector product beside a gradient, on ViT and KAT of step.ts, float32 on the CPU: ours, and PyTorch's own double
 * backward on the same network, in turns.
 *
 *     node --import tsx bench/hessian.ts [threads] [rounds]
 */
import { spawnSync } from "node:child_process";
import * as tf from "@tensorflow/tfjs-core";
import { hessianAt } from "../src/autodiff/hessianAt.js";
import { hessianVectorProduct } from "../src/autodiff/hessianVectorProduct.js";
import { jvp } from "../src/autodiff/jvp.js";
import { valueAndGrads } from "../src/autodiff/valueAndGrads.js";
import { useEngine } from "../src/engine.js";
import { Scope } from "../src/layers/scope.js";
import { kat } from "../src/models/kat.js";
import { vit } from "../src/models/vit.js";
import { softmaxCrossEntropy } from "../src/ops/softmaxCrossEntropy.js";
import { Random } from "../src/random.js";

const [threads = 2, rounds = 3] = process.argv.slice(2).map(Number);
const repeats = 10;
const config = {
  name: "bench",
  imageSize: 32,
  patchSize: 4,
  channels: 3,
  classes: 10,
  dim: 192,
  depth: 2,
  heads: 3,
  hiddenDim: 768,
  dropPath: 0,
};

type Times = Record<string, number[]>;

function time(times: Times, name: string, run: () => tf.TensorContainer): void {
  const start = performance.now();
  tf.dispose(run());
  (times[name] ??= []).push(performance.now() - start);
}

function ours(build: typeof vit | typeof kat, times: Times): void {
  const random = new Random(1);
  const model = build(new Scope(random), config, {});
  const variables = model.parameters().map((parameter) => parameter.variable);
  const numbers = (size: number): Float32Array => Float32Array.from({ length: size }, () => random.normal());
  const images = tf.tensor4d(numbers(16 * 32 * 32 * 3), [16, 32, 32, 3]);
  const labels = tf.tensor1d(
    Int32Array.from({ length: 16 }, () => random.integer(10)),
    "int32",
  );
  const vectors = variables.map(({ shape, size }) => tf.tensor(numbers(size), shape));
  const logits = (): tf.Tensor2D => model.forward(images);
  const loss = (): tf.Scalar => softmaxCrossEntropy(logits(), labels);
  for (let i = 0; i < repeats + 3; i++) {
    const kept: Times = i < 3 ? {} : times;
    time(kept, "gradient", () => ({ ...valueAndGrads(loss, variables) }));
    time(kept, "hessianVectorProduct", () => {
      const { value, grads, products } = hessianVectorProduct(loss, variables, vectors);
      return [value, grads, products];
    });
    time(kept, "jvp", () => {
      const { value, tangent } = jvp(logits, variables, vectors);
      return [value, tangent];
    });
    const hessian = hessianAt(loss, variables);
    time(kept, "Hessian.times", () => hessian.times(vectors).products);
    hessian.dispose();
  }
  tf.dispose([images, labels, vectors]);
  model.dispose();
}

function pytorch(times: Times): void {
  const script = new URL("hessian.py", import.meta.url).pathname;
  const python = new URL("../.venv/bin/python", import.meta.url).pathname;
  const { stdout, stderr, status } = spawnSync(python, [script, String(threads), String(repeats)], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  for (const [name, values] of Object.entries(JSON.parse(stdout) as Times))
    (times[name] ??= []).push(...values);
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

console.log(String(await useEngine({ engine: "torch", device: "cpu", threads })));
const all: Record<string, Times> = { "PyTorch, ViT": {}, "katlab, ViT": {}, "katlab, KAT": {} };
for (let round = 0; round < rounds; round++) {
  pytorch(all["PyTorch, ViT"]);
  ours(vit, all["katlab, ViT"]);
  ours(kat, all["katlab, KAT"]);
}
for (const [who, times] of Object.entries(all)) {
  const gradient = median(times["gradient"]);
  for (const [name, values] of Object.entries(times)) {
    const ms = median(values);
    console.log(
      `${who.padEnd(13)} ${name.padEnd(21)} ${ms.toFixed(1).padStart(7)} ms  ${(ms / gradient).toFixed(2)} × its gradient`,
    );
  }
}
