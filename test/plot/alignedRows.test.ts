import { expect, test } from "vitest";
import { alignedRows } from "../../src/plot/alignedRows.js";

test("names to the left, numbers to the right", () => {
  expect(
    alignedRows([
      ["x", "-3", "10"],
      ["longer", "0.25", "1"],
    ]),
  ).toEqual(["x         -3  10", "longer  0.25   1"]);
});
