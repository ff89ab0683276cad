import { mustBe } from "../errors.js";
import { Random } from "../random.js";
import { sizeOf } from "../shape.js";
import { channelStatistics, type Dataset, ImageSplit, type Split } from "./dataset.js";
import { ImageDataset } from "./imageDataset.js";

/** What {@link syntheticImages} makes. */
export interface SyntheticOptions {
  /** Number of classes, at least 2 (default 10). */
  classes?: number;
  /** Training images (default 512). */
  size?: number;
  /** Test images (default a quarter of `size`, at least one). */
  testSize?: number;
  /** Height, width and channels (default `[28, 28, 1]`). */
  shape?: readonly [height: number, width: number, channels: number];
  /** Standard deviation of the noise on each pixel, as a share of white, 0 to 1 (default 0.1). */
  noise?: number;
  /** Default 0. */
  seed?: number;
}

/** Images made of one known pattern for each class. */
export interface SyntheticDataset extends Dataset {
  /** The noiseless patterns, `[classes, height, width, channels]`, row-major. */
  readonly prototypes: Uint8Array;
}

/**
 * A small labelled set with a known answer, for tests and trials: each class has a smooth pattern of its
 * own, and each image is its class's pattern plus normal noise. The nearest pattern names the class.
 *
 * Pattern of a class: white · (1 + cos(2π(u·row/height + v·column/width) + φ)) / 2, with a wave (u, v) that
 * no other class has and a phase φ for each channel. Different waves are orthogonal, so two patterns are half
 * of white apart in the root mean square over pixels, far above the default noise.
 * Classes take turns (`label = index mod classes`, then shuffled), so counts differ by at most one.
 *
 * @throws KatlabError `invalid` for sizes that are not positive integers, or more classes than the image
 * has room for waves
 */
export function syntheticImages(options: SyntheticOptions = {}): SyntheticDataset {
  const { classes = 10, size = 512, shape = [28, 28, 1], noise = 0.1, seed = 0 } = options;
  const { testSize = Math.max(1, Math.floor(size / 4)) } = options;
  for (const [name, value] of Object.entries({
    classes,
    size,
    testSize,
    height: shape[0],
    width: shape[1],
  })) {
    if (!Number.isInteger(value) || value < (name === "classes" ? 2 : 1)) {
      throw mustBe({
        subject: "syntheticImages",
        must: `${name} must be a positive integer${name === "classes" ? " above 1" : ""}`,
        got: String(value),
        remedy: "Pass for example { classes: 10, size: 512, shape: [28, 28, 1] }.",
      });
    }
  }
  const random = new Random(seed).split("syntheticImages");
  const prototypes = patterns(classes, shape, random.split("prototypes"));
  const draw = (count: number, part: string): { images: Uint8Array; labels: Int32Array } => {
    const labels = random
      .split(`${part} order`)
      .permutation(count)
      .map((i) => i % classes);
    return { labels, images: noisy(prototypes, labels, sizeOf(shape), noise, random.split(`${part} noise`)) };
  };
  const train = draw(size, "train");
  const statistics = channelStatistics(train.images, shape[2]);
  const split = (content: { images: Uint8Array; labels: Int32Array }): Split =>
    new ImageSplit({ ...content, shape, ...statistics });
  const dataset = new ImageDataset({
    name: "synthetic",
    classes: Array.from({ length: classes }, (_, label) => `pattern ${label}`),
    train: split(train),
    test: split(draw(testSize, "test")),
    ...statistics,
  });
  return Object.assign(dataset, { prototypes });
}

function patterns(
  classes: number,
  [height, width, channels]: readonly [number, number, number],
  random: Random,
): Uint8Array {
  const waves = distinctWaves(classes, height, width);
  const images = new Uint8Array(classes * height * width * channels);
  let at = 0;
  for (const [u, v] of waves) {
    const phases = Array.from({ length: channels }, () => 2 * Math.PI * random.uniform());
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        for (const phase of phases) {
          const angle = 2 * Math.PI * ((u * row) / height + (v * column) / width) + phase;
          images[at++] = Math.round((255 * (1 + Math.cos(angle))) / 2);
        }
      }
    }
  }
  return images;
}

/**
 * The longest waves first. Frequencies stay below half of the height and width, and of (u, v) and
 * (−u, −v), which are the same wave, only one is taken.
 */
function distinctWaves(count: number, height: number, width: number): [number, number][] {
  const waves: [number, number][] = [];
  for (let u = 0; u < height / 2; u++) {
    for (let v = u === 0 ? 1 : Math.floor(-width / 2) + 1; v < width / 2; v++) waves.push([u, v]);
  }
  if (waves.length < count) {
    throw mustBe({
      subject: "syntheticImages",
      must: `classes must be at most ${waves.length} for images of ${height} × ${width}`,
      got: String(count),
      remedy: "Make the images larger or the classes fewer.",
    });
  }
  return waves.sort((a, b) => a[0] ** 2 + a[1] ** 2 - b[0] ** 2 - b[1] ** 2).slice(0, count);
}

function noisy(
  prototypes: Uint8Array,
  labels: Int32Array,
  pixels: number,
  noise: number,
  random: Random,
): Uint8Array {
  const images = new Uint8ClampedArray(labels.length * pixels); // rounds and clamps to 0…255
  labels.forEach((label, i) => {
    for (let p = 0; p < pixels; p++) {
      images[i * pixels + p] = prototypes[label * pixels + p] + 255 * noise * random.normal();
    }
  });
  return new Uint8Array(images.buffer);
}
