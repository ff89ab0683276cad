import { expect, test } from "vitest";
import { type RationalForm, rationalForms, rationalTerms } from "../../src/bases/rationalForm.js";
import { KatlabError } from "../../src/errors.js";

test("rationalTerms counts the coefficients of every form", () => {
  const counts = rationalForms.map((form) => [form, ...rationalTerms(form, [5, 4])]);
  expect(counts).toEqual([
    ["A", 6, 4],
    ["B", 6, 4],
    ["C", 6, 5],
    ["D", 6, 4],
    ["N", 6, 4],
  ]);
  expect(rationalTerms("A", [0, 0])).toEqual([1, 0]);
});

test("another form is refused", () => {
  expect(() => rationalTerms("E" as RationalForm, [5, 4])).toThrow(KatlabError);
  expect(() => rationalTerms("toString" as RationalForm, [5, 4])).toThrow("must be one of A, B, C, D, N");
});

test("degrees must be whole numbers ≥ 0", () => {
  for (const degrees of [
    [-1, 4],
    [5, 0.5],
    [NaN, 1],
    [Infinity, 1],
  ] as [number, number][]) {
    expect(() => rationalTerms("A", degrees)).toThrow("degrees must be two whole numbers ≥ 0");
  }
});
