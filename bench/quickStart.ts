/**
 * The quick start's claim for three seeds: KAT of test size on Fashion-MNIST, 3 epochs, all 60,000 images, the accuracy on
 * the 10,000 test images after the last epoch, and the seconds training takes, evaluations included.
 *
 *     node --import tsx bench/quickStart.ts [seed …]
 */
import * as kl from "katlab";

const given = process.argv.slice(2).map(Number);
console.log(String(await kl.useEngine()));
const data = await kl.loadDataset("fashion-mnist");
for (const seed of given.length > 0 ? given : [1, 2, 3]) {
  const model = kl.createModel("kat_test_patch7_28", { classes: data.classes.length, seed });
  const run = await kl.train(model, data, { epochs: 3, seed, show: false });
  const accuracy = (100 * (run.testAccuracy ?? NaN)).toFixed(2);
  console.log(
    `seed ${seed}: ${accuracy} % of ${data.test.size} test images, ${run.seconds.toFixed(1)} s, ` +
      `${Math.round(run.imagesPerSecond)} images/s`,
  );
  model.dispose();
}
