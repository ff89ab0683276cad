import { describe, expect, test } from "vitest";
import { widenBfloat16, widenFloat16 } from "../../src/io/halfPrecision.js";

const every = Uint16Array.from({ length: 65_536 }, (_, i) => i);

describe("widenFloat16", () => {
  test("known values", () => {
    const bits = Uint16Array.of(
      0x3c00,
      0xc000,
      0x7bff,
      0x0400,
      0x03ff,
      0x0001,
      0x3555,
      0x7c00,
      0xfc00,
      0x8000,
    );
    expect([...widenFloat16(bits)]).toEqual([
      1,
      -2,
      65504,
      2 ** -14,
      2 ** -14 - 2 ** -24,
      2 ** -24,
      0.333251953125,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      -0,
    ]);
  });

  test("the values of positive patterns rise up to infinity, then are NaN; negative ones mirror them", () => {
    const values = widenFloat16(every);
    for (let i = 1; i <= 0x7c00; i++) expect(values[i]).toBeGreaterThan(values[i - 1]);
    for (let i = 0x7c01; i < 0x8000; i++) expect(values[i]).toBeNaN();
    for (let i = 0; i <= 0x7c00; i++) expect(values[0x8000 + i]).toBe(-values[i]);
  });
});

describe("widenBfloat16", () => {
  test("is the upper half of a float32, for every pattern", () => {
    const values = widenBfloat16(every);
    const view = new DataView(new ArrayBuffer(4));
    for (let i = 0; i < every.length; i++) {
      view.setUint32(0, i * 65_536);
      expect(values[i]).toBe(view.getFloat32(0));
    }
  });
});
