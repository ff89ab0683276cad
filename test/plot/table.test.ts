import { expect, test } from "vitest";
import { table } from "../../src/plot/table.js";

test("is CSV with the type of every column", () => {
  expect(table({ step: [1, 2], loss: [0.5, null] })).toEqual({
    data: {
      values: "step,loss\n1,0.5\n2,",
      format: { type: "csv", parse: { step: "number", loss: "number" } },
    },
  });
});

test("can be empty", () => {
  expect(table({ step: [], loss: [] })).toMatchObject({ data: { values: "step,loss" } });
});
