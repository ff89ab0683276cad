import * as tf from "@tensorflow/tfjs-core";
import { mustBe } from "../errors.js";
import type { Random } from "../random.js";
import { sizeOf } from "../shape.js";

/** Images with labels, kept as bytes; normalised to float32 only batch by batch. */
export interface Split {
  /** Number of images. */
  readonly size: number;
  /** Pixels 0…255, `[size, height, width, channels]`, row-major. */
  readonly images: Uint8Array;
  /** Class of each image, `[size]`. */
  readonly labels: Int32Array;
  /** Height, width and channels of one image. */
  readonly shape: readonly [height: number, width: number, channels: number];
  /** What a black pixel is once normalised, by channel. */
  readonly black: readonly number[];
  /**
   * The images and labels at `indices` (any order, repeats allowed) as tensors the caller disposes.
   *
   * @throws KatlabError `invalid` for an index outside `[0, size)`
   */
  batch(indices: ArrayLike<number>): {
    /** (pixel / 255 − mean) / std by channel, `[batch, height, width, channels]`, float32. */
    images: tf.Tensor4D;
    /** `[batch]`, int32. */
    labels: tf.Tensor1D;
  };
  /**
   * A class-balanced subset in the order of the file: class counts differ by at most one
   * as long as every class has enough images.
   *
   * @param n number of images, 1 to `size`
   * @param random draws the images; without it, the first of each class are taken
   * @throws KatlabError `invalid` for another `n`
   */
  take(n: number, random?: Random): Split;
}

/** A named set of images in a training and a test part. */
export interface Dataset {
  /** Name in the catalogue. */
  readonly name: string;
  /** Class names; the label is the index. */
  readonly classes: readonly string[];
  /** What is learned from. */
  readonly train: Split;
  /** What judges while it is learned, where a part of the training images was set apart for it. */
  readonly validation?: Split;
  /** What is only measured on. */
  readonly test: Split;
  /** Mean of each channel of the whole training set, pixels scaled to 0…1. */
  readonly mean: readonly number[];
  /** Standard deviation of each channel of the whole training set, pixels scaled to 0…1. */
  readonly std: readonly number[];
  /** Name, sizes and classes in one line. */
  toString(): string;
}

/** What an {@link ImageSplit} is made of. */
export interface ImageSplitContent {
  /** Pixels 0…255, `[size, height, width, channels]`, row-major. */
  images: Uint8Array;
  /** Class of each image, `[size]`. */
  labels: Int32Array;
  /** Height, width and channels of one image. */
  shape: readonly [height: number, width: number, channels: number];
  /** By channel, pixels scaled to 0…1. */
  mean: readonly number[];
  /** By channel, pixels scaled to 0…1; not zero. */
  std: readonly number[];
}

/** A {@link Split} in memory. */
export class ImageSplit implements Split {
  readonly size: number;
  readonly images: Uint8Array;
  readonly labels: Int32Array;
  readonly shape: readonly [height: number, width: number, channels: number];
  readonly black: readonly number[];
  readonly #content: ImageSplitContent;
  /** For each channel, the normalised value of every pixel value there is. */
  readonly #normalised: readonly Float32Array[];

  /** @throws KatlabError `invalid` when the parts do not fit together */
  constructor(content: ImageSplitContent) {
    const { images, labels, shape, mean, std } = content;
    checkContent(content);
    this.#content = content;
    this.size = labels.length;
    this.images = images;
    this.labels = labels;
    this.shape = shape;
    this.black = mean.map((center, channel) => -center / std[channel]);
    this.#normalised = mean.map((center, channel) =>
      Float32Array.from({ length: 256 }, (_, value) => (value / 255 - center) / std[channel]),
    );
  }

  batch(indices: ArrayLike<number>): ReturnType<Split["batch"]> {
    const size = sizeOf(this.shape);
    const count = indices.length;
    const pixels = new Float32Array(count * size);
    const labels = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      const index = indices[i];
      if (!(Number.isInteger(index) && index >= 0 && index < this.size)) {
        throw mustBe({
          subject: "batch",
          must: `indices must be integers in [0, ${this.size})`,
          got: `${index} at position ${i}`,
          remedy: "Draw the indices from random.permutation(split.size).",
        });
      }
      this.#normalise(index * size, size, pixels, i * size);
      labels[i] = this.labels[index];
    }
    return {
      images: tf.tensor4d(pixels, [count, ...this.shape], "float32"),
      labels: tf.tensor1d(labels, "int32"),
    };
  }

  take(n: number, random?: Random): ImageSplit {
    if (!(Number.isInteger(n) && n >= 1 && n <= this.size)) {
      throw mustBe({
        subject: "take",
        must: `n must be an integer from 1 to ${this.size}`,
        got: String(n),
        remedy: "Ask for no more images than the split has.",
      });
    }
    return this.#of(balanced(this.labels, n, random));
  }

  /**
   * Sets a class-balanced part aside, as `take` draws it.
   *
   * @param n number of images to set aside, 1 to `size − 1`
   * @throws KatlabError `invalid` for another `n`
   */
  hold(n: number, random: Random): { train: ImageSplit; validation: ImageSplit } {
    if (!(Number.isInteger(n) && n >= 1 && n < this.size)) {
      throw mustBe({
        subject: "validation",
        must: `must be an integer from 1 to ${this.size - 1}, so that there is something to learn from`,
        got: String(n),
        remedy: "Set fewer images aside.",
      });
    }
    const held = balanced(this.labels, n, random);
    const isHeld = new Set(held);
    const rest = this.labels.map((_, i) => i).filter((i) => !isHeld.has(i));
    return { train: this.#of(rest), validation: this.#of(held) };
  }

  /** The images at some places, as a split of their own. */
  #of(places: Int32Array): ImageSplit {
    const size = sizeOf(this.shape);
    const images = new Uint8Array(places.length * size);
    places.forEach((index, i) => {
      images.set(this.images.subarray(index * size, (index + 1) * size), i * size);
    });
    return new ImageSplit({ ...this.#content, images, labels: places.map((index) => this.labels[index]) });
  }

  // A table look-up per pixel: no arithmetic, and the same bits as normalising in float64 and rounding once.
  #normalise(from: number, size: number, pixels: Float32Array, to: number): void {
    const { images } = this;
    const channels = this.shape[2];
    for (let c = 0; c < channels; c++) {
      const table = this.#normalised[c];
      for (let i = c; i < size; i += channels) pixels[to + i] = table[images[from + i]];
    }
  }
}

/**
 * Mean and standard deviation of each channel over all images and positions, pixels scaled to 0…1.
 * Exact: sums of integers below 2^53, divided once.
 *
 * @param images `[…, channels]`, row-major
 * @returns the population's deviation (divided by n, as the usual constants are)
 */
export function channelStatistics(
  images: Uint8Array,
  channels: number,
): {
  /** By channel. */
  mean: number[];
  /** By channel. */
  std: number[];
} {
  const counts = new Float64Array(256 * channels);
  for (let i = 0; i < images.length; i += channels) {
    for (let c = 0; c < channels; c++) counts[images[i + c] * channels + c] += 1;
  }
  const n = images.length / channels;
  const mean: number[] = [];
  const std: number[] = [];
  for (let c = 0; c < channels; c++) {
    let sum = 0;
    let squares = 0;
    for (let value = 0; value < 256; value++) {
      const count = counts[value * channels + c];
      sum += count * value;
      squares += count * value * value;
    }
    mean.push(sum / n / 255);
    std.push(Math.sqrt(squares / n - (sum / n) ** 2) / 255);
  }
  return { mean, std };
}

/** `n` indices, ascending, as evenly spread over the classes as the labels allow. */
function balanced(labels: Int32Array, n: number, random?: Random): Int32Array {
  const order = random?.permutation(labels.length) ?? labels.map((_, i) => i);
  const seen = new Map<number, number>();
  const rank = new Int32Array(labels.length); // how many of its class come before it
  for (const index of order) {
    const before = seen.get(labels[index]) ?? 0;
    rank[index] = before;
    seen.set(labels[index], before + 1);
  }
  return order
    .sort((a, b) => rank[a] - rank[b] || labels[a] - labels[b])
    .subarray(0, n)
    .sort();
}

function checkContent({ images, labels, shape, mean, std }: ImageSplitContent): void {
  const subject = "ImageSplit";
  const channels = shape[2];
  if (images.length !== labels.length * sizeOf(shape)) {
    throw mustBe({
      subject,
      must: `images must hold ${labels.length} × [${shape.join(", ")}] bytes, one image for each label`,
      got: `${images.length} bytes`,
      remedy: "Pass images as [size, height, width, channels].",
    });
  }
  if (mean.length !== channels || std.length !== channels || !std.every((value) => value > 0)) {
    throw mustBe({
      subject,
      must: `mean and std must have one value for each of the ${channels} channels, std above 0`,
      got: `mean [${mean.join(", ")}], std [${std.join(", ")}]`,
      remedy: "Compute them by channelStatistics(images, channels).",
    });
  }
}
