import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Crop, drawCrops, resizedCrop } from "../../../src/data/augment/resizedCrop.js";
import { linear, resizingCubic } from "../../../src/data/augment/interpolation.js";
import { useEngine } from "../../../src/engine.js";
import { Random } from "../../../src/random.js";
import { onEveryEngine } from "../../presentEngines.js";
import { golden, largestError, pictures } from "./golden.js";

/** Two passes of four products and sums each, on values up to 1.3 where the cubic overshoots, and as much by torchvision. */
const tolerance = 2 * 2 * 8 * 1.3 * 2 ** -24;

onEveryEngine("resizedCrop", ({ options }) => {
  let before: number;
  beforeEach(async () => {
    await useEngine(options);
    before = tf.memory().numTensors;
  });
  afterEach(() => {
    expect(tf.memory().numTensors).toBe(before);
  });

  const cropOf = ({ box, cubic, flipped }: (typeof golden.crops)[number]): Crop => {
    const [top, left, height, width] = box;
    return { box: { top, left, height, width }, interpolation: cubic ? resizingCubic : linear, flipped };
  };

  test("is torchvision's, bilinear and bicubic, mirrored and not, in one batch and in several", () => {
    tf.tidy(() => {
      const { crops } = golden;
      const images = pictures(crops.map(({ image }) => image));
      const all = resizedCrop(images, crops.map(cropOf));
      crops.forEach(({ values }, i) => {
        expect(largestError(tf.slice(all, i, 1), values)).toBeLessThan(tolerance);
      });
      for (const crop of crops) {
        const image = pictures([crop.image]);
        expect(largestError(resizedCrop(image, [cropOf(crop)]), crop.values)).toBeLessThan(tolerance);
      }
    });
  });

  test("of the whole image is the image", () => {
    tf.tidy(() => {
      const images = pictures([0, 1]);
      const [, height, width] = images.shape;
      const box = { top: 0, left: 0, height, width };
      const crops = [linear, resizingCubic].map((interpolation) => ({ box, interpolation, flipped: false }));
      expect(resizedCrop(images, crops).dataSync()).toEqual(images.dataSync());
    });
  });
});

test("drawCrops mirrors and interpolates as often as asked for", () => {
  const ranges = { scale: [0.08, 1], ratio: [3 / 4, 4 / 3] } as const;
  const draw = (flip: number, interpolation: "bilinear" | "bicubic" | "random"): Crop[] =>
    drawCrops([1000, 8, 8], { ranges, flip, interpolation }, new Random(1));
  const count = (crops: Crop[], is: (crop: Crop) => boolean): number => crops.filter(is).length;
  const isFlipped = ({ flipped }: Crop): boolean => flipped;
  const isCubic = ({ interpolation }: Crop): boolean => interpolation === resizingCubic;
  expect(count(draw(0, "bilinear"), isFlipped)).toBe(0);
  expect(count(draw(1, "bilinear"), isFlipped)).toBe(1000);
  expect(count(draw(0, "bilinear"), isCubic)).toBe(0);
  expect(count(draw(0, "bicubic"), isCubic)).toBe(1000);
  const fiveSigma = 5 * Math.sqrt(250);
  expect(Math.abs(count(draw(0.5, "random"), isCubic) - 500)).toBeLessThan(fiveSigma);
  expect(Math.abs(count(draw(0.5, "random"), isFlipped) - 500)).toBeLessThan(fiveSigma);
});
