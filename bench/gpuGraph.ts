/**
 * On one GPU: what `compileStep` promises. Every line says what was held against what; the last is the count of failures.
 *
 *     katlab pack -o build/offline --with bench/gpuGraph.ts      then, there:   ./katlab run scripts/gpuGraph.mjs
 */
import * as kl from "katlab";
import { loadAddon } from "katlab/torch";

const { tf } = kl;
type Tensor1D = kl.tf.Tensor1D;
let failures = 0;

function check(what: string, holds: boolean, detail: unknown = ""): void {
  if (!holds) failures++;
  console.log(holds ? "ok  " : "FAIL", what, detail);
}

const settings = { weightDecay: 0.05, coefficientWeightDecay: 0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

/** Losses and final weights of a small KAT after `count` steps on a stream of batches. */
function run(compile: boolean, count: number) {
  const random = new kl.Random(5);
  const model = kl.createModel("kat_test_patch7_28", { seed: 3, dropPath: 0.2 });
  const optimizer = new kl.AdamW(model.parameters(), settings);
  const steps = new kl.TrainingSteps({ model, optimizer, labelSmoothing: 0.1, clipNorm: 1 }, compile);
  const losses: number[] = [];
  for (let i = 0; i < count; i++) {
    const pixels = Float32Array.from({ length: 32 * 28 * 28 }, () => random.normal());
    const labels = Int32Array.from({ length: 32 }, () => random.integer(10));
    const images = tf.tensor4d(pixels, [32, 28, 28, 1]);
    const classes = tf.tensor1d(labels, "int32");
    const loss = steps.take({
      images,
      labels: classes,
      learningRate: 1e-3 / (1 + i),
      random: random.split("step").split(i),
    });
    losses.push(loss.dataSync()[0]);
    tf.dispose([images, classes, loss]);
  }
  const weights = [...model.namedParameters().values()].map(({ variable }) => variable.dataSync<"float32">());
  const status = steps.status();
  steps.dispose();
  optimizer.dispose();
  model.dispose();
  return { losses, weights, status };
}

const apart = (a: Float32Array[], b: Float32Array[]): number =>
  Math.max(...a.map((values, i) => Math.max(...values.map((value, j) => Math.abs(value - b[i][j])))));

console.log(String(await kl.useEngine({ engine: "torch", device: "cuda", deterministic: true })));
for (const precision of ["float32", "bfloat16"] as const) {
  await kl.useEngine({ engine: "torch", device: "cuda", deterministic: true, precision });
  const eager = run(false, 100);
  const captured = run(true, 100);
  check(
    `${precision}: 100 captured steps give the bits of eager ones`,
    apart(eager.weights, captured.weights) === 0,
    {
      apart: apart(eager.weights, captured.weights),
      losses: [eager.losses[0], eager.losses[99], captured.losses[99]],
      status: captured.status,
    },
  );
}
await kl.useEngine({ engine: "torch", device: "cuda" });
{
  const [a, b, c] = [run(false, 100), run(false, 100), run(true, 100)];
  const spread = apart(a.weights, b.weights);
  check(
    "without deterministic mode: within the spread of two eager runs",
    apart(a.weights, c.weights) <= 2 * spread + 1e-12,
    {
      spread,
      captured: apart(a.weights, c.weights),
    },
  );
}

const live = loadAddon().live();
{
  const weight = tf.tidy(() => tf.variable(tf.fill([4], 1)));
  const outside = tf.tensor1d([1, 2, 3, 4]);
  const step = kl.compileStep((x: Tensor1D) => {
    weight.assign(tf.add(weight, tf.mul(x, outside)));
    return { weight: tf.mul(weight, 1), sum: tf.sum(weight) };
  });
  const sums: number[] = [];
  for (let i = 1; i <= 6; i++) {
    const x = tf.fill<kl.tf.Rank.R1>([4], i);
    const { weight: copy, sum } = step(x);
    sums.push(sum.dataSync()[0]);
    tf.dispose([x, copy, sum]);
  }
  check("a variable that is assigned inside", String(sums) === "14,34,64,104,154,214", {
    sums,
    status: step.status(),
  });
  tf.tidy(() => weight.assign(tf.fill([4], 100)));
  const x = tf.fill<kl.tf.Rank.R1>([4], 1);
  const after = step(x);
  check("a variable that was assigned outside is seen", after.sum.dataSync()[0] === 410, step.status());
  const clones = [1, 2, 3].map(() => {
    const clone = tf.clone(weight);
    tf.dispose(step(x));
    return clone;
  });
  const seen = clones.map((clone) => clone.dataSync()[0]);
  check("clones of it keep their values", String(seen) === "101,102,103", { seen, status: step.status() });
  tf.dispose(clones);
  const view = tf.reshape(weight, [2, 2]);
  tf.dispose(step(x));
  const kept = view.dataSync()[0];
  check("and views too", kept === 104 && weight.dataSync()[0] === 105, { kept, status: step.status() });
  view.dispose();
  const y = tf.fill<kl.tf.Rank.R1>([1], 1);
  for (let i = 0; i < 4; i++) tf.dispose(step(y));
  check("another shape is captured by itself", step.status().captured === 2, step.status());
  tf.dispose([x, y, after]);
  step.dispose();
  tf.dispose([weight, outside]);
}
{
  const weight = tf.tidy(() => tf.variable(tf.fill([3], 1)));
  const optimizer = tf.train.adam(0.1);
  const step = kl.compileStep((x: Tensor1D) => {
    const { value, grads } = tf.variableGrads(
      () => tf.sum<kl.tf.Scalar>(tf.square(tf.sub(weight, x))),
      [weight],
    );
    optimizer.applyGradients(Object.entries(grads).map(([name, tensor]) => ({ name, tensor })));
    return value;
  });
  const losses: number[] = [];
  const x = tf.tensor1d([3, 4, 5]);
  for (let i = 0; i < 100; i++) {
    const loss = step(x);
    losses.push(loss.dataSync()[0]);
    loss.dispose();
  }
  check("tf.train.adam on tfjs's tape learns inside", losses[99] < 0.5 && step.status().captured === 1, [
    losses[0],
    losses[99],
    step.status(),
  ]);
  step.dispose();
  optimizer.dispose();
  tf.dispose([weight, x]);
}
{
  const weight = tf.tidy(() => tf.variable(tf.fill([4], 1)));
  const step = kl.compileStep((x: Tensor1D) => {
    weight.assign(tf.add(weight, x));
    return [weight, tf.reshape(weight, [2, 2]), x];
  });
  const x = tf.fill<kl.tf.Rank.R1>([4], 1);
  const seen: number[] = [];
  for (let i = 0; i < 6; i++) {
    const results = step(x);
    seen.push(...results.slice(0, 2).map((result) => result.dataSync()[0]));
    tf.dispose([...results]);
  }
  const { captured, replayed } = step.status();
  check(
    "a variable that is returned, and a view of it",
    String(seen) === "2,2,3,3,4,4,5,5,6,6,7,7" && captured === 1 && replayed === 4,
    { seen, status: step.status() },
  );
  step.dispose();
  tf.dispose([weight, x]);
}
const kept: kl.tf.Tensor[] = [];
for (const [what, body] of [
  ["reads a value", (x: Tensor1D) => tf.mul(x, x.dataSync()[0])],
  ["makes a tensor of host values", (x: Tensor1D) => tf.mul(x, tf.tensor1d([1, 2]))],
  ["makes a variable", (x: Tensor1D) => tf.variable(tf.mul(x, 2))],
  ["keeps a tensor", (x: Tensor1D) => tf.mul(x, kept[kept.push(tf.keep(tf.mul(x, 2))) - 1])],
  ["waits for the device in torch", (x: Tensor1D) => tf.unique(x).values],
] as const) {
  const step = kl.compileStep(body);
  const x = tf.tensor1d([2, 3]);
  for (let i = 0; i < 4; i++) step(x).dispose();
  check(
    `a step that ${what} runs as it is`,
    step.status().captured === 0 && step.status().eager === 4,
    step.status().reason,
  );
  step.dispose();
  x.dispose();
}
{
  let fail = false;
  const step = kl.compileStep((x: Tensor1D) => {
    const y = tf.mul(x, 2);
    if (fail) tf.matMul(tf.ones([2, 3]), tf.ones([2, 3]));
    return y;
  });
  const x = tf.tensor1d([2, 3]);
  for (let i = 0; i < 2; i++) step(x).dispose();
  fail = true;
  let message = "";
  try {
    step(x).dispose();
  } catch (error) {
    message = String(error);
  }
  fail = false;
  const y = step(x);
  check(
    "an error in the step is thrown, and the step goes on",
    message.includes("matMul") && y.dataSync()[1] === 6,
    message,
  );
  tf.dispose([x, y]);
  step.dispose();
}
{
  const big = kl.compileStep((x: Tensor1D) => tf.sum(tf.fill([x.shape[0], 2 ** 30], 1)));
  const x = tf.tensor1d(new Float32Array(1024).fill(1).map((_, i) => i));
  let message = "";
  try {
    big(x).dispose();
  } catch (error) {
    message = String(error);
  }
  check("out of memory is said", message.includes("must be free"), message);
  big.dispose();
  x.dispose();
}
tf.dispose(kept);
{
  // Reserved bytes after each of many captures, all but the first of which may take no more.
  const x = tf.fill<kl.tf.Rank.R2>([512, 512], 1 / 512);
  const reserved = Array.from({ length: 40 }, () => {
    const step = kl.compileStep((a: kl.tf.Tensor2D) => tf.matMul(tf.matMul(a, a), a), { warmUp: 1 });
    for (let i = 0; i < 3; i++) step(x).dispose();
    if (step.status().captured !== 1) failures++;
    step.dispose();
    kl.describeEngine().emptyCache();
    return loadAddon().memory("cuda").reserved;
  });
  check("captures take no more memory than the first of them", reserved.at(-1) === reserved[0], [
    reserved[0],
    reserved.at(-1),
  ]);
  x.dispose();
}
check("nothing is left behind", loadAddon().live() === live, [live, loadAddon().live()]);
const { losses } = run(true, 20);
check("training goes on after all that", losses.every(Number.isFinite), losses.at(-1));
console.log(`${failures} failed`);
process.exitCode = failures === 0 ? 0 : 1;
