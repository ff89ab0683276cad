import { checkCounts, checkLength, checkNotEmpty } from "./figureChecks.js";
import { Figure } from "./figure.js";
import { counted, percent, rounded } from "./numbers.js";
import type { JsonObject } from "./spec.js";
import { table } from "./table.js";
import { colours, shares } from "./theme.js";

/** How often images of each class were taken for each class. */
export interface Confusion {
  /** `[true class, predicted class]`, counts of images; square. */
  confusion: readonly (readonly number[])[];
  /** Names of the classes, in the order of the counts. */
  classes: readonly string[];
}

/** Settings of {@link plotConfusion}. */
export interface ConfusionPlotOptions {
  /** Line above the chart; default "Confusion". */
  title?: string;
}

const subject = "plotConfusion";
const mostWidth = 400;
const mostCell = 40;
/** Cells narrower than this show their colour only, rows lower than this no number. */
const leastWritten = { cell: 18, row: 13 };

/**
 * Draws a confusion matrix: a row for each true class, a column for each predicted one, counts as text, the colour by
 * the share of the row. Beside each row stands the share of the class that was recognised, in the heading the
 * accuracy. Colours follow the square root of the share, so that rare confusions show.
 *
 * @throws KatlabError `invalid` where the counts are no square of whole numbers that fits the classes, or count no image
 */
export function plotConfusion({ confusion, classes }: Confusion, options: ConfusionPlotOptions = {}): Figure {
  checkNotEmpty(subject, "class", classes.length);
  checkLength(subject, "confusion", confusion, classes.length);
  confusion.forEach((row, i) => {
    checkLength(subject, `confusion[${i}]`, row, classes.length);
    checkCounts(subject, `confusion[${i}]`, row);
  });
  const images = sum(confusion.map(sum));
  checkNotEmpty(subject, "image", images);
  const right = sum(confusion.map((row, i) => row[i]));
  const title = options.title ?? "Confusion";
  const heading = `accuracy ${percent(right / images)} of ${counted(images, "image")}`;
  const cell = Math.min(mostCell, mostWidth / classes.length);
  return new Figure({
    chart: {
      title: { text: title, subtitle: heading, offset: 12 },
      spacing: 10,
      hconcat: [matrix(confusion, classes, cell), recognised(confusion, classes, cell)],
    },
    text: [`${title}: ${heading}`, ...textMatrix({ confusion, classes })].join("\n"),
    colours: 256,
  });
}

function matrix(confusion: Confusion["confusion"], classes: readonly string[], cell: number): JsonObject {
  const cells = confusion.flatMap((row, truth) =>
    row.map((count, predicted) => ({ truth, predicted, count })),
  );
  const names = JSON.stringify(classes);
  const axis = (field: string, title: string, more: JsonObject): JsonObject => ({
    field,
    type: "ordinal",
    title,
    axis: {
      labelExpr: `${names}[datum.value]`,
      labelFontSize: Math.min(11, 0.9 * cell),
      grid: false,
      ticks: false,
      ...more,
    },
  });
  const written: JsonObject = {
    transform: [{ filter: "datum.count > 0" }],
    mark: { type: "text", fontSize: 10.5 },
    encoding: {
      text: { field: "count", type: "quantitative" },
      color: {
        condition: { test: `datum.share > ${shares.inkTurns}`, value: colours.paper },
        value: colours.ink,
      },
    },
  };
  return {
    width: { step: cell },
    height: { step: cell },
    ...table({
      truth: cells.map(({ truth }) => truth),
      predicted: cells.map(({ predicted }) => predicted),
      count: cells.map(({ count }) => count),
      share: cells.map(({ truth, count }) => rounded(count / Math.max(1, sum(confusion[truth])))),
    }),
    encoding: {
      x: axis("predicted", "predicted class", { labelAngle: -40 }),
      y: axis("truth", "true class", {}),
    },
    layer: [
      {
        transform: [
          { calculate: `${names}[datum.truth]`, as: "true class" },
          { calculate: `${names}[datum.predicted]`, as: "predicted class" },
        ],
        mark: { type: "rect", stroke: colours.paper, strokeWidth: 1 },
        encoding: {
          color: {
            field: "share",
            type: "quantitative",
            title: "share of the true class",
            scale: { type: "sqrt", domain: [0, 1], range: shares.range },
            legend: {
              orient: "bottom",
              direction: "horizontal",
              format: ".0%",
              values: [0, 0.05, 0.25, 0.5, 1],
              labelOverlap: false,
              titleLimit: 0,
              gradientLength: Math.max(160, 0.6 * cell * classes.length),
              gradientThickness: 10,
            },
          },
          tooltip: [
            { field: "true class" },
            { field: "predicted class" },
            { field: "count", title: "images" },
            { field: "share", format: ".1%", title: "share of the true class" },
          ],
        },
      },
      ...(cell < leastWritten.cell ? [] : [written]),
    ],
  };
}

/** Bars beside the rows of the matrix: the share of each true class that was predicted as such. */
function recognised(confusion: Confusion["confusion"], classes: readonly string[], cell: number): JsonObject {
  const number: JsonObject = {
    mark: { type: "text", align: "left", dx: 4, fontSize: 10.5, color: colours.ink },
    encoding: { x: { datum: 0 }, text: { field: "share", type: "quantitative", format: ".1f" } },
  };
  const share = confusion.map((row, i) => rounded((100 * row[i]) / Math.max(1, sum(row))));
  return {
    width: 90,
    height: { step: cell },
    ...table({ truth: classes.map((_, i) => i), share }),
    encoding: {
      y: { field: "truth", type: "ordinal", axis: null },
      x: {
        field: "share",
        type: "quantitative",
        title: "recognised (%)",
        scale: { domain: [0, 100] },
        axis: { values: [0, 50, 100] },
      },
    },
    layer: [
      { mark: { type: "bar", color: colours.paleBlue, height: { band: 0.7 } } },
      ...(cell < leastWritten.row ? [] : [number]),
    ],
  };
}

/** The matrix in letters: columns by number, rows by name and number. */
function textMatrix({ confusion, classes }: Confusion): string[] {
  const nameWidth = Math.max(...classes.map((name) => name.length));
  const numberWidth = String(classes.length - 1).length;
  const width = Math.max(...confusion.flat().map((count) => String(count).length), numberWidth) + 1;
  const line = (values: readonly number[]): string =>
    values.map((value) => String(value).padStart(width)).join("");
  return [
    "rows: true class, columns: predicted class",
    " ".repeat(nameWidth + numberWidth + 1) + line(classes.map((_, i) => i)),
    ...confusion.map(
      (row, i) => `${classes[i].padEnd(nameWidth)} ${String(i).padStart(numberWidth)}${line(row)}`,
    ),
  ];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
