import { expect, test } from "vitest";
import { assertShape, sidesOf, sizeOf } from "../src/shape.js";

test("sidesOf: one size for both sides, or a pair; anything else is refused by name", () => {
  expect(sidesOf("model", "imageSize", 16)).toEqual([16, 16]);
  expect(sidesOf("model", "imageSize", [16, 8])).toEqual([16, 8]);
  const none: unknown[] = [0, -1, 1.5, NaN, "16", null, [], [16], [16, 8, 3], [16, 0], ["16", 8]];
  for (const value of none) {
    expect(() => sidesOf("model", "imageSize", value as number)).toThrow(
      `model: imageSize must be a whole number ≥ 1, or a pair [height, width] of them; got `,
    );
  }
});

test("assertShape binds names to sizes, and a name to one size only", () => {
  expect(assertShape("x", [2, 5, 3], ["batch", "tokens", 3])).toEqual({ batch: 2, tokens: 5 });
  expect(() => assertShape("x", [2, 3], ["dim", "dim"])).toThrow("x: shape must be [dim, dim]; got [2, 3]");
  expect(() => assertShape("x", [2, 3, 4], ["batch", 3])).toThrow("x: shape must be [batch, 3]");
});

test("sizeOf: the product of the axes, 1 for a scalar", () => {
  expect([sizeOf([]), sizeOf([4]), sizeOf([2, 0, 3]), sizeOf([2, 3])]).toEqual([1, 4, 0, 6]);
});
