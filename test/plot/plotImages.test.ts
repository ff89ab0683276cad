import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { KatlabError } from "../../src/errors.js";
import { plotImages, type LabelledImages } from "../../src/plot/plotImages.js";
import { at } from "./chartData.js";
import { sampleClasses, sampleImages } from "./samples.js";

interface Cell {
  x: number;
  y: number;
  image: string;
  first: string;
  second: string;
  verdict: string;
}

function cellsOf(set: LabelledImages, options?: Parameters<typeof plotImages>[1]): Cell[] {
  return at(plotImages(set, options).spec, "data.values") as Cell[];
}

test("holds the pixels as they are", async () => {
  const set = sampleImages(3);
  for (const [i, { image }] of cellsOf(set).entries()) {
    const bytes = Buffer.from(image.replace("data:image/png;base64,", ""), "base64");
    const { data } = await sharp(bytes).toColourspace("b-w").raw().toBuffer({ resolveWithObject: true });
    expect([...data]).toEqual([...set.images.subarray(i * 784, (i + 1) * 784)]);
  }
});

test("lays images out row by row", () => {
  const cells = cellsOf(sampleImages(5), { columns: 2 });
  const { cell, step } = { cell: cells[1].x, step: cells[2].y };
  expect(cells.map(({ x, y }) => [x / cell, y / step])).toEqual([
    [0, 0],
    [1, 0],
    [0, 1],
    [1, 1],
    [0, 2],
  ]);
});

test("without predictions, the class stands under each image", () => {
  const { images, shape, labels, classes } = sampleImages(3);
  const cells = cellsOf({ images, shape, labels, classes });
  expect(cells.map(({ first, second, verdict }) => [first, second, verdict])).toEqual([
    ["class no. 0", "", "unknown"],
    ["class no. 1", "", "unknown"],
    ["class no. 2", "", "unknown"],
  ]);
});

test("marks right and wrong predictions in words, and the wrong ones with a frame", () => {
  const figure = plotImages(sampleImages(3));
  const cells = at(figure.spec, "data.values") as Cell[];
  expect(cells.map(({ first, second, verdict }) => [first, second, verdict])).toEqual([
    ["✓ class no. 0", "", "right"],
    ["✓ class no. 1", "", "right"],
    ["✗ class no. 3", "is class no. 2", "wrong"],
  ]);
  expect(at(figure.spec, "layer.1.transform.0.filter")).toBe("datum.verdict === 'wrong'");
  expect(at(figure.spec, "layer.1.mark.type")).toBe("rect");
  expect(figure.text).toBe(
    "Images: 3 images · 66.7 % right · red frames mark wrong predictions\n" +
      "✓ class no. 0                   ✓ class no. 1                   ✗ class no. 3 (is class no. 2)",
  );
});

test("shows the first images of many, and counts all", () => {
  const figure = plotImages(sampleImages(40), { limit: 10, title: "Test images" });
  expect(at(figure.spec, "data.values")).toHaveLength(10);
  expect(figure.text).toMatch(/^Test images: the first 10 of 40 images · 67\.5 % right/);
});

test("cuts names that are too long for their cell, but not in the text", () => {
  const name = "a class with a name that nobody would ever want to read";
  const { images, shape, labels } = sampleImages(1);
  const set = { images, shape, labels, classes: [name] };
  expect(cellsOf(set)[0].first).toMatch(/^a class with .*…$/);
  expect(plotImages(set).text).toContain(name);
});

test("draws oblong and coloured images in their proportion", () => {
  const images = new Uint8Array(2 * 16 * 32 * 3).fill(200);
  const { spec } = plotImages({ images, shape: [16, 32, 3], labels: [0, 1], classes: sampleClasses });
  const { width, height } = at(spec, "layer.0.mark") as { width: number; height: number };
  expect(width / height).toBe(2);
});

describe("refuses", () => {
  const good = sampleImages(4);
  test.each<[string, Partial<LabelledImages>, RegExp]>([
    ["no image", { labels: [], images: new Uint8Array() }, /at least one image/],
    [
      "pixels that do not fill the images",
      { images: new Uint8Array(5) },
      /images must have 3136 entries; got 5/,
    ],
    [
      "channels that are no colours",
      { shape: [28, 14, 5], images: new Uint8Array(4 * 28 * 14 * 5) },
      /1 to 4 channels; got 5/,
    ],
    ["predictions of other images", { predictions: [1] }, /predictions must have 4 entries; got 1/],
    [
      "labels without a class",
      { labels: [0, 1, 10, 2] },
      /labels must hold class indices from 0 to 9; got 10 at index 2/,
    ],
    [
      "predictions without a class",
      { predictions: [0, -1, 0, 0] },
      /predictions must hold class indices .* got -1 at index 1/,
    ],
    ["labels that are no numbers", { labels: [0, NaN, 1, 2] }, /got NaN at index 1/],
  ])("%s", (_, change, message) => {
    expect(() => plotImages({ ...good, ...change })).toThrow(KatlabError);
    expect(() => plotImages({ ...good, ...change })).toThrow(message);
  });

  test("more columns than fit", () => {
    expect(() => plotImages(good, { columns: 13 })).toThrow(
      /columns must be a whole number from 1 to 12; got 13/,
    );
    expect(() => plotImages(good, { limit: 0 })).toThrow(/limit must be a whole number from 1 to 96; got 0/);
  });
});
