import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { codePointsOf, unitsOf } from "../../../src/jupyter/server/codePoints.js";

describe("positions", () => {
  test("differ after an emoji", () => {
    const code = 'const a = "😀"; a.';
    expect(unitsOf(code, 16)).toBe(17);
    expect(codePointsOf(code, 17)).toBe(16);
  });

  test("go forth and back", () => {
    const characters = fc.array(fc.constantFrom("a", "é", "😀", "𝛼"));
    fc.assert(
      fc.property(characters, fc.nat(20), (code, position) => {
        const inside = Math.min(position, code.length);
        expect(codePointsOf(code.join(""), unitsOf(code.join(""), inside))).toBe(inside);
      }),
    );
  });

  test("stop at the end", () => {
    expect(unitsOf("ab", 10)).toBe(2);
    expect(unitsOf("", 0)).toBe(0);
  });
});
