/**
 * Memory of one GPU under the torch engine: what is said and left when there is none, whether training goes on, how much
 * tensors hold that nobody disposes, and what deterministic mode costs and refuses. From an offline bundle:
 *
 *     katlab pack -o build/offline --with bench/gpuMemory.ts      then, there:   ./katlab run gpuMemory.mjs
 */
import * as kl from "katlab";

const { tf } = kl;

/** Starts with deterministic mode: cuBLAS reads that when it starts. */
let engine = await kl.useEngine({ engine: "torch", device: "cuda", deterministic: true });
console.log(String(engine));

async function messageOf(f: () => unknown): Promise<string> {
  try {
    await f();
    return "no error";
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}

/** Training steps of KAT-T at 224² on random images; gives the losses, and the time of the last five. */
function train(batch: number, steps: number): { losses: number[]; ms: number } {
  const model = kl.createModel("kat_tiny_patch16_224", { seed: 1 });
  const optimizer = new kl.AdamW(model.parameters(), {
    ...{ weightDecay: 0.05, coefficientWeightDecay: 0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  });
  const images = tf.randomUniform<kl.tf.Rank.R4>([batch, ...model.inputShape], -1, 1, "float32", 1);
  const labels = tf.randomUniform<kl.tf.Rank.R1>([batch], 0, 1000, "int32", 2);
  const random = new kl.Random(1);
  const losses: number[] = [];
  let ms = NaN;
  try {
    for (let step = 0; step < steps; step++) {
      const start = performance.now();
      const loss = kl.trainingStep({
        ...{ model, optimizer, images, labels, random, learningRate: 1e-3, labelSmoothing: 0, clipNorm: 1 },
      });
      losses.push(loss.dataSync()[0]);
      loss.dispose();
      ms = performance.now() - start;
    }
  } finally {
    tf.dispose([images, labels]);
    optimizer.dispose();
    model.dispose();
  }
  return { losses, ms };
}

console.log("device:", await messageOf(() => kl.useEngine({ engine: "torch", device: "cuda:99" })));

const twice = [train(64, 6), train(64, 6)];
console.log(
  "deterministic, the same losses:",
  JSON.stringify(twice[0].losses) === JSON.stringify(twice[1].losses),
);
const volume = tf.ones<kl.tf.Rank.R5>([1, 4, 4, 4, 1]);
const refusals = {
  cumsum: () => tf.cumsum(tf.ones([100])),
  maxPool3dGrad: () => tf.grad((x) => tf.sum(tf.maxPool3d(x as typeof volume, 2, 2, "valid")))(volume),
  bincount: () => tf.bincount(tf.zeros<kl.tf.Rank.R1>([10], "int32"), tf.ones<kl.tf.Rank.R1>([10]), 4),
  resizeBilinearGrad: () =>
    tf.grad((x) => tf.sum(tf.image.resizeBilinear(x as kl.tf.Tensor4D, [8, 8])))(tf.ones([1, 4, 4, 1])),
  gatherGrad: () => tf.grad((x) => tf.sum(tf.gather(x, tf.tensor1d([0, 0, 1], "int32"))))(tf.ones([3, 4])),
};
for (const [name, f] of Object.entries(refusals)) {
  console.log("deterministic,", name, "→", await messageOf(() => tf.tidy(() => void f())));
}
volume.dispose();

engine = await kl.useEngine({ engine: "torch", device: "cuda" });
const free = train(64, 6);
console.log(`step ${free.ms.toFixed(1)} ms, deterministic ${twice[1].ms.toFixed(1)} ms`);

engine.emptyCache();
engine.resetPeakMemory();
const before = engine.memory();
console.log(String(before));
const tooLarge = await messageOf(() => train(8192, 1));
console.log("batch 8192 →", tooLarge);
console.log("after it:", String(engine.memory()));
console.log("batch 64, losses:", train(64, 6).losses.join(" "));
console.log("after it:", String(engine.memory()));
engine.emptyCache();
console.log("cache emptied:", String(engine.memory()));

engine.resetPeakMemory();
for (let i = 0; i < 400; i++) {
  tf.fill([2 ** 26], 1); // 256 MiB that nobody disposes, 100 GiB in all
  await new Promise((resolve) => setImmediate(resolve));
}
console.log("400 leaked tensors of 256 MiB:", String(engine.memory()));
