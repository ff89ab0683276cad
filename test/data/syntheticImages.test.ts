import { describe, expect, test } from "vitest";
import type { Split } from "../../src/data/dataset.js";
import { syntheticImages } from "../../src/data/syntheticImages.js";

function nearestPrototype(split: Split, prototypes: Uint8Array, index: number): number {
  const pixels = split.images.length / split.size;
  let best = -1;
  let least = Number.POSITIVE_INFINITY;
  for (let label = 0; label < prototypes.length / pixels; label++) {
    let distance = 0;
    for (let p = 0; p < pixels; p++) {
      distance += (split.images[index * pixels + p] - prototypes[label * pixels + p]) ** 2;
    }
    if (distance < least) [best, least] = [label, distance];
  }
  return best;
}

describe("syntheticImages", () => {
  test.each([
    { classes: 10, size: 200 },
    { classes: 3, size: 50, shape: [8, 6, 3] as const },
    { classes: 10, size: 200, noise: 0.5, seed: 3 },
  ])("the nearest prototype names every class: %o", (options) => {
    const { train, test: held, prototypes } = syntheticImages(options);
    for (const split of [train, held]) {
      const named = Array.from({ length: split.size }, (_, i) => nearestPrototype(split, prototypes, i));
      expect(named).toEqual([...split.labels]);
    }
  });

  test("class counts differ by at most one", () => {
    const { train, test: held } = syntheticImages({ classes: 7, size: 100 });
    expect(held.size).toBe(25);
    for (const split of [train, held]) {
      const counts = Array.from({ length: 7 }, (_, c) => split.labels.filter((label) => label === c).length);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }
  });

  test("patterns are half of white apart", () => {
    const { prototypes } = syntheticImages({ classes: 10, size: 10 });
    for (let a = 0; a < 10; a++) {
      for (let b = 0; b < a; b++) {
        let squares = 0;
        for (let p = 0; p < 784; p++) squares += (prototypes[a * 784 + p] - prototypes[b * 784 + p]) ** 2;
        expect(Math.sqrt(squares / 784) / 255).toBeCloseTo(0.5, 2);
      }
    }
  });

  test("the same seed gives the same bytes, and more training images leave the test images as they are", () => {
    const few = syntheticImages({ size: 20, testSize: 10, seed: 1 });
    const again = syntheticImages({ size: 20, testSize: 10, seed: 1 });
    const many = syntheticImages({ size: 40, testSize: 10, seed: 1 });
    const other = syntheticImages({ size: 20, testSize: 10, seed: 2 });
    expect(again.train.images).toEqual(few.train.images);
    expect(many.test.images).toEqual(few.test.images);
    expect(other.train.images).not.toEqual(few.train.images);
  });

  test.each([{ classes: 1 }, { size: 0 }, { testSize: 1.5 }, { shape: [0, 4, 1] as const }])(
    "rejects %o",
    (options) => {
      expect(() => syntheticImages(options)).toThrow(/^syntheticImages: .* must be a positive integer/);
    },
  );

  test("rejects more classes than there are waves", () => {
    expect(() => syntheticImages({ classes: 5, shape: [3, 3, 1] })).toThrow(
      "classes must be at most 4 for images of 3 × 3; got 5",
    );
  });
});
