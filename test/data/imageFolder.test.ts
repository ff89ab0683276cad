import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { imageFolder } from "../../src/data/imageFolder.js";
import { KatlabError } from "../../src/errors.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "katlab-pictures-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

type Colour = readonly [number, number, number];
const [red, blue, white]: Colour[] = [
  [255, 0, 0],
  [0, 0, 255],
  [255, 255, 255],
];

/** A picture of one colour. */
async function picture(path: string, [r, g, b]: Colour, width = 4, height = 3): Promise<void> {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  await sharp({ create: { width, height, channels: 3, background: { r, g, b } } }).toFile(file);
}

async function twoClasses(): Promise<void> {
  await picture("train/cat/b.png", red);
  await picture("train/cat/a.png", white);
  await picture("train/dog/a.png", blue);
  await picture("test/cat/a.png", red);
  await picture("test/dog/a.png", blue);
  writeFileSync(join(folder, "train/dog/notes.txt"), "not a picture");
}

describe("imageFolder", () => {
  test("reads classes and pictures in the order of their names", async () => {
    await twoClasses();
    const data = await imageFolder(folder, { name: "pets" });
    expect([data.name, data.classes]).toEqual(["pets", ["cat", "dog"]]);
    expect([...data.train.labels]).toEqual([0, 0, 1]);
    expect(data.train.shape).toEqual([3, 4, 3]);
    const firstPixels = [0, 1, 2].map((i) => [...data.train.images.subarray(36 * i, 36 * i + 3)]);
    expect(firstPixels).toEqual([white, red, blue]);
    // Two of three are bright in red.
    expect(data.mean[0]).toBeCloseTo(2 / 3, 12);
    expect(String(data)).toContain("pets: 3 training and 2 test images, 3 × 4 × 3");
  });

  test("takes JPEGs, grey ones and those with transparency too, and `val` for `test`", async () => {
    await picture("train/one/a.jpg", red, 16, 16);
    await picture("val/one/a.jpeg", red, 16, 16);
    await sharp(Buffer.alloc(256, 100), { raw: { width: 16, height: 16, channels: 1 } })
      .png()
      .toFile(join(folder, "train/one/grey.png"));
    await sharp({
      create: { width: 16, height: 16, channels: 4, background: { r: 1, g: 2, b: 3, alpha: 1 } },
    })
      .png()
      .toFile(join(folder, "train/one/transparent.png"));
    const { train, test } = await imageFolder(folder);
    expect([train.size, test.size]).toEqual([3, 1]);
    expect([...train.images.subarray(768, 771)]).toEqual([100, 100, 100]);
    expect([...train.images.subarray(2 * 768, 2 * 768 + 3)]).toEqual([1, 2, 3]);
  });

  test("scales to a size, and keeps the middle", async () => {
    await twoClasses();
    await picture("train/cat/wide.png", red, 9, 3);
    const { train } = await imageFolder(folder, { size: 2 });
    expect(train.shape).toEqual([2, 2, 3]);
    expect(train.size).toBe(4);
  });

  test("can take a few of each class", async () => {
    await twoClasses();
    expect([...(await imageFolder(folder, { perClass: 1 })).train.labels]).toEqual([0, 1]);
  });

  test("follows links to folders", async () => {
    await twoClasses();
    for (const part of ["train", "test"])
      symlinkSync(join(folder, part, "cat"), join(folder, part, "kitten"));
    expect((await imageFolder(folder)).classes).toEqual(["cat", "dog", "kitten"]);
  });

  test("refuses what does not fit into memory before it decodes all of it", async () => {
    await twoClasses();
    await expect(imageFolder(folder, { size: 30_000, streamed: false })).rejects.toThrow(
      /train: must fit into 4 GiB when decoded; got 3 pictures of 2700000000 bytes/,
    );
  });

  test("streams the same images, and normalises them by the statistics of some", async () => {
    await twoClasses();
    await picture("train/dog/b.png", white);
    const [whole, streamed] = [await imageFolder(folder), await imageFolder(folder, { streamed: true })];
    expect([streamed.mean, streamed.std, streamed.toString()]).toEqual([
      whole.mean,
      whole.std,
      whole.toString(),
    ]);
    for (const part of ["train", "test"] as const) {
      const loaded = await streamed[part].load?.();
      expect(loaded?.images).toEqual(whole[part].images);
      expect(loaded?.labels).toEqual(whole[part].labels);
      expect("load" in whole[part]).toBe(false);
    }
    const parts = { limit: { train: 3, seed: 1 }, validation: 1 } as const;
    const [own, other] = [
      await imageFolder(folder, parts),
      await imageFolder(folder, { ...parts, streamed: true }),
    ];
    expect((await other.validation?.load?.())?.images).toEqual(own.validation?.images);
    expect((await other.train.load?.())?.images).toEqual(own.train.images);
  });

  test("streamed pictures that are broken or of another size are told when they are needed", async () => {
    await twoClasses();
    await picture("train/cat/y.png", red, 5, 3);
    writeFileSync(join(folder, "train/cat/z.png"), "broken");
    const statistics = { mean: [0, 0, 0], std: [1, 1, 1] };
    const { train, mean } = await imageFolder(folder, { streamed: true, statistics });
    expect([train.size, mean]).toEqual([5, [0, 0, 0]]);
    expect((await train.load?.([0, 1, 4]))?.size).toBe(3);
    await expect(train.load?.([0, 2])).rejects.toThrow(/y\.png: all pictures must have one size, 3 × 4/);
    await expect(train.load?.([3])).rejects.toThrow(/z\.png: must be a picture that can be decoded/);
  });

  test.each([false, true])("keeps decoded pictures in a file, streamed %s", async (streamed) => {
    await twoClasses();
    const cache = join(folder, "cache");
    const all = async (): Promise<unknown> => {
      const { train, test, mean } = await imageFolder(folder, { cache, streamed, size: 2 });
      const images = async (part: typeof train): Promise<unknown> => ((await part.load?.()) ?? part).images;
      return [await images(train), await images(test), mean];
    };
    const { train, test, mean } = await imageFolder(folder, { size: 2 });
    const wanted = [train.images, test.images, mean];
    expect(await all()).toEqual(wanted);
    const files = readdirSync(cache).sort();
    expect(files).toEqual([expect.stringMatching(/-test-\w{16}\.pixels$/), expect.stringMatching(/-train-/)]);
    const made = files.map((file) => statSync(join(cache, file)).mtimeMs);
    expect(await all()).toEqual(wanted);
    expect(files.map((file) => statSync(join(cache, file)).mtimeMs)).toEqual(made);
    await picture("train/cat/b.png", [9, 9, 9]);
    expect(await all()).not.toEqual(wanted);
    expect(readdirSync(cache).sort()).toEqual(files);
  });

  test("by default keeps them under the user's cache folder", async () => {
    await twoClasses();
    vi.stubEnv("XDG_CACHE_HOME", join(folder, "home"));
    await imageFolder(folder, { cache: true });
    vi.unstubAllEnvs();
    expect(readdirSync(join(folder, "home/katlab/data/decoded"))).toHaveLength(2);
  });

  test("draws what is set aside by a seed of its own", async () => {
    for (let i = 0; i < 12; i++) await picture(`train/one/${i}.png`, [i, 0, 0]);
    await picture("test/one/0.png", red);
    const held = async (validation: number | { count: number; seed?: number }): Promise<number[]> => {
      const { validation: part } = await imageFolder(folder, { validation });
      return [...(part?.images ?? [])].filter((_, i) => i % 36 === 0);
    };
    expect(await held({ count: 4 })).toEqual(await held(4));
    expect(await held({ count: 4, seed: 0 })).toEqual(await held(4));
    expect(await held({ count: 4, seed: 1 })).not.toEqual(await held(4));
    expect(await held({ count: 4, seed: 1 })).toHaveLength(4);
  });

  test("sets some aside", async () => {
    await twoClasses();
    await picture("train/dog/b.png", white);
    const { train, validation } = await imageFolder(folder, { validation: 2 });
    expect([...train.labels].sort()).toEqual([0, 1]);
    expect([...(validation?.labels ?? [])].sort()).toEqual([0, 1]);
  });

  test("says what is wrong", async () => {
    const reading = (): Promise<unknown> => imageFolder(folder);
    await expect(reading()).rejects.toThrow(KatlabError);
    await expect(reading()).rejects.toThrow(
      /must hold the folders train and test \(or val\); got no folders/,
    );
    await expect(imageFolder(join(folder, "none"))).rejects.toThrow(/must be a folder that can be read/);
    await twoClasses();
    await expect(imageFolder(folder, { perClass: 0 })).rejects.toThrow(
      /perClass must be a whole number ≥ 1; got 0/,
    );
    await picture("train/cat/z.png", red, 5, 3);
    await expect(reading()).rejects.toThrow(/z\.png: all pictures must have one size, 3 × 4 .*; got 3 × 5/);
    writeFileSync(join(folder, "train/cat/z.png"), "broken");
    await expect(reading()).rejects.toThrow(/z\.png: must be a picture that can be decoded/);
    rmSync(join(folder, "train/cat/z.png"));
    await picture("test/bird/a.png", red);
    await expect(reading()).rejects.toThrow(
      /must have the same classes, at least one; got cat, dog and bird, cat, dog/,
    );
  });
});

const cifar = join(process.env["KATLAB_DATA"] ?? "", "cifar10-jpeg");
test.skipIf(!existsSync(join(cifar, "train")))("cifar10-jpeg, where KATLAB_DATA has it", async () => {
  const { train, test, classes } = await imageFolder(cifar, { perClass: 20 });
  expect([train.size, test.size, classes.length]).toEqual([200, 200, 10]);
  expect(train.shape).toEqual([32, 32, 3]);
});
