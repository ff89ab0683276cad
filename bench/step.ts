/**
 * One training step on the CPU beside PyTorch's own: ViT and KAT, depth 2, dim 192, 3 heads, 65 tokens, batch 16,
 * float32, fused AdamW, no clipping. PyTorch runs eagerly with its fused operators, in a process of its own; rounds take
 * turns, so that a busy machine slows both.
 *
 *     node --import tsx bench/step.ts [threads] [rounds]
 */
import { spawnSync } from "node:child_process";
import * as tf from "@tensorflow/tfjs-core";
import { useEngine } from "../src/engine.js";
import { Scope } from "../src/layers/scope.js";
import { kat } from "../src/models/kat.js";
import { vit } from "../src/models/vit.js";
import { Random } from "../src/random.js";
import { AdamW } from "../src/training/adamw.js";
import { completeRecipe } from "../src/training/completeRecipe.js";
import { trainingStep } from "../src/training/step.js";

const [threads = 2, rounds = 3] = process.argv.slice(2).map(Number);
const steps = 20;
/** V8 compiles what runs often; a training run has thousands of steps. */
const warmUp = 20;
const batch = 16;
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

const recipe = await completeRecipe({ weightDecay: 0.05 });

function oursMs(build: typeof vit | typeof kat): number[] {
  const random = new Random(1);
  const model = build(new Scope(random), config, {});
  const optimizer = new AdamW(model.parameters(), recipe);
  const pixels = Float32Array.from({ length: batch * 32 * 32 * 3 }, () => random.normal());
  const images = tf.tensor4d(pixels, [batch, 32, 32, 3]);
  const labels = tf.tensor1d(
    Int32Array.from({ length: batch }, () => random.integer(10)),
    "int32",
  );
  const step = () =>
    trainingStep({
      model,
      optimizer,
      images,
      labels,
      learningRate: 1e-3,
      labelSmoothing: 0,
      clipNorm: null,
      random,
    });
  const times = [];
  for (let i = 0; i < steps + warmUp; i++) {
    const start = performance.now();
    const loss = step();
    loss.dataSync();
    loss.dispose();
    if (i >= warmUp) times.push(performance.now() - start);
  }
  tf.dispose([images, labels]);
  optimizer.dispose();
  model.dispose();
  return times;
}

function pytorchMs(): number[] {
  const script = new URL("step.py", import.meta.url).pathname;
  const python = new URL("../.venv/bin/python", import.meta.url).pathname;
  const { stdout, stderr, status } = spawnSync(
    python,
    [script, String(threads), String(steps), String(warmUp)],
    {
      encoding: "utf8",
    },
  );
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as number[];
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

console.log(String(await useEngine({ engine: "torch", device: "cpu", threads })));
const times = {
  "PyTorch eager, ViT": [] as number[],
  "katlab, ViT": [] as number[],
  "katlab, KAT": [] as number[],
};
for (let round = 0; round < rounds; round++) {
  times["PyTorch eager, ViT"].push(...pytorchMs());
  times["katlab, ViT"].push(...oursMs(vit));
  times["katlab, KAT"].push(...oursMs(kat));
}
const peer = median(times["PyTorch eager, ViT"]);
for (const [name, values] of Object.entries(times)) {
  const ms = median(values);
  console.log(
    `${name.padEnd(20)} ${ms.toFixed(1).padStart(7)} ms/step (best ${values[0].toFixed(1)})  ${(ms / peer).toFixed(2)} × PyTorch`,
  );
}
