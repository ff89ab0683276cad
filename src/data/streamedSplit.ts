import { mustBe } from "../errors.js";
import type { Random } from "../random.js";
import { heldPlaces, takenPlaces } from "./balanced.js";
import { ImageSplit, type Split } from "./dataset.js";
import { mustBeIndices, mustBeStatistics } from "./normalisedImages.js";
import { type PixelSource, readPixels } from "./pixelSource.js";

/** What a {@link StreamedSplit} is made of. */
export interface StreamedSplitContent {
  /** Where pixels come from. */
  readonly source: PixelSource;
  /** Which pictures of the source are the split's, `[size]`. */
  readonly places: Int32Array;
  /** Class of each image, `[size]`. */
  readonly labels: Int32Array;
  /** By channel, pixels scaled to 0…1. */
  readonly mean: readonly number[];
  /** By channel, pixels scaled to 0…1; not zero. */
  readonly std: readonly number[];
}

/** A {@link Split} that is not in memory: `load` brings images there. */
export class StreamedSplit implements Split {
  readonly size: number;
  readonly labels: Int32Array;
  readonly shape: readonly [height: number, width: number, channels: number];
  readonly black: readonly number[];
  readonly #content: StreamedSplitContent;

  constructor(content: StreamedSplitContent) {
    const { labels, mean, std, source } = content;
    mustBeStatistics("StreamedSplit", source.shape[2], mean, std);
    this.#content = content;
    this.size = labels.length;
    this.labels = labels;
    this.shape = source.shape;
    this.black = mean.map((center, channel) => -center / std[channel]);
  }

  /** @throws KatlabError `invalid`: they are not in memory */
  get images(): Uint8Array {
    throw this.#notInMemory("images");
  }

  /** @throws KatlabError `invalid`: they are not in memory */
  batch(): never {
    throw this.#notInMemory("batch");
  }

  async load(indices?: ArrayLike<number>, signal?: AbortSignal): Promise<ImageSplit> {
    if (indices !== undefined) mustBeIndices(indices, this.size);
    const { source, places, labels, mean, std } = this.#content;
    const chosen = (all: Int32Array): Int32Array =>
      indices === undefined ? all : Int32Array.from(indices, (index) => all[index]);
    const images = await readPixels(source, chosen(places), signal);
    return new ImageSplit({ images, labels: chosen(labels), shape: this.shape, mean, std });
  }

  take(n: number, random?: Random): StreamedSplit {
    return this.#of(takenPlaces(this.labels, n, random));
  }

  /** Sets a class-balanced part aside, as `ImageSplit.hold` does. */
  hold(n: number, random: Random): { train: StreamedSplit; validation: StreamedSplit } {
    const { train, validation } = heldPlaces(this.labels, n, random);
    return { train: this.#of(train), validation: this.#of(validation) };
  }

  #of(chosen: Int32Array): StreamedSplit {
    const { places, labels, ...rest } = this.#content;
    const of = (all: Int32Array): Int32Array => chosen.map((index) => all[index]);
    return new StreamedSplit({ ...rest, places: of(places), labels: of(labels) });
  }

  #notInMemory(subject: string): Error {
    return mustBe({
      subject,
      must: "images must be in memory",
      got: `a part of ${this.#content.source.name} that is read as it is needed`,
      remedy:
        "Load some first: (await split.load([0, 1, 2])).batch([0, 1, 2]), or (await split.take(500).load()).images.",
    });
  }
}
