import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { envelope, everyNth, simplify } from "../../src/plot/thinning.js";

const value = fc.double({ min: -1e3, max: 1e3, noNaN: true });

describe("envelope", () => {
  test("keeps the lowest, the highest and the last value, in order and in number", () => {
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 500 }),
        fc.integer({ min: 4, max: 100 }),
        (values, most) => {
          const kept = envelope(values, most);
          expect(kept).toEqual([...new Set(kept)].sort((a, b) => a - b));
          expect(kept.length).toBeLessThanOrEqual(most + 1);
          expect(kept.at(-1)).toBe(values.length - 1);
          expect(Math.max(...kept.map((i) => values[i]))).toBe(Math.max(...values));
          expect(Math.min(...kept.map((i) => values[i]))).toBe(Math.min(...values));
        },
      ),
    );
  });

  test("skips values that are not finite, unless a stretch holds nothing else", () => {
    const values = [1, NaN, 3, 2, NaN, NaN, NaN, NaN, 5, Infinity, 6, 7];
    expect(envelope(values, 6)).toEqual([0, 2, 4, 8, 11]);
  });
});

test("everyNth keeps equal distances, and the ends", () => {
  expect(everyNth(5, 10)).toEqual([0, 1, 2, 3, 4]);
  expect(everyNth(10, 4)).toEqual([0, 3, 6, 9]);
  expect(everyNth(11, 4)).toEqual([0, 3, 6, 9, 10]);
  expect(everyNth(0, 4)).toEqual([]);
});

describe("simplify", () => {
  test("misses no dropped point by more than the tolerance", () => {
    const points = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), value), {
      minLength: 2,
      maxLength: 100,
    });
    fc.assert(
      fc.property(points, fc.double({ min: 0, max: 100, noNaN: true }), (steps, tolerance) => {
        const x = steps.map(([step], i) => steps.slice(0, i).reduce((sum, [before]) => sum + before, step));
        const y = steps.map(([, height]) => height);
        const kept = simplify(x, y, tolerance);
        expect(kept[0]).toBe(0);
        expect(kept.at(-1)).toBe(x.length - 1);
        for (let k = 1; k < kept.length; k++) {
          const [a, b] = [kept[k - 1], kept[k]];
          for (let i = a; i <= b; i++) {
            const line = y[a] + ((x[i] - x[a]) / (x[b] - x[a])) * (y[b] - y[a]);
            expect(Math.abs(line - y[i])).toBeLessThanOrEqual(tolerance + 1e-9);
          }
        }
      }),
    );
  });

  test("a straight line needs its ends only", () => {
    const x = Array.from({ length: 50 }, (_, i) => i);
    expect(
      simplify(
        x,
        x.map((at) => 3 * at),
        1e-9,
      ),
    ).toEqual([0, 49]);
  });

  test.each([0, 1, 2])("keeps all of %d points", (count) => {
    const x = Array.from({ length: count }, (_, i) => i);
    expect(simplify(x, x, 1)).toEqual(x);
  });
});
