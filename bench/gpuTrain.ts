/**
 * On one GPU: the quick start's training, in float32 and bfloat16, eager and captured. Prints test accuracy and images a
 * second. Needs Fashion-MNIST: KATLAB_DATA names its folder.
 *
 *     katlab pack -o build/offline --with bench/gpuTrain.ts      then, there:   ./katlab run scripts/gpuTrain.mjs
 */
import * as kl from "katlab";

const data = await kl.loadDataset("fashion-mnist");
for (const precision of ["float32", "bfloat16"] as const) {
  console.log(String(await kl.useEngine({ engine: "torch", device: "cuda", precision })));
  for (const compile of [false, true]) {
    const model = kl.createModel("kat_test_patch7_28", { classes: 10, seed: 1 });
    const run = await kl.train(model, data, { epochs: 3, seed: 1, compile, show: false });
    const accuracy = run.history.epochs.at(-1)?.testAccuracy ?? NaN;
    console.log(
      `${precision}, ${compile ? "captured" : "eager"}: ${(100 * accuracy).toFixed(2)} %, ` +
        `${Math.round(run.imagesPerSecond)} images/s, ${run.seconds.toFixed(1)} s, last loss ${run.history.steps.at(-1)?.loss.toFixed(4)}`,
    );
    model.dispose();
  }
}
