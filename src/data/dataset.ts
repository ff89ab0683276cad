import * as tf from "@tensorflow/tfjs-core";
import { mustBe } from "../errors.js";
import type { Random } from "../random.js";
import { sizeOf } from "../shape.js";
import { heldPlaces, takenPlaces } from "./balanced.js";
import {
  bytesAt,
  gatheredBytes,
  mustBeIndices,
  mustBeStatistics,
  normalisationTable,
  normalisedImages,
} from "./normalisedImages.js";

/**
 * Images with labels, kept as bytes; normalised to float32 only batch by batch. In memory, or, where there is `load`, in files
 * that are read as they are needed.
 */
export interface Split {
  /** Number of images. */
  readonly size: number;
  /**
   * Pixels 0…255, `[size, height, width, channels]`, row-major.
   *
   * @throws KatlabError `invalid` where there is `load`
   */
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
   * @throws KatlabError `invalid` for an index outside `[0, size)`, and where there is `load`
   */
  batch(indices: ArrayLike<number>): {
    /** (pixel / 255 − mean) / std by channel, `[batch, height, width, channels]`, float32. */
    images: tf.Tensor4D;
    /** `[batch]`, int32. */
    labels: tf.Tensor1D;
  };
  /**
   * Only of a split that is not in memory: its images at `indices` (any order, repeats allowed; default all), there. What comes
   * is a split of just those, in their order: `(await split.load(indices)).batch([0, 1, …])`.
   *
   * @param signal stops reading
   * @throws KatlabError `invalid` for an index outside `[0, size)`, more than 4 GiB, or a file that cannot be decoded; the
   *   signal's reason when it is stopped
   */
  load?(indices?: ArrayLike<number>, signal?: AbortSignal): Promise<Split>;
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
  readonly #table: Float64Array;

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
    this.#table = normalisationTable(mean, std);
  }

  batch(indices: ArrayLike<number>): ReturnType<Split["batch"]> {
    mustBeIndices(indices, this.size);
    const pixels = bytesAt(this.images, this.shape, indices);
    const labels = Int32Array.from(indices, (index) => this.labels[index]);
    return {
      images: normalisedImages(pixels, [indices.length, ...this.shape], this.#table),
      labels: tf.tensor1d(labels, "int32"),
    };
  }

  take(n: number, random?: Random): ImageSplit {
    return this.#of(takenPlaces(this.labels, n, random));
  }

  /**
   * Sets a class-balanced part aside, as `take` draws it.
   *
   * @param n number of images to set aside, 1 to `size − 1`
   * @throws KatlabError `invalid` for another `n`
   */
  hold(n: number, random: Random): { train: ImageSplit; validation: ImageSplit } {
    const { train, validation } = heldPlaces(this.labels, n, random);
    return { train: this.#of(train), validation: this.#of(validation) };
  }

  /** The images at some places, as a split of their own. */
  #of(places: Int32Array): ImageSplit {
    const images = gatheredBytes(this.images, this.shape, places);
    return new ImageSplit({ ...this.#content, images, labels: places.map((index) => this.labels[index]) });
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
  mustBeStatistics(subject, channels, mean, std);
}
