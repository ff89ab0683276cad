import { describe, expect, test } from "vitest";
import { KatlabError } from "../../src/errors.js";
import { plotConfusion, type Confusion } from "../../src/plot/plotConfusion.js";
import { at, rowsAt } from "./chartData.js";
import { sampleConfusion } from "./samples.js";

const pets: Confusion = {
  confusion: [
    [3, 1],
    [0, 0],
  ],
  classes: ["cat", "dog"],
};

test("colours by the share of the row, not by the count", () => {
  const { spec } = plotConfusion(pets);
  expect(rowsAt(spec, "hconcat.0")).toEqual([
    { truth: 0, predicted: 0, count: 3, share: 0.75 },
    { truth: 0, predicted: 1, count: 1, share: 0.25 },
    { truth: 1, predicted: 0, count: 0, share: 0 },
    { truth: 1, predicted: 1, count: 0, share: 0 },
  ]);
  expect(at(spec, "hconcat.0.layer.0.encoding.color.field")).toBe("share");
  expect(at(spec, "hconcat.0.layer.0.encoding.color.scale.domain")).toEqual([0, 1]);
  expect(at(spec, "hconcat.0.layer.1.encoding.text.field")).toBe("count");
});

test("rows are true classes, columns predicted ones", () => {
  const { spec } = plotConfusion(pets);
  expect(at(spec, "hconcat.0.encoding.y")).toMatchObject({ field: "truth", title: "true class" });
  expect(at(spec, "hconcat.0.encoding.x")).toMatchObject({ field: "predicted", title: "predicted class" });
  expect(at(spec, "hconcat.0.encoding.x.axis.labelExpr")).toBe('["cat","dog"][datum.value]');
});

test("states the accuracy, and how much of each class was recognised", () => {
  const figure = plotConfusion(sampleConfusion(), { title: "Test images" });
  expect(figure.text).toMatch(/^Test images: accuracy 85\.0 % of 10,000 images\n/);
  expect(rowsAt(figure.spec, "hconcat.1").map(({ share }) => share)).toEqual(Array(10).fill(85));
});

test("is a table in text", () => {
  expect(plotConfusion(pets).text.split("\n").slice(1)).toEqual([
    "rows: true class, columns: predicted class",
    "      0 1",
    "cat 0 3 1",
    "dog 1 0 0",
  ]);
});

test("many classes leave no room for counts", () => {
  expect(at(plotConfusion(sampleConfusion(20)).spec, "hconcat.0.layer")).toHaveLength(2);
  expect(at(plotConfusion(sampleConfusion(40)).spec, "hconcat.0.layer")).toHaveLength(1);
});

describe("refuses", () => {
  test.each<[string, Confusion, RegExp]>([
    ["no class", { confusion: [], classes: [] }, /at least one class/],
    ["classes of another data set", { ...pets, classes: ["cat"] }, /confusion must have 1 entries; got 2/],
    [
      "a row that is too short",
      { ...pets, confusion: [[1, 2], [3]] },
      /confusion\[1\] must have 2 entries; got 1/,
    ],
    [
      "shares",
      {
        ...pets,
        confusion: [
          [0.5, 0.5],
          [0, 1],
        ],
      },
      /confusion\[0\] must hold whole numbers .* got 0.5 at index 0/,
    ],
    [
      "NaN",
      {
        ...pets,
        confusion: [
          [1, 2],
          [NaN, 1],
        ],
      },
      /confusion\[1\] .* got NaN at index 0/,
    ],
    [
      "no image",
      {
        ...pets,
        confusion: [
          [0, 0],
          [0, 0],
        ],
      },
      /at least one image/,
    ],
  ])("%s", (_, data, message) => {
    expect(() => plotConfusion(data)).toThrow(KatlabError);
    expect(() => plotConfusion(data)).toThrow(message);
  });
});
