/**
 * tfjs's own tape on the torch engine beside torch's autograd: `tf.variableGrads` against `kl.valueAndGrads` for the same
 * loss, taking turns, on the first GPU, or the CPU where there is none.
 *
 *     node --import tsx bench/tape.ts [batch] [rounds]
 *
 * Where there is no clone: `katlab pack -o build/offline --with bench/tape.ts`, then, there, `./katlab run tape.mjs`.
 * Prints, beside times, how often a step copies more than one number to the device, and one JSON line at the end.
 */
import * as kl from "katlab";
import { tf } from "katlab";
import { loadAddon } from "katlab/torch";
import { plainVit } from "./plainVit.js";

const engine = await kl.useEngine({ engine: "torch" });
const onGpu = engine.device !== "cpu";
const arguments_ = process.argv.slice(2).map(Number);
const [batch = onGpu ? 128 : 16, rounds = onGpu ? 50 : 10] = arguments_;
const addon = loadAddon();

interface Subject {
  name: string;
  loss: (images: tf.Tensor4D, labels: tf.Tensor1D) => tf.Scalar;
  variables: tf.Variable[];
  inputShape: readonly number[];
  classes: number;
}

function ours(name: kl.ModelName): Subject {
  const model = kl.createModel(name, { seed: 1 });
  return {
    name,
    loss: (images, labels) => kl.softmaxCrossEntropy(model.forward(images), labels),
    variables: model.parameters().map(({ variable }) => variable),
    inputShape: model.inputShape,
    classes: model.classes,
  };
}

function plain(name: string, sizes: Parameters<typeof plainVit>[0]): Subject {
  return { name, ...plainVit(sizes, new kl.Random(1)) };
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** Milliseconds of one step, until the device is done. */
function timed(step: () => tf.TensorContainer): number {
  addon.sync(engine.device);
  const start = performance.now();
  tf.dispose(step());
  addon.sync(engine.device);
  return performance.now() - start;
}

/** Copies of more than one number to the device. */
function uploads(step: () => tf.TensorContainer): number {
  const from = addon.from.bind(addon);
  let count = 0;
  addon.from = (data, ...rest) => {
    if (rest[0].length > 0) count++;
    return from(data, ...rest);
  };
  tf.dispose(step());
  addon.from = from;
  return count;
}

/** Largest ‖difference‖ / ‖gradient‖ over the variables that matter. */
function apart(a: tf.Tensor[], b: tf.Tensor[]): number {
  const norm = (x: tf.Tensor): number => tf.tidy(() => tf.norm(x).dataSync()[0]);
  const largest = Math.max(...b.map(norm));
  return Math.max(...a.map((x, i) => tf.tidy(() => norm(tf.sub(x, b[i]))) / largest));
}

function measure({ name, loss, variables, inputShape, classes }: Subject) {
  const random = new kl.Random(7);
  const shape = [batch, ...inputShape] as [number, number, number, number];
  const pixels = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.normal());
  const images = tf.tensor4d(pixels, shape);
  const labels = tf.tensor1d(
    Int32Array.from({ length: batch }, () => random.integer(classes)),
    "int32",
  );
  const f = (): tf.Scalar => loss(images, labels);
  const autograd = () => {
    const { value, grads } = kl.valueAndGrads(f, variables);
    return [value, ...grads];
  };
  const tape = () => {
    const { value, grads } = tf.variableGrads(f, variables);
    return [value, ...variables.map((variable) => grads[variable.name])];
  };
  const [byTape, byAutograd] = [tape(), autograd()];
  const difference = apart(byTape, byAutograd);
  tf.dispose([byTape, byAutograd]);
  const times = { autograd: [] as number[], tape: [] as number[] };
  for (let round = -3; round < rounds; round++) {
    const pair = [timed(autograd), timed(tape)];
    if (round < 0) continue;
    times.autograd.push(pair[0]);
    times.tape.push(pair[1]);
  }
  const [autogradMs, tapeMs] = [median(times.autograd), median(times.tape)];
  const result = { autogradMs, tapeMs, ratio: tapeMs / autogradMs, uploads: uploads(tape), difference };
  console.log(
    `${name.padEnd(22)} valueAndGrads ${autogradMs.toFixed(2)} ms  variableGrads ${tapeMs.toFixed(2)} ms` +
      `  ${result.ratio.toFixed(2)} ×  ${result.uploads} uploads  gradients ${difference.toExponential(1)} apart`,
  );
  tf.dispose([images, labels, ...variables]);
  return [name, result] as const;
}

console.log(`${engine.deviceName}, batch ${batch}`);
const small = { image: 28, patch: 7, dim: 96, depth: 4, heads: 3, classes: 10 };
const tiny = { image: 224, patch: 16, dim: 192, depth: 12, heads: 3, classes: 1000 };
const subjects = [
  () => ours("vit_test_patch7_28"),
  () => ours("kat_test_patch7_28"),
  () => plain("plain ViT, test size", small),
  ...(onGpu
    ? [
        () => ours("vit_tiny_patch16_224"),
        () => ours("kat_tiny_patch16_224"),
        () => plain("plain ViT-T", tiny),
      ]
    : []),
];
const results = Object.fromEntries(subjects.map((make) => measure(make())));
console.log(JSON.stringify({ engine, batch, rounds, results }));
