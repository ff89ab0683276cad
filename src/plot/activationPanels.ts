import {
  densityCurve,
  learnedCurve,
  scaleOf,
  startCurve,
  type Curve,
  type Scales,
} from "./activationCurves.js";
import type { GroupActivationData, LayerActivationData } from "./activationData.js";
import type { JsonObject } from "./spec.js";
import { table } from "./table.js";
import { colours, ordered } from "./theme.js";

/** What all panels of a figure have in common. */
export interface PanelGrid {
  /** Panels beside each other, 1 to 6. */
  columns: number;
  /** Every group number of the figure. */
  groups: readonly number[];
  /** How much of each curve to keep, 0 to 1. */
  detail: number;
}

/** Width of a panel for 1, 2, … in a row, so that no figure is wider than 900. */
const widths = [420, 370, 235, 170, 128, 102];
/** A panel from top to bottom: the curves, a gap, the inputs. */
const curveHeight = 120;
const gap = 6;
const inputsHeight = 32;

/** Which line of a panel a row of the table belongs to. */
const lines = { learned: 0, start: 1, inputs: 2 } as const;

/** One panel for each activation of a kind, block by block on shared scales. */
export function activationPanels(kind: readonly LayerActivationData[], grid: PanelGrid): JsonObject {
  const width = widths[grid.columns - 1];
  const groups = kind.flatMap((activation) => activation.groups);
  const scales: Scales = {
    detail: grid.detail,
    x: scaleOf(
      groups.flatMap(({ x, histogram }) => [...x, ...histogram.edges]),
      width,
    ),
    y: scaleOf(
      groups.flatMap(({ y, startY }) => [...y, ...startY]),
      curveHeight,
    ),
  };
  const curves = kind.flatMap((activation, panel) => linesOf(activation, panel, scales));
  return {
    title: kindTitle(kind),
    ...pointTable(curves),
    columns: grid.columns,
    facet: {
      field: "panel",
      type: "ordinal",
      title: null,
      header: {
        labelExpr: `${JSON.stringify(kind.map(panelTitle))}[datum.value]`,
        labelAnchor: "start",
        labelFontSize: 11,
      },
    },
    spec: panel(scales, { width, groups: grid.groups, densest: densest(curves) }),
  };
}

interface Panel {
  width: number;
  groups: readonly number[];
  /** Highest density of the inputs. */
  densest: number;
}

function panel({ x, y }: Scales, { width, groups, densest }: Panel): JsonObject {
  const [low, high] = y.domain;
  const unit = (high - low) / curveHeight;
  const floor = low - (gap + inputsHeight) * unit;
  const shade = byGroup(groups);
  return {
    width,
    height: curveHeight + gap + inputsHeight,
    encoding: {
      x: {
        field: "x",
        type: "quantitative",
        title: "input x",
        scale: { domain: x.domain, nice: false },
        axis: { tickCount: 5, grid: false, domain: true, domainColor: colours.rule },
      },
      y: {
        field: "y",
        type: "quantitative",
        title: "F(x)",
        scale: { domain: [floor, high], nice: false },
        axis: {
          values: ticks(low, high),
          titleY: curveHeight / 2,
          labelBound: true,
          minExtent: 24,
          maxExtent: 24,
        },
      },
    },
    layer: [
      {
        transform: [{ filter: isLine("learned") }],
        params: [{ name: "highlight", select: { type: "point", fields: ["group"] }, bind: "legend" }],
        mark: { type: "line", strokeWidth: 1.6 },
        encoding: shade,
      },
      {
        transform: [{ filter: isLine("start") }],
        mark: { type: "line", strokeWidth: 1.4, strokeDash: [4, 3], color: colours.ink },
      },
      {
        // Their table holds shares of inputs; here they become heights above the floor of the panel.
        transform: [
          { filter: isLine("inputs") },
          { calculate: `${floor} + datum.y * ${(inputsHeight * unit) / densest}`, as: "y" },
        ],
        mark: { type: "line", interpolate: "monotone", strokeWidth: 1 },
        encoding: shade,
      },
    ],
  };
}

/** Round numbers about a quarter of the range apart. */
function ticks(low: number, high: number): number[] {
  const coarse = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(coarse));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= 0.7 * coarse) ?? 10);
  const first = Math.ceil(low / step);
  const count = Math.floor(high / step) - first + 1;
  return Array.from({ length: count }, (_, i) => Number(((first + i) * step).toPrecision(6)));
}

function isLine(line: keyof typeof lines): string {
  return `datum.line === ${lines[line]}`;
}

function byGroup(groups: readonly number[]): JsonObject {
  return {
    color: {
      field: "group",
      type: "ordinal",
      title: "group",
      scale: { domain: groups, range: ordered(groups.length) },
      legend: groups.length < 2 ? null : { symbolType: "stroke" },
    },
    opacity: { condition: { param: "highlight", value: 1 }, value: 0.1 },
    tooltip: { field: "group", type: "ordinal" },
  };
}

/** One line of one panel. */
interface Line {
  panel: number;
  line: keyof typeof lines;
  group: number | null;
  curve: Curve;
}

function linesOf({ groups }: LayerActivationData, panel: number, scales: Scales): Line[] {
  const own = (line: Line["line"], curveOf: (group: GroupActivationData) => Curve): Line[] =>
    groups.map((group) => ({ panel, line, group: group.group, curve: curveOf(group) }));
  return [
    { panel, line: "start", group: null, curve: startCurve(groups, scales) },
    ...own("learned", (group) => learnedCurve(group, scales)),
    ...own("inputs", ({ histogram }) => densityCurve(histogram, scales, inputsHeight)),
  ];
}

function densest(drawn: readonly Line[]): number {
  const densities = drawn.filter(({ line }) => line === "inputs").flatMap(({ curve }) => curve.y);
  return Math.max(...densities, Number.MIN_VALUE);
}

/** The points of all lines, one after the other. */
function pointTable(drawn: readonly Line[]): JsonObject {
  const points = drawn.flatMap(({ panel, line, group, curve }) =>
    curve.x.map((x, i) => ({ panel, line: lines[line], group, x, y: curve.y[i] })),
  );
  return table({
    panel: points.map(({ panel }) => panel),
    line: points.map(({ line }) => line),
    group: points.map(({ group }) => group),
    x: points.map(({ x }) => x),
    y: points.map(({ y }) => y),
  });
}

function kindTitle(kind: readonly LayerActivationData[]): JsonObject {
  const starts = [...new Set(kind.map(({ start }) => start))];
  return { text: `${kind[0].layer.split(".").at(-1)}, from ${starts.join(", ")}`, fontSize: 11 };
}

/** `blocks.0.mlp.act1` → `block 0`; any other name as it is. */
function panelTitle({ layer }: LayerActivationData): string {
  const block = /^blocks\.(\d+)\./.exec(layer);
  return block === null ? layer : `block ${block[1]}`;
}
