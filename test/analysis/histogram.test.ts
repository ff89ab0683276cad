import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { histogramOf } from "../../src/analysis/histogram.js";

describe("histogramOf", () => {
  test("counts equal bins; the last one has its upper border", () => {
    expect(histogramOf(Float32Array.of(0, 0.5, 1, 1.5, 4), 4)).toEqual({
      edges: [0, 1, 2, 3, 4],
      counts: [2, 2, 0, 1],
    });
  });

  test("leaves single outliers out", () => {
    const values = Float32Array.from({ length: 4000 }, (_, i) => i / 4000);
    values[17] = 1e6;
    const { edges, counts } = histogramOf(values, 10);
    expect(edges[10]).toBeLessThanOrEqual(1);
    expect(counts.reduce((sum, count) => sum + count)).toBeGreaterThanOrEqual(0.998 * 4000 - 1);
  });

  test("one number everywhere has bins around it", () => {
    expect(histogramOf(Float32Array.of(2, 2, 2), 2)).toEqual({ edges: [1.5, 2, 2.5], counts: [0, 3] });
  });

  test("counts every value between its outermost edges", () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 }),
        fc.integer({ min: 1, max: 50 }),
        (list, bins) => {
          const values = Float32Array.from(list);
          const { edges, counts } = histogramOf(values, bins);
          const inside = values.filter((value) => value >= edges[0] && value <= edges[bins]);
          expect(counts.reduce((sum, count) => sum + count)).toBe(inside.length);
          expect(edges).toHaveLength(bins + 1);
        },
      ),
      { seed: 1 },
    );
  });
});
