import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SpreadSample } from "../../src/analysis/spreadSample.js";

describe("SpreadSample", () => {
  test("keeps everything that fits, in order, however it comes", () => {
    const sample = new SpreadSample(5, 5, 1);
    for (const part of [[1], [], [2, 3, 4], [5]]) sample.add(Float32Array.from(part));
    expect([...sample.values]).toEqual([1, 2, 3, 4, 5]);
  });

  test("of more, keeps every so manieth, from every place of a row", () => {
    const [rows, width] = [100, 6];
    const sample = new SpreadSample(rows * width, 150, width);
    for (let row = 0; row < rows; row++) sample.add(Float32Array.of(0, 1, 2, 3, 4, 5));
    expect(sample.values.length).toBeLessThanOrEqual(150);
    expect(sample.values.length).toBeGreaterThanOrEqual(100);
    const perPlace = [0, 1, 2, 3, 4, 5].map(
      (place) => sample.values.filter((value) => value === place).length,
    );
    expect(Math.max(...perPlace) - Math.min(...perPlace)).toBeLessThanOrEqual(1);
  });

  test("keeps the same however the stream is cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(20), { maxLength: 20 }),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 9 }),
        (lengths, most, period) => {
          const total = lengths.reduce((sum, length) => sum + length, 0);
          const values = Float32Array.from({ length: total }, (_, i) => i);
          const [whole, cut] = [0, 1].map(() => new SpreadSample(total, most, period));
          whole.add(values);
          let from = 0;
          for (const length of lengths) cut.add(values.subarray(from, (from += length)));
          expect([...cut.values]).toEqual([...whole.values]);
          expect(cut.values.length).toBeLessThanOrEqual(most);
        },
      ),
      { seed: 1 },
    );
  });
});
