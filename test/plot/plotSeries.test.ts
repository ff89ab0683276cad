import { expect, test } from "vitest";
import { KatlabError } from "../../src/errors.js";
import { plotSeries } from "../../src/plot/plotSeries.js";
import { at, rowsAt } from "./chartData.js";

test("draws each list as a line with its points", () => {
  const { spec } = plotSeries({ kat: [1, 2.5], vit: [3, 4] }, { x: [1, 2], xTitle: "epoch" });
  expect(rowsAt({ spec }, "spec")).toEqual([
    { x: 1, s0: 1, s1: 3 },
    { x: 2, s0: 2.5, s1: 4 },
  ]);
  expect(at(spec, "layer.1.encoding.color.datum")).toBe("vit");
  expect(at(spec, "layer.0.encoding.x.axis.tickMinStep")).toBe(1);
});

test("writes names below the axis", () => {
  const { spec } = plotSeries({ size: [1, 10] }, { x: ["fc1", "fc2"], logarithmic: true });
  expect(at(spec, "layer.0.encoding.x.axis.labelExpr")).toBe('["fc1","fc2"][datum.value]');
  expect(at(spec, "layer.0.encoding.y.scale.type")).toBe("log");
});

test("is a table in text", () => {
  const { text } = plotSeries(
    { kat: [1, 2.5], vit: [3, 14] },
    { title: "Runs", x: ["a", "bc"], xTitle: "x" },
  );
  expect(text.split("\n")).toEqual(["Runs", "x   kat  vit", "a     1    3", "bc  2.5   14"]);
});

test("draws as a picture", async () => {
  expect(await plotSeries({ kat: [1, 2] }, { title: "One" }).toSvg()).toContain("kat");
});

test.each([
  [{}, {}, /needs at least one series; got none/],
  [{ a: [] }, {}, /needs at least one value; got none/],
  [{ a: [1], b: [1, 2] }, {}, /b must have 1 entries; got 2/],
  [{ a: [1] }, { x: [1, 2] }, /x must have 1 entries; got 2/],
  [{ a: [NaN] }, {}, /a must hold finite numbers/],
  [{ a: [0] }, { logarithmic: true }, /a must hold finite numbers/],
])("refuses what cannot be drawn: %o %o", (series, options, message) => {
  const draw = (): unknown => plotSeries(series, options);
  expect(draw).toThrow(KatlabError);
  expect(draw).toThrow(message);
});
