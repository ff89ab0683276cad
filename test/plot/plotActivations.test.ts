import { describe, expect, test } from "vitest";
import type { GroupActivationData, ActivationData } from "../../src/plot/activationData.js";
import { KatlabError } from "../../src/errors.js";
import { plotActivations } from "../../src/plot/plotActivations.js";
import { at, rowsAt } from "./chartData.js";
import { sampleActivations } from "./samples.js";

const [learned, start, inputs] = [0, 1, 2];

test("has a row of panels for each kind of activation, a panel for each block", () => {
  const { spec } = plotActivations(sampleActivations(3));
  expect(at(spec, "vconcat.0.title.text")).toBe("act1, from identity");
  expect(at(spec, "vconcat.1.title.text")).toBe("act2, from swish");
  expect(at(spec, "vconcat.0.columns")).toBe(3);
  expect(at(spec, "vconcat.0.facet.header.labelExpr")).toContain('["block 0","block 1","block 2"]');
  const panels = new Set(rowsAt(spec, "vconcat.0").map(({ panel }) => panel));
  expect([...panels]).toEqual([0, 1, 2]);
});

test("every group has its function and its inputs, all groups one start", () => {
  const rows = rowsAt(plotActivations(sampleActivations(1)).spec, "vconcat.0");
  const groupsOf = (line: number) => [
    ...new Set(rows.filter((row) => row.line === line).map(({ group }) => group)),
  ];
  expect(groupsOf(learned)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(groupsOf(inputs)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(groupsOf(start)).toEqual([null]);
});

test("the thinned curves are the functions, within half a unit of the figure", () => {
  const model = sampleActivations(2);
  const { spec } = plotActivations(model);
  const swish = (x: number) => x / (1 + Math.exp(-x));
  const rows = rowsAt(spec, "vconcat.1").filter(({ panel }) => panel === 1);
  const curve = rows.filter((row) => row.line === learned && row.group === 5);
  const { x, y } = model.activations[3].groups[5];
  expect(curve.length).toBeLessThan(40);
  for (let i = 0; i < x.length; i++) {
    const after = Math.max(
      1,
      curve.findIndex((point) => Number(point.x) >= x[i] - 0.005),
    );
    const [a, b] = [curve[after - 1], curve[after]].map((point) => ({
      x: Number(point.x),
      y: Number(point.y),
    }));
    const line = a.y + ((x[i] - a.x) / (b.x - a.x)) * (b.y - a.y);
    expect(Math.abs(line - y[i])).toBeLessThan(0.05);
  }
  for (const point of rows.filter((row) => row.line === start)) {
    expect(Number(point.y)).toBeCloseTo(swish(Number(point.x)), 1);
  }
});

test("shares of inputs integrate to one", () => {
  const rows = rowsAt(plotActivations(sampleActivations(1, 1)).spec, "vconcat.0").filter(
    (row) => row.line === inputs,
  );
  const width = Number(rows[1].x) - Number(rows[0].x);
  const area = rows.reduce((sum, { y }) => sum + width * Number(y), 0);
  expect(area).toBeCloseTo(1, 1);
});

test("a click on the legend picks a group out", () => {
  const { spec } = plotActivations(sampleActivations(1));
  const [parameter] = at(spec, "vconcat.0.spec.layer.0.params") as { name: string; bind: string }[];
  expect(parameter.bind).toBe("legend");
  for (const layer of [0, 2]) {
    expect(at(spec, `vconcat.0.spec.layer.${layer}.encoding.opacity.condition`)).toEqual({
      param: parameter.name,
      value: 1,
    });
  }
});

test("a deep model keeps its rows to four panels and its data small", () => {
  const shallow = plotActivations(sampleActivations(4)).spec;
  const deep = plotActivations(sampleActivations(12)).spec;
  expect(at(deep, "vconcat.0.columns")).toBe(4);
  expect(at(plotActivations(sampleActivations(12), { columns: 6 }).spec, "vconcat.0.columns")).toBe(6);
  expect(rowsAt(deep, "vconcat.0").length).toBeLessThan(2 * rowsAt(shallow, "vconcat.0").length);
});

test("names of another kind stand as they are", () => {
  const [activation] = sampleActivations(1, 1).activations;
  const { spec } = plotActivations({ model: "m", activations: [{ ...activation, layer: "head" }] });
  expect(at(spec, "vconcat.0.facet.header.labelExpr")).toContain('["head"]');
});

test("says in words how far each activation has moved", () => {
  const lines = plotActivations(sampleActivations(1), { title: "After training" }).text.split("\n");
  expect(lines[0]).toMatch(/^After training; lines: F\(x\)/);
  expect(lines[2]).toMatch(/^blocks\.0\.mlp\.act1 {2}identity {7}8 {2}-4\.40 to 4\.40 +0\.\d{3}$/);
});

test("a function that is constant can be drawn", async () => {
  const [activation] = sampleActivations(1, 1).activations;
  const [group] = activation.groups;
  const flat = { ...group, y: group.x.map(() => 1), startY: group.x.map(() => 1) };
  const figure = plotActivations({ model: "m", activations: [{ ...activation, groups: [flat] }] });
  expect(await figure.toSvg()).not.toContain("NaN");
});

describe("refuses", () => {
  const faulty = (change: Partial<GroupActivationData>): ActivationData => {
    const [activation] = sampleActivations(1, 1).activations;
    return { model: "m", activations: [{ ...activation, groups: [{ ...activation.groups[0], ...change }] }] };
  };
  const [activation] = sampleActivations(1, 1).activations;
  test.each<[string, ActivationData, RegExp]>([
    ["a model without activations", { model: "m", activations: [] }, /at least one activation/],
    [
      "an activation without groups",
      { model: "m", activations: [{ ...activation, groups: [] }] },
      /blocks\.0\.mlp\.act1: needs at least one group/,
    ],
    ["lists of different lengths", faulty({ y: [1, 2] }), /group 0: y must have 201 entries; got 2/],
    [
      "values that are not finite",
      faulty({ x: [0, NaN], y: [0, 1], startY: [0, 1] }),
      /x must hold finite numbers; got NaN at index 1/,
    ],
    [
      "a histogram without its last edge",
      faulty({ histogram: { edges: [0, 1], counts: [3, 4] } }),
      /histogram\.edges must have 3 entries/,
    ],
    [
      "shares in place of counts",
      faulty({ histogram: { edges: [0, 1, 2], counts: [0.5, 0.5] } }),
      /Pass counts, not shares/,
    ],
  ])("%s", (_, data, message) => {
    expect(() => plotActivations(data)).toThrow(KatlabError);
    expect(() => plotActivations(data)).toThrow(message);
  });

  test.each([0, 2.5, 7])("%d columns", (columns) => {
    expect(() => plotActivations(sampleActivations(1, 1), { columns })).toThrow(
      /columns must be a whole number from 1 to 6/,
    );
  });
});
