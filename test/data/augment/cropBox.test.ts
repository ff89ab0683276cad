import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { drawCropBox } from "../../../src/data/augment/cropBox.js";
import { Random } from "../../../src/random.js";
import { golden } from "./golden.js";

describe("drawCropBox", () => {
  test("draws areas and ratios as torchvision does", () => {
    for (const { size, scale, ratio, count, area, aspect } of golden.boxes) {
      const [height, width] = size;
      const random = new Random(1);
      const boxes = Array.from({ length: count }, () => drawCropBox(height, width, { scale, ratio }, random));
      // Two samples of one distribution differ by less than this in all but one case of 10⁴ (Kolmogorov and Smirnov).
      const bound = Math.sqrt(Math.log(2 / 1e-4) / count);
      const expectDeciles = (own: number[], deciles: readonly number[]): void => {
        const share = (isBelow: (value: number) => boolean): number => own.filter(isBelow).length / count;
        deciles.forEach((decile, i) => {
          // Boxes are whole pixels, so that many are exactly at a decile.
          expect(share((value) => value < decile + 1e-9)).toBeGreaterThan((i + 1) / 10 - bound);
          expect(share((value) => value < decile - 1e-9)).toBeLessThan((i + 1) / 10 + bound);
        });
      };
      expectDeciles(
        boxes.map((box) => (box.height * box.width) / (height * width)),
        area,
      );
      expectDeciles(
        boxes.map((box) => Math.log(box.width / box.height)),
        aspect,
      );
    }
  });

  test("is inside the image, of a size above 0", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer(),
        (height, width, seed) => {
          const ranges = { scale: [0.08, 1], ratio: [3 / 4, 4 / 3] } as const;
          const box = drawCropBox(height, width, ranges, new Random(seed));
          return (
            box.height >= 1 &&
            box.width >= 1 &&
            box.top >= 0 &&
            box.left >= 0 &&
            box.top + box.height <= height &&
            box.left + box.width <= width
          );
        },
      ),
    );
  });

  test("after ten misses is the middle, as large as the range of ratios lets it", () => {
    const whole = { scale: [1, 1], ratio: [3 / 4, 4 / 3] } as const;
    const box = (height: number, width: number): object => drawCropBox(height, width, whole, new Random(1));
    expect(box(10, 40)).toEqual({ top: 0, left: 13, height: 10, width: 13 });
    expect(box(40, 12)).toEqual({ top: 12, left: 0, height: 16, width: 12 });
    const never = { scale: [4, 4], ratio: [3 / 4, 4 / 3] } as const;
    expect(drawCropBox(10, 12, never, new Random(1))).toEqual({ top: 0, left: 0, height: 10, width: 12 });
  });
});
