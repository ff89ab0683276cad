import { expect, test } from "vitest";
import { counted, duration, grouped, percent, rounded, roundedAll } from "../../src/plot/numbers.js";

test("rounds to significant digits, and to null where there is no number", () => {
  expect(roundedAll([Math.PI, -123456, 1e-9, 0, NaN, -Infinity])).toEqual([
    3.142,
    -123500,
    1e-9,
    0,
    null,
    null,
  ]);
  expect(rounded(Math.PI, 2)).toBe(3.1);
});

test("writes shares, counts and times for readers", () => {
  expect([0, 0.8531, 1].map(percent)).toEqual(["0.0 %", "85.3 %", "100.0 %"]);
  expect([0, 999, 1000, 1234567].map(grouped)).toEqual(["0", "999", "1,000", "1,234,567"]);
  expect([0, 1, 10_000].map((count) => counted(count, "image"))).toEqual([
    "0 images",
    "1 image",
    "10,000 images",
  ]);
  expect([0.04, 9.94, 9.96, 119.4, 121, 7199, 7200].map(duration)).toEqual([
    "0.0 s",
    "9.9 s",
    "10 s",
    "119 s",
    "2 min",
    "120 min",
    "2.0 h",
  ]);
});
