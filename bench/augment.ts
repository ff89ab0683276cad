/**
 * Images a second of each augmentation and of KAT's recipe as a whole, on the engine of choice, beside torchvision and timm.
 * Batches lie on the device before the clock starts. A peer does the same work, each image with draws of its own: on tensors of
 * the same device torchvision.transforms.v2, image by image, and on pictures in main memory timm's own chain on Pillow, one
 * worker. Rounds take turns.
 *
 *     node --import tsx bench/augment.ts [engine torch] [device cpu] [sizes 32x128,224x32] [rounds 3] [threads 2]
 *
 * On a GPU without network: `katlab pack -o build/offline --with bench/augment.ts`, then there
 * `./katlab run scripts/augment.mjs torch cuda 224x128`, and the peer by itself, `python augment.py cuda 224 128 2 1`.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import * as kl from "katlab";

const { tf } = kl;
const given = process.argv.slice(2);
const [engine = "torch", device = "cpu", sizes = "32x128,224x32"] = given;
const [rounds, threads] = [Number(given.at(3) ?? 3), Number(given.at(4) ?? 2)];
const secondsEach = 0.7;

const cases: Readonly<Record<string, Partial<kl.AugmentationSettings>>> = {
  flip: { flip: 0.5 },
  "padded crop": { flip: 0.5, cropPadding: 4 },
  "resized crop": { flip: 0.5, cropScale: [0.08, 1] },
  "resized crop, bicubic": { flip: 0.5, cropScale: [0.08, 1], interpolation: "bicubic" },
  "colour jitter": { brightness: 0.4, contrast: 0.4, saturation: 0.4 },
  "colour jitter, hue": { brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 },
  RandAugment: { randAugment: 9, interpolation: "random" },
  erasing: { erasing: 0.25 },
  "mixup, cutmix": { mixup: 0.8, cutmix: 1 },
  "KAT's recipe": kl.recipes["kat-imagenet"].settings.augmentation ?? {},
};

const classes = 1000;
const normalisation = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/** Images that are on the device already, so that what is measured is what is done to them. */
function splitOnDevice(size: number, batch: number): kl.Split & { dispose: () => void } {
  const random = new kl.Random(1);
  const levels = Float32Array.from({ length: batch * size * size * 3 }, () => random.integer(256) / 255);
  const images = tf.tidy(() => {
    const pixels = tf.tensor4d(levels, [batch, size, size, 3]);
    return tf.div<kl.tf.Tensor4D>(tf.sub(pixels, normalisation.mean), normalisation.std);
  });
  const labels = tf.tensor1d(
    Int32Array.from({ length: batch }, () => random.integer(classes)),
    "int32",
  );
  const split: kl.Split = {
    size: batch,
    images: new Uint8Array(),
    labels: new Int32Array(),
    shape: [size, size, 3],
    black: normalisation.mean.map((mean, channel) => -mean / normalisation.std[channel]),
    batch: () => ({ images: tf.clone(images), labels: tf.clone(labels) }),
    take: () => split,
  };
  const dispose = (): void => {
    tf.dispose([images, labels]);
  };
  return { ...split, dispose };
}

/** Images a second of one way, and milliseconds of a batch until the host has asked for it all. */
async function measure(
  split: kl.Split,
  settings: kl.AugmentationSettings,
): Promise<{ imagesPerSecond: number; hostMs: number }> {
  let made = 0;
  let hostMs = 0;
  const step = (): kl.tf.Tensor4D => {
    const start = performance.now();
    const random = new kl.Random(made++);
    const { images, labels } = kl.augmentedBatch(split, [], settings, { classes, random, ...normalisation });
    labels.dispose();
    hostMs += performance.now() - start;
    return images;
  };
  const finish = async (images: kl.tf.Tensor4D): Promise<void> => {
    const pixel = tf.slice(images, [0, 0, 0, 0], [1, 1, 1, 1]);
    await pixel.data();
    tf.dispose([images, pixel]);
  };
  for (let i = 0; i < 3; i++) await finish(step());
  [made, hostMs] = [3, 0];
  const start = performance.now();
  do {
    for (let i = 0; i < 4; i++) step().dispose();
    await finish(step());
  } while (performance.now() - start < 1000 * secondsEach);
  const seconds = (performance.now() - start) / 1000;
  return { imagesPerSecond: ((made - 3) * split.size) / seconds, hostMs: hostMs / (made - 3) };
}

const script = new URL("augment.py", import.meta.url).pathname;
const python = process.env.KATLAB_PYTHON ?? new URL("../.venv/bin/python", import.meta.url).pathname;

/** Images a second of the peers, by case; nothing where they are not installed, which is said. */
function peers(size: number, batch: number): Record<string, number> {
  if (!existsSync(script) || engine !== "torch") return {};
  const options = [script, device, size, batch, threads, secondsEach].map(String);
  const { stdout, stderr, status } = spawnSync(python, options, { encoding: "utf8" });
  if (status === 0) return JSON.parse(stdout) as Record<string, number>;
  console.log(`no peer: ${stderr.trim().split("\n").at(-1)}`);
  return {};
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

console.log(
  String(
    await kl.useEngine({
      engine: engine as kl.EngineName,
      ...(engine === "torch" && { device: device as "cpu" | "cuda", threads }),
    }),
  ),
);
for (const [size, batch] of sizes.split(",").map((each) => each.split("x").map(Number))) {
  const split = splitOnDevice(size, batch);
  const own = new Map(
    Object.keys(cases).map((name) => [name, { rates: [] as number[], host: [] as number[] }]),
  );
  const theirs = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++) {
    for (const [name, changes] of Object.entries(cases)) {
      const { augmentation } = await kl.completeRecipe({ augmentation: changes });
      const { imagesPerSecond, hostMs } = await measure(split, augmentation);
      own.get(name)?.rates.push(imagesPerSecond);
      own.get(name)?.host.push(hostMs);
    }
    for (const [name, rate] of Object.entries(peers(size, batch))) {
      theirs.set(name, [...(theirs.get(name) ?? []), rate]);
    }
  }
  split.dispose();
  console.log(`\n${size}², batch ${batch}: images/s`);
  for (const [name, { rates, host }] of own) {
    const rate = median(rates);
    const beside = ["torchvision", "timm on Pillow"]
      .map((peer) => ({ peer, values: theirs.get(`${name}, ${peer}`) }))
      .flatMap(({ peer, values }) => (values === undefined ? [] : [{ peer, theirs: median(values) }]))
      .map((each) => `${(rate / each.theirs).toFixed(2)} × ${each.peer} (${each.theirs.toFixed(0)})`);
    console.log(
      `${name.padEnd(22)} ${rate.toFixed(0).padStart(9)}  ${median(host).toFixed(2).padStart(7)} ms host  ${beside.join("  ")}`,
    );
  }
}
