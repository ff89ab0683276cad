// A small KAT and its ViT twin on CIFAR-10 pictures in folders: the same recipe, paired seeds; accuracy and images/s.
//
//   node --import tsx bench/cifar.ts <folder> [seeds 1,2,3,4,5] [epochs 20] [precision bfloat16] [results.json]
//
// The set `cifar10-jpeg` is re-encoded: its accuracies are not comparable with those published for CIFAR-10.
import { writeFileSync } from "node:fs";
import * as kl from "katlab";

const given = process.argv.slice(2);
const [folder, file] = [given.at(0), given.at(4)];
const [, seedList = "1,2,3,4,5", epochs = "20", precision = "bfloat16"] = given;
if (folder === undefined)
  throw new Error("name the folder of the set: train/<class>/….jpg, test/<class>/….jpg");
const seeds = seedList.split(",").map(Number);
console.log(String(await kl.useEngine({ precision: precision as kl.Precision })));
const started = performance.now();
const data = await kl.imageFolder(folder, { name: "cifar10-jpeg" });
console.log(String(data), `decoded in ${((performance.now() - started) / 1000).toFixed(1)} s`);

const twins = ["kat_tiny_patch4_32", "vit_tiny_patch4_32"] as const;
const runs: { model: string; seed: number; accuracy: number; imagesPerSecond: number; seconds: number }[] =
  [];
for (const seed of seeds) {
  for (const name of twins) {
    const model = kl.createModel(name, { classes: data.classes.length, seed, dropPath: 0.1 });
    const run = await kl.train(model, data, {
      recipe: "cifar",
      epochs: Number(epochs),
      warmupEpochs: 2,
      batchSize: 256,
      // For so few epochs; the recipe's mixing is for a hundred.
      augmentation: { flip: 0.5, cropPadding: 4 },
      seed,
      show: false,
    });
    const { testAccuracy = NaN } = run.history.epochs[run.history.epochs.length - 1];
    runs.push({
      model: name,
      seed,
      accuracy: 100 * testAccuracy,
      imagesPerSecond: run.imagesPerSecond,
      seconds: run.seconds,
    });
    console.log(
      `${name} seed ${seed}: ${(100 * testAccuracy).toFixed(2)} %, ` +
        `${run.imagesPerSecond.toFixed(0)} images/s, ${run.seconds.toFixed(1)} s`,
    );
    if (seed === seeds[0] && file !== undefined && name === twins[0]) {
      const learned = kl.learnedActivations(model, { inputs: data.test, samples: 128 });
      writeFileSync(file.replace(/(\.json)?$/, "-activations.json"), JSON.stringify(learned));
    }
    model.dispose();
  }
}

const of = (name: string): number[] =>
  runs.filter(({ model }) => model === name).map(({ accuracy }) => accuracy);
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const deviation = (values: readonly number[]): number =>
  Math.sqrt(values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / (values.length - 1));
const differences = of(twins[0]).map((accuracy, i) => accuracy - of(twins[1])[i]);
for (const [name, values] of [
  ...twins.map((twin) => [twin, of(twin)] as const),
  ["difference", differences] as const,
]) {
  console.log(
    `${name}: ${mean(values).toFixed(2)} ± ${deviation(values).toFixed(2)} (mean ± sd of ${values.length})`,
  );
}
if (file !== undefined)
  writeFileSync(file, `${JSON.stringify({ epochs: Number(epochs), precision, runs }, null, 1)}\n`);
