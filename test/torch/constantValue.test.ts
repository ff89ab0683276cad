import { expect, test } from "vitest";
import { constantValue } from "../../src/torch/constantValue.js";

test("one value stands for all elements only where they are the same bits", () => {
  expect(constantValue(Float32Array.of(0.5))).toBe(0.5);
  expect(constantValue(new Float32Array(1000))).toBe(0);
  expect(constantValue(Int32Array.of(7, 7, 7))).toBe(7);
  expect(constantValue(Float32Array.of(NaN, NaN))).toBeNaN();
  expect(constantValue(Float32Array.of(-0, -0))).toBe(-0);
  expect(constantValue(Float32Array.of(0, -0))).toBeUndefined();
  expect(constantValue(Float32Array.of(1, 1, 2))).toBeUndefined();
  expect(constantValue(new Float32Array(0))).toBeUndefined();
});
