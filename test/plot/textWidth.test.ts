import { expect, test } from "vitest";
import { cutToWidth, textWidth } from "../../src/plot/textWidth.js";

test("adds the widths of Helvetica", () => {
  // i 222, W 944, space 278 thousandths.
  expect(textWidth("iW ", 1000)).toBe(222 + 944 + 278);
  expect(textWidth("iW ", 10)).toBeCloseTo(14.44, 9);
  expect(textWidth("", 10)).toBe(0);
  expect(textWidth("W", 10, true)).toBeGreaterThan(textWidth("W", 10));
  expect(textWidth("✓", 1000)).toBeGreaterThan(500);
});

test("cuts only what does not fit", () => {
  expect(cutToWidth("Ankle boot", 100, 11)).toBe("Ankle boot");
  const cut = cutToWidth("Ankle boot", 40, 11);
  expect(cut).toBe("Ankle…");
  expect(textWidth(cut, 11)).toBeLessThanOrEqual(40);
});
