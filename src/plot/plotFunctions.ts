import { mustBe } from "../errors.js";
import { alignedRows } from "./alignedRows.js";
import { checkNotEmpty } from "./figureChecks.js";
import { Figure } from "./figure.js";
import { rounded } from "./numbers.js";
import type { JsonObject } from "./spec.js";
import { table } from "./table.js";
import { colours, ordered } from "./theme.js";

/** Settings of {@link plotFunctions}. */
export interface FunctionPlotOptions {
  /** Line above the chart; default "Functions". */
  title?: string;
  /** Ends of the drawn interval, finite, the first one below the second; default [−6, 6]. */
  interval?: readonly [number, number];
  /** Ends of the vertical axis; what lies outside is not drawn. Default: everything that is finite. */
  range?: readonly [number, number];
  /** Draws |y| on a logarithmic axis, for errors; values below 1e-16 are drawn there. Default false. */
  magnitude?: boolean;
  /** Part of the x axis that is shaded, for example where a function was fitted. */
  shade?: readonly [number, number];
  /** Places marked by a vertical line, for example poles. */
  marks?: readonly number[];
  /** Name of the vertical axis; default "y", `|y|` for magnitudes. */
  y?: string;
}

const subject = "plotFunctions";
/** A curve of the width of the chart needs no more. */
const points = 301;
const leastMagnitude = 1e-16;
const size = { width: 460, height: 260 };
/** The first is drawn in ink and dashed over the others. */
const dashes = [5, 3];

/**
 * Draws functions of one variable over each other: the first one dashed, as what the others are compared with, unless
 * they are magnitudes. Where a function is not finite or leaves `range` its line is interrupted.
 *
 * @param functions by name, in the order of the legend
 * @throws KatlabError `invalid` without a function, for an interval, range or shade that is none
 */
export function plotFunctions(
  functions: Readonly<Record<string, (x: number) => number>>,
  options: FunctionPlotOptions = {},
): Figure {
  const { title = "Functions", interval = [-6, 6], range, magnitude = false, shade, marks = [] } = options;
  const names = Object.keys(functions);
  checkNotEmpty(subject, "function", names.length);
  checkInterval("interval", interval);
  if (range !== undefined) checkInterval("range", range);
  if (shade !== undefined) checkInterval("shade", shade);
  const yTitle = options.y ?? (magnitude ? "|y|" : "y");
  const xs = Array.from(
    { length: points },
    (_, i) => interval[0] + ((interval[1] - interval[0]) * i) / (points - 1),
  );
  const curves = names.map((name) => ({ name, ys: xs.map((x) => functions[name](x)) }));
  const columns = curves.map(
    ({ ys }, i) => [fieldOf(i), ys.map((y) => drawn(y, { magnitude, range }))] as const,
  );
  return new Figure({
    chart: {
      title: { text: title },
      ...size,
      layer: [
        ...(shade === undefined ? [] : [shadeLayer(shade)]),
        ...(marks.length === 0 ? [] : [markLayer(marks)]),
        {
          ...table({ x: xs.map((x) => rounded(x)), ...Object.fromEntries(columns) }),
          // The first one last: its dashes lie on the others.
          layer: names.map((_, i) =>
            line(names, names.length - 1 - i, { interval, range, magnitude, yTitle }),
          ),
        },
      ],
    },
    text: [title, ...valueTable(curves, xs)].join("\n"),
  });
}

/** What is drawn for a value; null interrupts the line. */
function drawn(
  y: number,
  { magnitude, range }: { magnitude: boolean; range: readonly [number, number] | undefined },
): number | null {
  if (!Number.isFinite(y)) return null;
  const value = magnitude ? Math.max(leastMagnitude, Math.abs(y)) : y;
  if (range !== undefined && (value < range[0] || value > range[1])) return null;
  return rounded(value);
}

interface LineAxes {
  interval: readonly [number, number];
  range: readonly [number, number] | undefined;
  magnitude: boolean;
  yTitle: string;
}

/** Names may hold anything; fields of a chart may not. */
function fieldOf(place: number): string {
  return `f${place}`;
}

function line(
  names: readonly string[],
  place: number,
  { interval, range, magnitude, yTitle }: LineAxes,
): JsonObject {
  const hues = ordered(names.length).slice(1);
  return {
    mark: {
      type: "line",
      strokeWidth: 1.8,
      invalid: "break-paths-show-domains",
      ...(place === 0 && !magnitude ? { strokeDash: dashes } : {}),
    },
    encoding: {
      x: { field: "x", type: "quantitative", title: "x", scale: { domain: [...interval], nice: false } },
      y: {
        field: fieldOf(place),
        type: "quantitative",
        title: yTitle,
        axis: magnitude ? { format: "~e", tickCount: 6 } : {},
        scale: {
          ...(magnitude ? { type: "log" } : { zero: false }),
          ...(range === undefined ? {} : { domain: [...range] }),
        },
      },
      color: {
        datum: names[place],
        type: "nominal",
        title: null,
        sort: null,
        scale: { domain: [...names], range: [colours.ink, ...hues] },
      },
    },
  };
}

function shadeLayer([from, to]: readonly [number, number]): JsonObject {
  return {
    data: { values: [{ from, to }] },
    mark: { type: "rect", color: colours.shade, opacity: 0.5 },
    encoding: { x: { field: "from", type: "quantitative" }, x2: { field: "to" } },
  };
}

function markLayer(marks: readonly number[]): JsonObject {
  return {
    data: { values: marks.map((x) => ({ x })) },
    mark: { type: "rule", color: colours.vermilion, strokeDash: [2, 2] },
    encoding: { x: { field: "x", type: "quantitative" } },
  };
}

/** Each function at seven places. */
function valueTable(
  curves: readonly { name: string; ys: readonly number[] }[],
  xs: readonly number[],
): string[] {
  const places = Array.from({ length: 7 }, (_, i) => Math.round((i * (points - 1)) / 6));
  const rows = [{ name: "x", ys: xs }, ...curves].map(({ name, ys }) => [
    name,
    ...places.map((place) => numberText(ys[place])),
  ]);
  return alignedRows(rows);
}

function numberText(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(4))) : String(value);
}

function checkInterval(name: string, [low, high]: readonly [number, number]): void {
  if (Number.isFinite(low) && Number.isFinite(high) && low < high) return;
  throw mustBe({
    subject,
    must: `${name} must be two finite numbers, the first below the second`,
    got: `[${low}, ${high}]`,
    remedy: "Give them in order, for example [-6, 6].",
  });
}
