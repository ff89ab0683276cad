// Small KATs and their ViT twin on CIFAR-10 pictures in folders: the same recipe, paired seeds; accuracy and images/s.
//
//   node --import tsx bench/cifar.ts <folder> [seeds 1,2,3,4,5] [epochs 20] [precision bfloat16] [arms kat,vit] [results.json]
//
// Arms: kat (the mixer's weights by the paper's rule), katTimm (by N(0, 0.02²), as a ViT's), vit, vitPaper (a ViT whose mixer
// starts by the paper's rule: a KAT whose functions are fixed, nothing and gelu).
//
// The set `cifar10-jpeg` is re-encoded: its accuracies are not comparable with those published for CIFAR-10.
import { writeFileSync } from "node:fs";
import * as kl from "katlab";

const given = process.argv.slice(2);
const [folder, file] = [given.at(0), given.at(5)];
const [, seedList = "1,2,3,4,5", epochs = "20", precision = "bfloat16", armList = "kat,vit"] = given;
if (folder === undefined)
  throw new Error("name the folder of the set: train/<class>/….jpg, test/<class>/….jpg");
const seeds = seedList.split(",").map(Number);
console.log(String(await kl.useEngine({ precision: precision as kl.Precision })));
const started = performance.now();
const data = await kl.imageFolder(folder, { name: "cifar10-jpeg" });
console.log(String(data), `decoded in ${((performance.now() - started) / 1000).toFixed(1)} s`);

const known: Readonly<Record<string, readonly [kl.ModelName, kl.ModelOptions]>> = {
  kat: ["kat_tiny_patch4_32", {}],
  katTimm: ["kat_tiny_patch4_32", { weights: "timm" }],
  vit: ["vit_tiny_patch4_32", {}],
  vitPaper: ["kat_tiny_patch4_32", { fixed: true, starts: ["identity", "gelu"] }],
};
const arms = armList.split(",");
const runs: { model: string; seed: number; accuracy: number; imagesPerSecond: number; seconds: number }[] =
  [];
for (const seed of seeds) {
  for (const name of arms) {
    const [modelName, options] = known[name];
    const model = kl.createModel(modelName, {
      ...options,
      classes: data.classes.length,
      seed,
      dropPath: 0.1,
    });
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
    if (seed === seeds[0] && file !== undefined && name === arms[0]) {
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
const report = (what: string, values: readonly number[]): void => {
  const text = `${mean(values).toFixed(2)} ± ${deviation(values).toFixed(2)}`;
  console.log(`${what}: ${text} (mean ± sd of ${values.length})`);
};
for (const arm of arms) report(arm, of(arm));
for (const arm of arms.slice(1)) {
  report(
    `${arms[0]} - ${arm}`,
    of(arms[0]).map((accuracy, i) => accuracy - of(arm)[i]),
  );
}
if (file !== undefined)
  writeFileSync(file, `${JSON.stringify({ epochs: Number(epochs), precision, runs }, null, 1)}\n`);
