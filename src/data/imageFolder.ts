import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { mustBe } from "../errors.js";
import { channelStatistics, type Dataset, ImageSplit } from "./dataset.js";
import { ImageDataset } from "./imageDataset.js";
import { type PartOptions, partsOf } from "./parts.js";

/** How a folder of pictures is read. */
export interface ImageFolderOptions extends PartOptions {
  /**
   * Height and width of the images in pixels. Pictures of another size are scaled until they cover the square, and its middle
   * is taken. Default: the size that all pictures have.
   */
  readonly size?: number;
  /** Name of the set; default the folder's. */
  readonly name?: string;
  /** So many pictures of each class at most, the first by name; default all. */
  readonly perClass?: number;
}

/** Pictures decoded at a time: sharp has threads of its own. */
const atATime = 32;
/** What Node can hold in one array. */
const mostBytes = 2 ** 32;
const pictures = /\.(jpe?g|png|webp)$/i;
/** What the second part of a set is called, in the order tried. */
const testFolders = ["test", "val"] as const;

interface Picture {
  readonly path: string;
  readonly label: number;
}

/**
 * Reads a set of pictures in folders, `train/<class>/….jpg` and `test/<class>/….jpg` (or `val/`), as ImageNet, Imagenette and
 * many others are laid out. Classes are the folders of `train` in alphabetical order; pictures come in the order of their
 * paths. Everything is decoded at once, to colour without transparency, and kept in memory: 3 bytes a pixel.
 *
 * @throws KatlabError `invalid` for a folder of another layout, a class that only one part has, pictures of different sizes
 *   without `size`, or one that cannot be decoded
 */
export async function imageFolder(folder: string, options: ImageFolderOptions = {}): Promise<Dataset> {
  const { size, perClass } = options;
  for (const [name, value] of Object.entries({ size, perClass })) {
    if (value === undefined || (Number.isInteger(value) && value >= 1)) continue;
    throw refused(folder, `${name} must be a whole number ≥ 1`, String(value), `Leave ${name} out.`);
  }
  const parts = await foldersIn(folder);
  const testFolder = testFolders.find((name) => parts.includes(name));
  if (!parts.includes("train") || testFolder === undefined) {
    throw refused(
      folder,
      "must hold the folders train and test (or val)",
      parts.length === 0 ? "no folders" : parts.join(", "),
      "Lay the pictures out as train/<class>/….jpg and test/<class>/….jpg.",
    );
  }
  const classes = await foldersIn(join(folder, "train"));
  const tested = await foldersIn(join(folder, testFolder));
  if (classes.length === 0 || String(classes) !== String(tested)) {
    throw refused(
      folder,
      `train and ${testFolder} must have the same classes, at least one`,
      `${classes.join(", ") || "none"} and ${tested.join(", ") || "none"}`,
      "Make a folder for each class in both.",
    );
  }
  const read = async (part: string): Promise<Decoded> =>
    decodeAll(await picturesIn(join(folder, part), classes, perClass), size);
  const train = await read("train");
  const test = await read(testFolder);
  if (train.shape[0] !== test.shape[0] || train.shape[1] !== test.shape[1]) {
    throw sizesDiffer(folder, train.shape, test.shape);
  }
  const { mean, std } = channelStatistics(train.images, 3);
  // A channel that never changes is centred only.
  const statistics = { mean, std: std.map((deviation) => (deviation > 0 ? deviation : 1)) };
  const whole = {
    train: new ImageSplit({ ...train, ...statistics }),
    test: new ImageSplit({ ...test, ...statistics }),
  };
  return new ImageDataset({
    name: options.name ?? basename(resolve(folder)),
    classes,
    ...partsOf(whole, options),
    ...statistics,
  });
}

interface Decoded {
  readonly images: Uint8Array;
  readonly labels: Int32Array;
  readonly shape: readonly [height: number, width: number, channels: number];
}

async function foldersIn(folder: string): Promise<string[]> {
  try {
    const names = (await readdir(folder)).sort();
    // Links to folders count: large sets are often put together of them.
    const isFolder = await Promise.all(
      names.map(async (name) => (await stat(join(folder, name))).isDirectory()),
    );
    return names.filter((_, i) => isFolder[i]);
  } catch (cause) {
    throw refused(
      folder,
      "must be a folder that can be read",
      cause instanceof Error ? cause.message : String(cause),
      "Check its path.",
    );
  }
}

async function picturesIn(
  folder: string,
  classes: readonly string[],
  perClass: number | undefined,
): Promise<Picture[]> {
  const found = await Promise.all(
    classes.map(async (name, label) => {
      const files = (await readdir(join(folder, name))).filter((file) => pictures.test(file)).sort();
      return files.slice(0, perClass).map((file) => ({ path: join(folder, name, file), label }));
    }),
  );
  const all = found.flat();
  if (all.length > 0) return all;
  throw refused(folder, "must hold pictures", "none", "They end in .jpg, .jpeg, .png or .webp.");
}

/** All pictures, one behind the other. */
async function decodeAll(list: readonly Picture[], size: number | undefined): Promise<Decoded> {
  if (size !== undefined) mustFit(list, 3 * size ** 2);
  const first = await decode(list[0].path, size);
  const shape = [first.height, first.width, 3] as const;
  const bytes = first.pixels.length;
  mustFit(list, bytes);
  const images = new Uint8Array(list.length * bytes);
  for (let from = 0; from < list.length; from += atATime) {
    const some = list.slice(from, from + atATime);
    await Promise.all(
      some.map(async ({ path }, i) => {
        const { pixels, height, width } = await decode(path, size);
        if (height !== shape[0] || width !== shape[1]) throw sizesDiffer(path, [height, width], shape);
        images.set(pixels, (from + i) * bytes);
      }),
    );
  }
  return { images, labels: Int32Array.from(list, ({ label }) => label), shape };
}

function mustFit(list: readonly Picture[], bytes: number): void {
  if (list.length * bytes <= mostBytes) return;
  throw refused(
    dirname(dirname(list[0].path)),
    `must fit into ${mostBytes / 2 ** 30} GiB when decoded`,
    `${list.length} pictures of ${bytes} bytes`,
    "Take a smaller size, or fewer pictures by perClass.",
  );
}

async function decode(
  path: string,
  size: number | undefined,
): Promise<{ pixels: Uint8Array; height: number; width: number }> {
  const { default: sharp } = await import("sharp");
  try {
    // Orientation tags are not followed, as other loaders of ImageNet do not.
    const picture = sharp(path).removeAlpha().toColourspace("srgb");
    const fitted = size === undefined ? picture : picture.resize(size, size, { fit: "cover" });
    const { data, info } = await fitted.raw().toBuffer({ resolveWithObject: true });
    return { pixels: data, height: info.height, width: info.width };
  } catch (cause) {
    throw refused(
      path,
      "must be a picture that can be decoded",
      cause instanceof Error ? cause.message : String(cause),
      "Replace the file, or take it away.",
    );
  }
}

function sizesDiffer(
  subject: string,
  [height, width]: readonly number[],
  [wantedHeight, wantedWidth]: readonly number[],
): Error {
  return refused(
    subject,
    `all pictures must have one size, ${wantedHeight} × ${wantedWidth} like the first`,
    `${height} × ${width}`,
    "Give a size, to which all are scaled.",
  );
}

function refused(where: string, must: string, got: string, remedy: string): Error {
  return mustBe({ subject: `imageFolder ${where}`, must, got, remedy });
}
