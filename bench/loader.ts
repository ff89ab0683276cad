/**
 * What a loader gives, in images a second: batches of images in memory; pictures decoded as they are needed, or read decoded
 * from a file; both while steps wait as for a GPU; and, on a GPU, a run that trains KAT-T. Peers, in processes of their own that
 * take turns with ours: PyTorch gathering as many bytes, and its DataLoader decoding the same files by PIL, where Python has it.
 *
 *     node --import tsx bench/loader.ts [threads 2] [rounds 3] [stepMs 100]
 *     KATLAB_PYTHON=python3 …      another Python than the clone's
 *
 * On a GPU: katlab pack -o build/offline --with bench/loader.ts bench/loader.py, there ./katlab run scripts/loader.mjs
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import * as kl from "katlab";

const [threads = 2, rounds = 3, stepMs = 100] = process.argv.slice(2).map(Number);
const batch = 128;
const { tf } = kl;
const statistics = { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] };

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

/** Images a second of something done for at least a second: by its median time, for the machine may have other work. */
async function perSecond(work: () => Promise<number> | number): Promise<number> {
  const rates: number[] = [];
  await work();
  for (const start = performance.now(); performance.now() - start < 1000;) {
    const before = performance.now();
    const images = await work();
    rates.push((1000 * images) / (performance.now() - before));
  }
  return median(rates);
}

/** Waits for the device and frees. */
function done({ images, labels }: { images: kl.tf.Tensor; labels: kl.tf.Tensor }): number {
  const count = images.shape[0] ?? 0;
  if (device !== "cpu") tf.tidy(() => tf.slice(tf.reshape(images, [-1]), [0], [1]).dataSync());
  tf.dispose([images, labels]);
  return count;
}

/** Before bytes travelled: looked up on the host, copied as float32. */
function asFloats(split: kl.Split, indices: Int32Array): number {
  const [height, width, channels] = split.shape;
  const size = height * width * channels;
  const values = new Float32Array(indices.length * size);
  for (let c = 0; c < channels; c++) {
    const table = Float32Array.from({ length: 256 }, (_, value) => (value / 255 - 0.5) / 0.25);
    indices.forEach((index, i) => {
      for (let at = c; at < size; at += channels)
        values[i * size + at] = table[split.images[index * size + at] ?? 0] ?? 0;
    });
  }
  return done({
    images: tf.tensor4d(values, [indices.length, ...split.shape]),
    labels: tf.tensor1d(new Int32Array(indices.length), "int32"),
  });
}

function indicesOf(split: kl.Split, random: kl.Random): Int32Array {
  return Int32Array.from({ length: batch }, () => random.integer(split.size));
}

function peer(...args: (string | number)[]): number {
  const script = fileURLToPath(new URL("loader.py", import.meta.url));
  const own = fileURLToPath(new URL("../.venv/bin/python", import.meta.url));
  const python = process.env["KATLAB_PYTHON"] ?? (existsSync(own) ? own : "python3");
  const { stdout, stderr, status } = spawnSync(python, [script, String(threads), ...args.map(String)], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  return (JSON.parse(stdout) as number | null) ?? NaN;
}

const results = new Map<string, number[]>();
const note = (name: string, value: number): void => {
  results.set(name, [...(results.get(name) ?? []), value]);
};
console.log(String(await kl.useEngine({ engine: "torch", threads })), `batch ${batch}`);
const { device } = kl.describeEngine();
const random = new kl.Random(1);
const sizes = [
  [28, 1, 2048],
  [32, 3, 2048],
  [224, 3, 256],
] as const;
for (const [side, channels, size] of sizes) {
  const { train } = kl.syntheticImages({ classes: 2, shape: [side, side, channels], size, testSize: 2 });
  for (let round = 0; round < rounds; round++) {
    note(
      `${side}² × ${channels}: batch()`,
      await perSecond(() => done(train.batch(indicesOf(train, random)))),
    );
    note(
      `${side}² × ${channels}: as float32`,
      await perSecond(() => asFloats(train, indicesOf(train, random))),
    );
    note(`${side}² × ${channels}: PyTorch`, peer("tensors", side, channels, batch));
  }
}

if (device !== "cpu") await trainOnGpu();
const folder = mkdtempSync(join(tmpdir(), "katlab-loader-"));
try {
  if (await writePictures(512)) await picturesFromFiles();
  else console.log("pictures: left out, sharp is not installed here");
} finally {
  rmSync(folder, { recursive: true });
}
for (const [name, values] of results) {
  console.log(
    `${name.padEnd(34)} ${Math.round(median(values)).toLocaleString("en-US").padStart(10)} images/s`,
  );
}

async function picturesFromFiles(): Promise<void> {
  const pictures = join(folder, "set");
  const options = { streamed: true, size: 224, statistics } as const;
  const { train } = await kl.imageFolder(pictures, options);
  const { train: file } = await kl.imageFolder(pictures, { ...options, cache: join(folder, "cache") });
  const load = async (split: kl.Split): Promise<number> =>
    (await split.load?.(indicesOf(split, random)))?.size ?? 0;
  for (let round = 0; round < rounds; round++) {
    note("224² JPEG: decoded", await perSecond(() => load(train)));
    note("224² JPEG: from a file of pixels", await perSecond(() => load(file)));
    note("224² JPEG: DataLoader", peer("decode", join(pictures, "train"), batch, threads));
    note("a step alone", await underSteps(undefined));
    note("a step, decoded", await underSteps(train));
    note("a step, from a file of pixels", await underSteps(file));
  }
}

/** Images a second of a loop whose step waits, as for a GPU. */
async function underSteps(split: kl.Split | undefined): Promise<number> {
  const steps = 20;
  const order = Array.from({ length: steps + 1 }, () =>
    split ? indicesOf(split, random) : new Int32Array(batch),
  );
  let start = 0;
  if (split === undefined) {
    start = performance.now();
    for (let step = 0; step < steps; step++) await setTimeout(stepMs);
  } else {
    for await (const { split: loaded, indices } of kl.loadedBatches(split, order)) {
      if (start === 0)
        start = performance.now(); // the first one nothing could hide
      else {
        // On the CPU this would be a part of the step, which a GPU takes off it.
        if (device !== "cpu") done(loaded.batch(indices));
        await setTimeout(stepMs);
      }
    }
  }
  return (steps * batch) / ((performance.now() - start) / 1000);
}

/** Photographs' size and quality, if not their content: waves and noise. */
async function writePictures(count: number): Promise<boolean> {
  const sharp = await import("sharp").then(
    (module) => module.default,
    () => undefined,
  );
  if (sharp === undefined) return false;
  const [width, height] = [500, 375];
  for (let i = 0; i < count + 2; i++) {
    const pixels = new Uint8Array(width * height * 3);
    for (let at = 0; at < pixels.length; at++) {
      const [x, y] = [(at / 3) % width, at / 3 / width];
      pixels[at] = 128 + 90 * Math.sin(x / (9 + (i % 7) + (at % 3)) + y / 13) + random.integer(32);
    }
    const path = join(folder, "set", i < count ? "train" : "test", "waves");
    mkdirSync(path, { recursive: true });
    await sharp(pixels, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: 90 })
      .toFile(join(path, `${i}.jpg`));
  }
  return true;
}

/** A whole run, every batch of which travels: 128 steps an epoch, on 256 images that take turns. */
async function trainOnGpu(): Promise<void> {
  await kl.useEngine({ engine: "torch", device: "cuda", precision: "bfloat16" });
  const data = kl.syntheticImages({ classes: 2, shape: [224, 224, 3], size: 256, testSize: 2 });
  const { train: few } = data;
  const labels = Int32Array.from({ length: 128 * batch }, (_, i) => few.labels[i % few.size] ?? 0);
  const train: kl.Split = {
    size: labels.length,
    labels,
    images: few.images,
    shape: few.shape,
    black: few.black,
    batch: (indices) => few.batch(Int32Array.from(indices, (index) => index % few.size)),
    take: (n, own) => few.take(n, own),
  };
  for (const name of ["kat_tiny_patch16_224", "vit_tiny_patch16_224"] as const) {
    const model = kl.createModel(name, { classes: 2, seed: 1 });
    const run = await kl.train(
      model,
      { ...data, train },
      { batchSize: batch, epochs: 6, seed: 1, show: false },
    );
    for (const { seconds } of run.history.epochs.slice(2)) note(`training ${name}`, train.size / seconds);
    model.dispose();
  }
}
