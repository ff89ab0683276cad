import { expect, test } from "vitest";
import { KatlabError } from "../../src/errors.js";
import { plotFunctions } from "../../src/plot/plotFunctions.js";
import { at, rowsAt } from "./chartData.js";

const functions = { "x²": (x: number) => x * x, "1 / x": (x: number) => 1 / x };

test("draws each function on one set of axes, the first as what the others are compared with", () => {
  const { spec } = plotFunctions(functions, { interval: [-3, 3] });
  const rows = rowsAt(spec, "layer.0");
  expect(rows).toHaveLength(301);
  expect(rows[0]).toEqual({ x: -3, f0: 9, f1: -0.3333 });
  expect(at(spec, "layer.0.layer.1.encoding.color.datum")).toBe("x²");
  expect(at(spec, "layer.0.layer.0.encoding.y.field")).toBe("f1");
  expect(at(spec, "layer.0.layer.1.mark.strokeDash")).toEqual([5, 3]);
  expect(at(spec, "layer.0.layer.0.mark")).not.toHaveProperty("strokeDash");
});

test("interrupts a line where it is not finite or outside the range", () => {
  const { spec } = plotFunctions(functions, { interval: [-3, 3], range: [-2, 2] });
  const rows = rowsAt(spec, "layer.0");
  expect(rows[150]).toEqual({ x: 0, f0: 0, f1: null });
  expect(rows[0]["f0"]).toBeNull();
  expect(at(spec, "layer.0.layer.0.encoding.y.scale.domain")).toEqual([-2, 2]);
});

test("magnitudes are positive, on a logarithmic axis that zero does not break", () => {
  const { spec } = plotFunctions({ error: (x) => x }, { interval: [-1, 1], magnitude: true });
  const rows = rowsAt(spec, "layer.0");
  expect([rows[0]["f0"], rows[150]["f0"], rows[300]["f0"]]).toEqual([1, 1e-16, 1]);
  expect(at(spec, "layer.0.layer.0.encoding.y.scale.type")).toBe("log");
});

test("shades a part and marks places, behind the lines", () => {
  const { spec } = plotFunctions(functions, { shade: [-3, 3], marks: [0, 2] });
  expect(at(spec, "layer.0.data.values")).toEqual([{ from: -3, to: 3 }]);
  expect(at(spec, "layer.1.data.values")).toEqual([{ x: 0 }, { x: 2 }]);
  expect(rowsAt(spec, "layer.2")).toHaveLength(301);
});

test("is a table in text", () => {
  expect(plotFunctions(functions, { title: "Two", interval: [-3, 3] }).text.split("\n")).toEqual([
    "Two",
    "x           -3    -2  -1         0  1    2       3",
    "x²           9     4   1         0  1    4       9",
    "1 / x  -0.3333  -0.5  -1  Infinity  1  0.5  0.3333",
  ]);
});

test("draws as a picture", async () => {
  const svg = await plotFunctions(functions, { range: [-4, 4], shade: [-1, 1], marks: [0] }).toSvg();
  expect(svg).toContain("1 / x");
});

test.each([
  [{}, {}, /needs at least one function; got none/],
  [functions, { interval: [3, -3] as const }, /interval must be two finite numbers.*\[3, -3\]/],
  [functions, { range: [0, Infinity] as const }, /range must be two finite numbers/],
  [functions, { shade: [1, 1] as const }, /shade must be two finite numbers/],
])("refuses what cannot be drawn: %o %o", (given, options, message) => {
  const draw = (): unknown => plotFunctions(given, options);
  expect(draw).toThrow(KatlabError);
  expect(draw).toThrow(message);
});
