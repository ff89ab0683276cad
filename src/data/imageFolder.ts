import { createHash } from "node:crypto";
import { basename, dirname, join, resolve } from "node:path";
import { sizeOf } from "../shape.js";
import { cacheFolder } from "./cacheFolder.js";
import { channelStatistics, type Dataset, ImageSplit } from "./dataset.js";
import { decodedFile, digestOf } from "./decodedFile.js";
import { decodedPictures, sizesDiffer } from "./decodedPictures.js";
import { ImageDataset } from "./imageDataset.js";
import { imageFolderFault } from "./imageFolderFault.js";
import { listPictures, type Picture } from "./listPictures.js";
import { type DivisibleSplit, type PartOptions, partsOf } from "./parts.js";
import { mostBytes, type PixelSource, readPixels } from "./pixelSource.js";
import { StreamedSplit } from "./streamedSplit.js";

/** How a folder of pictures is read. */
export interface ImageFolderOptions extends PartOptions {
  /**
   * Height and width of the images in pixels. Pictures of another size are scaled until they cover the square, and its middle
   * is taken. Default: the size that all pictures have.
   *
   * Augmentation starts from these images. Where ImageNet's recipes cut a random part out of the picture as it is and scale
   * that, here the part is cut out of the image of this size: less of the picture's border is ever seen, and small parts are
   * scaled up from fewer pixels. A size above the model's, 256 for 224, lessens both.
   */
  readonly size?: number;
  /** Name of the set; default the folder's. */
  readonly name?: string;
  /** So many pictures of each class at most, the first by name; default all. */
  readonly perClass?: number;
  /**
   * Whether pictures are decoded as they are needed, some batches ahead of a run, rather than all at once. Default: for each
   * part, whether it takes more than 4 GiB decoded.
   */
  readonly streamed?: boolean;
  /**
   * Keeps the decoded pictures in a file for each part, 3 bytes a pixel, in this folder, or by `true` under
   * `$XDG_CACHE_HOME/katlab` or `~/.cache/katlab`. It is made again when pictures, `size` or the decoder have changed. Default
   * false.
   */
  readonly cache?: boolean | string;
  /**
   * Mean and standard deviation of each channel, pixels scaled to 0…1, by which images are normalised. Default: those of all
   * training pictures, or, where they are streamed, of 1,024 evenly spread among them.
   */
  readonly statistics?: {
    /** Red, green, blue. */
    readonly mean: readonly number[];
    /** Red, green, blue; above 0. */
    readonly std: readonly number[];
  };
}

/** Pictures that stand for all where not all are looked at, and the bytes they may take. */
const sample = { pictures: 1024, bytes: 2 ** 28 } as const;

/**
 * Reads a set of pictures in folders, `train/<class>/….jpg` and `test/<class>/….jpg` (or `val/`), as ImageNet, Imagenette and
 * many others are laid out. Classes are the folders of `train` in alphabetical order; pictures come in the order of their
 * paths. Pictures are decoded by sharp, to colour without transparency: all at once, and kept in memory at 3 bytes a pixel, or,
 * where that is too much, as they are needed (`streamed`).
 *
 * @throws KatlabError `invalid` for a folder of another layout, a class that only one part has, pictures of different sizes
 *   without `size`, or one that cannot be decoded, which of streamed ones only turns out when they are used
 */
export async function imageFolder(folder: string, options: ImageFolderOptions = {}): Promise<Dataset> {
  const { size, perClass } = options;
  for (const [name, value] of Object.entries({ size, perClass })) {
    if (value === undefined || (Number.isInteger(value) && value >= 1)) continue;
    throw imageFolderFault(folder, `${name} must be a whole number ≥ 1`, String(value), `Leave ${name} out.`);
  }
  const { classes, folders, ...listed } = await listPictures(folder, perClass);
  const train = await readPart(folders.train, listed.train, options);
  const test = await readPart(folders.test, listed.test, options);
  const [shape, other] = [train.source.shape, test.source.shape];
  if (shape[0] !== other[0] || shape[1] !== other[1]) throw sizesDiffer(folder, other, shape);
  const statistics = options.statistics ?? (await statisticsOf(train));
  const split = (part: Part): DivisibleSplit => splitOf(part, statistics);
  return new ImageDataset({
    name: options.name ?? basename(resolve(folder)),
    classes,
    ...partsOf({ train: split(train), test: split(test) }, options),
    ...statistics,
  });
}

/** Training or test pictures. */
interface Part {
  readonly source: PixelSource;
  readonly labels: Int32Array;
  /** Where all are in memory. */
  readonly images?: Uint8Array;
}

async function readPart(
  folder: string,
  pictures: readonly Picture[],
  { size, streamed, cache = false }: ImageFolderOptions,
): Promise<Part> {
  const isStreamed = (from: PixelSource): boolean => streamed ?? from.count * sizeOf(from.shape) > mostBytes;
  const decode = (): Promise<PixelSource> => decodedPictures(folder, pictures, size);
  let source: PixelSource;
  if (cache === false) source = await decode();
  else {
    const path = join(
      cache === true ? cacheFolder("data", "decoded") : cache,
      fileNameOf(folder, pictures.length, size),
    );
    source = await decodedFile(path, {
      digest: await digestOf(pictures, size),
      decode,
      mustCheck: (file) => !isStreamed(file),
    });
  }
  const labels = Int32Array.from(pictures, ({ label }) => label);
  if (isStreamed(source)) return { source, labels };
  return {
    source,
    labels,
    images: await readPixels(
      source,
      labels.map((_, i) => i),
    ),
  };
}

/** A name that folders, sizes and numbers do not share; what is inside is told by its digest. */
function fileNameOf(folder: string, count: number, size: number | undefined): string {
  const key = createHash("sha256").update(JSON.stringify([resolve(folder), count, size ?? null]));
  return `${basename(dirname(resolve(folder)))}-${basename(folder)}-${key.digest("hex").slice(0, 16)}.pixels`;
}

async function statisticsOf({ source, images }: Part): Promise<{ mean: number[]; std: number[] }> {
  const { mean, std } = channelStatistics(images ?? (await sampled(source)), 3);
  // A channel that never changes is centred only.
  return { mean, std: std.map((deviation) => (deviation > 0 ? deviation : 1)) };
}

async function sampled(source: PixelSource): Promise<Uint8Array> {
  const most = Math.max(1, Math.min(sample.pictures, Math.floor(sample.bytes / sizeOf(source.shape))));
  const count = Math.min(most, source.count);
  return readPixels(
    source,
    Int32Array.from({ length: count }, (_, i) => Math.floor((i * source.count) / count)),
  );
}

function splitOf(
  { source, labels, images }: Part,
  statistics: { readonly mean: readonly number[]; readonly std: readonly number[] },
): DivisibleSplit {
  if (images !== undefined) return new ImageSplit({ images, labels, shape: source.shape, ...statistics });
  return new StreamedSplit({ source, places: labels.map((_, i) => i), labels, ...statistics });
}
