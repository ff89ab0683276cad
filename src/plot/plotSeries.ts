import { alignedRows } from "./alignedRows.js";
import { checkFinite, checkLength, checkNotEmpty } from "./figureChecks.js";
import { Figure } from "./figure.js";
import { roundedAll } from "./numbers.js";
import type { JsonObject } from "./spec.js";
import { table } from "./table.js";
import { ordered } from "./theme.js";

/** Settings of {@link plotSeries}. */
export interface SeriesPlotOptions {
  /** Line above the chart; default "Series". */
  title?: string;
  /** Where the values stand: numbers, or names that are written below the axis; default 0, 1, 2, … */
  x?: readonly number[] | readonly string[];
  /** Name of the horizontal axis; default none. */
  xTitle?: string;
  /** Name of the vertical axis; default none. */
  yTitle?: string;
  /** Whether the vertical axis is logarithmic, for values above 0; default false. */
  logarithmic?: boolean;
}

const subject = "plotSeries";
const size = { width: 460, height: 240 };

/**
 * Draws named lists of numbers as lines with a point for each value: one run beside another, one layer after the other.
 *
 * @param series by name, in the order of the legend; all of one length
 * @throws KatlabError `invalid` without a series or a value, for lists of different lengths, values that are not finite, or
 *   on a logarithmic axis not above 0
 */
export function plotSeries(
  series: Readonly<Record<string, readonly number[]>>,
  options: SeriesPlotOptions = {},
): Figure {
  const { title = "Series", xTitle, yTitle, logarithmic = false } = options;
  const names = Object.keys(series);
  checkNotEmpty(subject, "series", names.length);
  const count = series[names[0]].length;
  checkNotEmpty(subject, "value", count);
  const x = options.x ?? Array.from({ length: count }, (_, i) => i);
  checkLength(subject, "x", x, count);
  for (const name of names) {
    checkLength(subject, name, series[name], count);
    checkFinite(subject, name, logarithmic ? series[name].map(Math.log) : series[name]);
  }
  const places = x.map((value, i) => (typeof value === "number" ? value : i));
  const labels = x.map(String);
  const isNamed = typeof x[0] === "string";
  const columns = names.map((name, i) => [`s${i}`, roundedAll(series[name])] as const);
  const xAxis: JsonObject = isNamed
    ? { labelExpr: `${JSON.stringify(labels)}[datum.value]`, values: places, labelAngle: -40, grid: false }
    : { tickMinStep: places.every(Number.isInteger) ? 1 : 0 };
  return new Figure({
    chart: {
      title: { text: title },
      ...size,
      ...table({ x: places, ...Object.fromEntries(columns) }),
      layer: names.map((name, i) => ({
        mark: { type: "line", strokeWidth: 1.8, point: { size: 24 } },
        encoding: {
          x: {
            field: "x",
            type: "quantitative",
            title: xTitle ?? null,
            axis: xAxis,
            scale: { nice: false, zero: false },
          },
          y: {
            field: `s${i}`,
            type: "quantitative",
            title: yTitle ?? null,
            scale: logarithmic ? { type: "log" } : { zero: false },
          },
          color: {
            datum: name,
            type: "nominal",
            title: null,
            sort: null,
            scale: { domain: names, range: ordered(names.length) },
          },
        },
      })),
    },
    text: [title, ...textTable(series, labels, xTitle ?? "")].join("\n"),
  });
}

/** A row for each place, a column for each series. */
function textTable(
  series: Readonly<Record<string, readonly number[]>>,
  labels: readonly string[],
  xTitle: string,
): string[] {
  return alignedRows([
    [xTitle, ...Object.keys(series)],
    ...labels.map((label, i) => [
      label,
      ...Object.values(series).map((values) => String(Number(values[i].toPrecision(4)))),
    ]),
  ]);
}
