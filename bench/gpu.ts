/**
 * On one GPU, through our own stack: gradients of a KAT against the CPU's, a falling loss, and training steps a second
 * of KAT-T and ViT-T at 224², batch 128. Prints one JSON line at the end. Run from an offline bundle:
 *
 *     katlab pack -o build/offline --with bench/gpu.ts      then, there:   ./katlab run gpu.mjs
 */
import * as kl from "katlab";
import { loadAddon } from "katlab/torch";

const { tf } = kl;
const results: Record<string, unknown> = {};

function randomBatch(size: number, [height, width, channels]: readonly number[], classes: number) {
  const random = new kl.Random(7);
  const pixels = Float32Array.from(
    { length: size * height * width * channels },
    () => random.uniform() * 2 - 1,
  );
  const labels = Int32Array.from({ length: size }, () => random.integer(classes));
  return {
    images: tf.tensor4d(pixels, [size, height, width, channels]),
    labels: tf.tensor1d(labels, "int32"),
  };
}

/** Gradients of a small KAT by parameter name, on the engine in use. */
function gradients(): Map<string, Float32Array> {
  const model = kl.createModel("kat_test_patch7_28", { seed: 3 });
  const { images, labels } = randomBatch(32, model.inputShape, model.classes);
  const parameters = [...model.namedParameters()];
  const { grads } = kl.valueAndGrads(
    () => kl.softmaxCrossEntropy(model.forward(images), labels),
    parameters.map(([, { variable }]) => variable),
  );
  const values = new Map(parameters.map(([name], i) => [name, grads[i].dataSync() as Float32Array]));
  tf.dispose([images, labels, ...grads]);
  model.dispose();
  return values;
}

/** ‖a − b‖ / ‖b‖ over all parameters, and the worst of one parameter relative to the largest gradient norm. */
function difference(a: Map<string, Float32Array>, b: Map<string, Float32Array>) {
  let [apart, size] = [0, 0];
  let largest = 0;
  for (const [name, values] of b) {
    values.forEach((value, i) => {
      const other = a.get(name)?.[i] ?? NaN;
      apart += (other - value) ** 2;
      size += value ** 2;
      largest = Math.max(largest, Math.abs(other - value));
    });
  }
  return { relativeL2: Math.sqrt(apart / size), largestAbsolute: largest };
}

function timeSteps(name: kl.ModelName, compile: boolean, count: number) {
  const model = kl.createModel(name, { seed: 1 });
  const optimizer = new kl.AdamW(model.parameters(), {
    weightDecay: 0.05,
    coefficientWeightDecay: 0,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
  });
  const { images, labels } = randomBatch(128, model.inputShape, model.classes);
  const steps = new kl.TrainingSteps({ model, optimizer, labelSmoothing: 0, clipNorm: null }, compile);
  const take = () => steps.take({ images, labels, learningRate: 1e-3, random: new kl.Random(1) });
  const losses: number[] = [];
  for (let i = 0; i < 10; i++) {
    const loss = take();
    losses.push(loss.dataSync()[0]);
    loss.dispose();
  }
  const addon = loadAddon();
  addon.sync();
  addon.resetPeakMemory();
  const start = performance.now();
  let last = tf.scalar(0);
  for (let i = 0; i < count; i++) {
    last.dispose();
    last = take();
  }
  addon.sync();
  const ms = (performance.now() - start) / count;
  losses.push(last.dataSync()[0]);
  // Each with the device idle: later ones would wait for a full queue.
  let hostMs = 0;
  for (let i = 0; i < 10; i++) {
    addon.sync();
    const called = performance.now();
    take().dispose();
    hostMs += (performance.now() - called) / 10;
  }
  const status = steps.status();
  const peakGiB = addon.memory("cuda").peak / 2 ** 30;
  tf.dispose([last, images, labels]);
  steps.dispose();
  optimizer.dispose();
  model.dispose();
  kl.describeEngine().emptyCache();
  return {
    ms,
    hostMs,
    imagesPerSecond: 128e3 / ms,
    peakGiB,
    firstLoss: losses[0],
    lastLoss: losses.at(-1),
    status,
  };
}

/** Milliseconds of a gradient, of a Hessian-vector product, and of one more at the same point. */
function timeHessian(name: kl.ModelName, count: number) {
  const model = kl.createModel(name, { seed: 1 });
  const { images, labels } = randomBatch(32, model.inputShape, model.classes);
  const variables = model.parameters().map(({ variable }) => variable);
  const vectors = variables.map(({ shape }) => tf.fill(shape, 0.5));
  const loss = () => kl.softmaxCrossEntropy(model.forward(images), labels);
  const addon = loadAddon();
  const ms = (run: () => kl.tf.TensorContainer): number => {
    for (let i = 0; i < 3; i++) tf.dispose(run());
    addon.sync();
    const start = performance.now();
    for (let i = 0; i < count; i++) tf.dispose(run());
    addon.sync();
    return (performance.now() - start) / count;
  };
  const gradient = ms(() => ({ ...kl.valueAndGrads(loss, variables) }));
  const whole = ms(() => {
    const { value, grads, products } = kl.hessianVectorProduct(loss, variables, vectors);
    return [value, grads, products];
  });
  const hessian = kl.hessianAt(loss, variables);
  const further = ms(() => hessian.times(vectors).products);
  hessian.dispose();
  // As graphs neither waits for the host.
  const capturedGradient = kl.compileStep(() => kl.valueAndGrads(loss, variables).grads);
  const capturedProduct = kl.compileStep(
    (...along: kl.tf.Tensor[]) => kl.hessianVectorProduct(loss, variables, along).products,
  );
  const captured = { gradient: ms(() => capturedGradient()), whole: ms(() => capturedProduct(...vectors)) };
  const reasons = [capturedGradient.status().reason, capturedProduct.status().reason];
  capturedGradient.dispose();
  capturedProduct.dispose();
  tf.dispose([images, labels, vectors]);
  model.dispose();
  return { gradient, whole, further, captured, reasons };
}

await kl.useEngine({ engine: "torch", device: "cpu" });
const onCpu = gradients();
console.log(String(await kl.useEngine({ engine: "torch", device: "cuda" })));
results["engine"] = kl.describeEngine();
const once = gradients();
results["gradients, CUDA against CPU"] = difference(once, onCpu);
results["gradients, two CUDA runs"] = difference(gradients(), once);
for (const precision of ["float32", "tf32", "bfloat16"] as const) {
  await kl.useEngine({ engine: "torch", device: "cuda", precision });
  for (const compile of [false, true]) {
    for (const name of ["vit_tiny_patch16_224", "kat_tiny_patch16_224"] as const) {
      const label = `${name} ${precision} ${compile ? "captured" : "eager"}`;
      const result = timeSteps(name, compile, 50);
      results[label] = result;
      const { ms, hostMs, imagesPerSecond, peakGiB, firstLoss, lastLoss, status } = result;
      console.log(
        `${label}: ${ms.toFixed(2)} ms (host ${hostMs.toFixed(2)}), ${Math.round(imagesPerSecond)} images/s, ` +
          `${peakGiB.toFixed(2)} GiB, loss ${firstLoss.toFixed(3)} to ${lastLoss?.toFixed(3)}, ${status?.reason ?? ""}`,
      );
    }
  }
}
await kl.useEngine({ engine: "torch", device: "cuda" });
for (const name of ["vit_tiny_patch16_224", "kat_tiny_patch16_224"] as const) {
  const times = timeHessian(name, 10);
  const { gradient, whole, further, captured } = times;
  results[`${name} Hessian`] = times;
  console.log(
    `${name}, batch 32, float32: gradient ${gradient.toFixed(1)} ms, Hessian-vector product ${whole.toFixed(1)} ms ` +
      `(${(whole / gradient).toFixed(2)} ×), each further one ${further.toFixed(1)} ms (${(further / gradient).toFixed(2)} ×); ` +
      `captured ${captured.gradient.toFixed(1)} and ${captured.whole.toFixed(1)} ms (${(captured.whole / captured.gradient).toFixed(2)} ×)`,
  );
}
console.log(JSON.stringify(results));
