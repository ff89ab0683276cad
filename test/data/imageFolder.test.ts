import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
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
    await expect(imageFolder(folder, { size: 30_000 })).rejects.toThrow(
      /train: must fit into 4 GiB when decoded; got 3 pictures of 2700000000 bytes/,
    );
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
