/** A small run with everything that has a state, in a process of its own: `<folder> <engine>`. */
import { join } from "node:path";
import { syntheticImages } from "../../src/data/syntheticImages.js";
import { type EngineName, useEngine } from "../../src/engine.js";
import { saveWeights } from "../../src/io/checkpoint.js";
import { createModel } from "../../src/models/registry.js";
import { train } from "../../src/training/train.js";

const [folder, engine] = process.argv.slice(2);
await useEngine({ engine: engine as EngineName, threads: 1 });
const data = syntheticImages({ classes: 4, shape: [14, 14, 1], size: 160, testSize: 40, seed: 3 });
const validation = data.train.take(20);
const model = createModel("kat_test_patch7_28", { classes: 4, imageSize: 14, seed: 1, dropPath: 0.3 });
console.log("started");
const run = await train(
  model,
  { ...data, validation },
  {
    ...{ epochs: 12, batchSize: 16, accumulate: 2, emaDecay: 0.9, coefficientRate: 0.5, seed: 4 },
    augmentation: { flip: 0.5, cropPadding: 1, erasing: 0.2, mixup: 0.4, cutmix: 1 },
    ...{ checkpoint: { folder: join(folder, "checkpoints"), every: { steps: 2 } }, resume: true },
    ...{ show: false, log: folder },
  },
);
const { steps, epochs } = run.history;
await saveWeights(model, join(folder, "final.safetensors"), {
  losses: JSON.stringify(steps.map(({ loss }) => loss)),
  epochs: JSON.stringify(epochs.map((epoch) => ({ ...epoch, seconds: 0 }))),
});
