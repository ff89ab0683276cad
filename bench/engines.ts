/**
 * A training step of the test-size models on every engine that works here, taking turns: the table of docs/engines.md.
 *
 *     node --import tsx bench/engines.ts [batch] [rounds]
 */
import * as kl from "katlab";
import { tf } from "katlab";

const [batch = 32, rounds = 3] = process.argv.slice(2).map(Number);
const engines: kl.EngineOptions[] = [
  { engine: "torch", device: "cuda" },
  { engine: "torch", device: "cpu" },
  { engine: "tensorflow" },
  { engine: "wasm" },
  { engine: "cpu" },
];

async function contestant(options: kl.EngineOptions, name: kl.ModelName) {
  await kl.useEngine(options);
  const random = new kl.Random(7);
  const model = kl.createModel(name, { seed: 1 });
  const optimizer = new kl.AdamW(model.parameters(), {
    weightDecay: 0.05,
    coefficientWeightDecay: 0,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
  });
  const shape = [batch, ...model.inputShape] as [number, number, number, number];
  const pixels = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.normal());
  const images = tf.tensor4d(pixels, shape);
  const labels = tf.tensor1d(
    Int32Array.from({ length: batch }, () => random.integer(model.classes)),
    "int32",
  );
  const settings = { learningRate: 1e-3, labelSmoothing: 0, clipNorm: null, random };
  return async (): Promise<number> => {
    await kl.useEngine(options);
    const start = performance.now();
    const loss = kl.trainingStep({ model, optimizer, images, labels, ...settings });
    loss.dataSync(); // the step is done
    loss.dispose();
    return performance.now() - start;
  };
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

for (const name of ["vit_test_patch7_28", "kat_test_patch7_28"] as const) {
  const present: { title: string; step: () => Promise<number>; times: number[] }[] = [];
  for (const options of engines) {
    const title = `${options.engine ?? ""} ${options.device ?? ""}`.trim();
    try {
      present.push({ title, step: await contestant(options, name), times: [] });
    } catch (error) {
      if (!(error instanceof kl.KatlabError)) throw error;
      console.log(`${name}: ${title} left out: ${error.message}`);
    }
  }
  for (let round = -1; round < rounds; round++) {
    for (const { step, times } of present) {
      await step(); // after the others, caches are cold
      const ms = await step();
      if (round >= 0) times.push(ms);
    }
  }
  const fastest = Math.min(...present.map(({ times }) => median(times)));
  for (const { title, times } of present) {
    const ms = median(times);
    console.log(
      `${name}, batch ${batch}: ${title.padEnd(10)} ${ms.toFixed(1).padStart(8)} ms/step  ${(ms / fastest).toFixed(1)} ×`,
    );
  }
}
