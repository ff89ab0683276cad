import { mustBe } from "../errors.js";
import { checkClassIndices, checkLength, checkNotEmpty, checkWhole } from "./figureChecks.js";
import { Figure } from "./figure.js";
import { counted, percent } from "./numbers.js";
import { encodePng, isPngChannels, pngAddress } from "./png.js";
import type { JsonObject } from "./spec.js";
import { cutToWidth } from "./textWidth.js";
import { colours } from "./theme.js";

/** Labelled images, and what a model takes them for. */
export interface LabelledImages {
  /** Pixels 0 to 255, `[images, height, width, channels]`, row-major. */
  images: Uint8Array;
  /** Height, width and channels of one image; channels 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA. */
  shape: readonly [height: number, width: number, channels: number];
  /** Class of each image, `[images]`. */
  labels: ArrayLike<number>;
  /** Class predicted for each image, `[images]`. */
  predictions?: ArrayLike<number>;
  /** Names of the classes; labels and predictions are their indices. */
  classes: readonly string[];
}

/** Settings of {@link plotImages}. */
export interface ImagePlotOptions {
  /** Line above the images; default "Images". */
  title?: string;
  /** Images beside each other, 1 to 12; default 8. */
  columns?: number;
  /** Images drawn at most, from the first, 1 to 96; default 24. The heading says how many there are. */
  limit?: number;
}

const subject = "plotImages";
const defaults = { columns: 8, limit: 24 };
const mostColumns = 12;
const mostImages = 96;
const gridWidth = 840;
/** Sizes in units of the figure: a cell at most, its picture at most, and the two lines of words under it. */
const mostCell = 105;
const mostPicture = 76;
const captionHeight = 40;
const captionSize = 11;

/**
 * Draws images in a grid, each with its class. With predictions, a right one stands under its image in grey; a wrong
 * one in red with a frame, and under it what the image is.
 *
 * @throws KatlabError `invalid` without an image, where pixels, labels or predictions do not fit together, or where a
 * label names no class
 */
export function plotImages(set: LabelledImages, options: ImagePlotOptions = {}): Figure {
  const { columns, limit } = { ...defaults, ...options };
  checkWhole(subject, "columns", columns, { from: 1, to: mostColumns });
  checkWhole(subject, "limit", limit, { from: 1, to: mostImages });
  checkSet(set);
  const shown = Math.min(limit, set.labels.length);
  const captions = Array.from({ length: shown }, (_, i) => captionOf(set, i));
  const title = options.title ?? "Images";
  const heading = headingOf(set, shown);
  const layout = layoutOf(Math.min(columns, shown), set.shape);
  return new Figure({
    chart: {
      title: { text: title, subtitle: heading, offset: 12 },
      data: {
        values: captions.map((caption, i) => ({
          x: layout.cell * (i % layout.across),
          y: layout.step * Math.floor(i / layout.across),
          image: pictureOf(set, i),
          first: cutToWidth(caption.first, layout.cell - 6, captionSize),
          second: cutToWidth(caption.second, layout.cell - 6, captionSize),
          verdict: caption.verdict,
        })),
      },
      width: layout.cell * layout.across,
      height: layout.step * Math.ceil(shown / layout.across),
      ...grid(layout),
    },
    text: [`${title}: ${heading}`, ...textGrid(captions, layout.across)].join("\n"),
    colours: 256,
  });
}

function checkSet({ images, shape, labels, predictions, classes }: LabelledImages): void {
  const [height, width, channels] = shape;
  checkNotEmpty(subject, "image", labels.length);
  checkNotEmpty(subject, "class", classes.length);
  if (!isPngChannels(channels)) {
    throw mustBe({
      subject,
      must: "images must have 1 to 4 channels",
      got: String(channels),
      remedy: "Pick the channels to show.",
    });
  }
  checkLength(subject, "images", images, labels.length * height * width * channels);
  checkClassIndices(subject, "labels", labels, classes.length);
  if (predictions === undefined) return;
  checkLength(subject, "predictions", predictions, labels.length);
  checkClassIndices(subject, "predictions", predictions, classes.length);
}

/** What stands under an image: one line, and a second where the prediction is wrong. */
interface Caption {
  first: string;
  second: string;
  verdict: "right" | "wrong" | "unknown";
}

function captionOf({ labels, predictions, classes }: LabelledImages, i: number): Caption {
  const label = classes[labels[i]];
  if (predictions === undefined) return { first: label, second: "", verdict: "unknown" };
  if (predictions[i] === labels[i]) return { first: `✓ ${label}`, second: "", verdict: "right" };
  return { first: `✗ ${classes[predictions[i]]}`, second: `is ${label}`, verdict: "wrong" };
}

function headingOf({ labels, predictions }: LabelledImages, shown: number): string {
  const all = counted(labels.length, "image");
  const parts = [shown < labels.length ? `the first ${shown} of ${all}` : all];
  if (predictions !== undefined) {
    let right = 0;
    for (let i = 0; i < labels.length; i++) if (predictions[i] === labels[i]) right++;
    parts.push(`${percent(right / labels.length)} right`, "red frames mark wrong predictions");
  }
  return parts.join(" · ");
}

function pictureOf({ images, shape }: LabelledImages, i: number): string {
  const size = shape[0] * shape[1] * shape[2];
  return pngAddress(encodePng(images.subarray(i * size, (i + 1) * size), shape));
}

/** Where images lie: `across` cells in a row, each `cell` wide and `step` high, in whole units. */
interface Layout {
  across: number;
  cell: number;
  step: number;
  width: number;
  height: number;
}

function layoutOf(across: number, [height, width]: LabelledImages["shape"]): Layout {
  const cell = Math.floor(Math.min(mostCell, gridWidth / across));
  const scale = Math.min(mostPicture, 0.8 * cell) / Math.max(height, width);
  const drawn = { width: Math.round(width * scale), height: Math.round(height * scale) };
  return { across, cell, step: drawn.height + captionHeight, ...drawn };
}

function grid({ width, height }: Layout): JsonObject {
  const words = (line: keyof Caption, dy: number): JsonObject => ({
    mark: { type: "text", align: "left", baseline: "top", dy, fontSize: captionSize },
    encoding: {
      text: { field: line, type: "nominal" },
      color: { condition: { test: wrong, value: colours.vermilion }, value: colours.ink },
    },
  });
  return {
    encoding: { x: units("x"), y: units("y") },
    layer: [
      {
        // Pixels stay squares: smoothing would invent what is between them.
        mark: { type: "image", align: "left", baseline: "top", width, height, smooth: false },
        encoding: { url: { field: "image", type: "nominal" } },
      },
      {
        transform: [
          { filter: wrong },
          { calculate: `datum.x + ${width}`, as: "right" },
          { calculate: `datum.y + ${height}`, as: "bottom" },
        ],
        mark: { type: "rect", filled: false, stroke: colours.vermilion, strokeWidth: 3 },
        encoding: { x2: { field: "right" }, y2: { field: "bottom" } },
      },
      words("first", height + 5),
      words("second", height + 18),
    ],
  };
}

const wrong = "datum.verdict === 'wrong'";

/** A position that is in units of the figure already. */
function units(field: string): JsonObject {
  return { field, type: "quantitative", scale: null, axis: null };
}

/** The captions in columns, both lines in one. */
function textGrid(captions: readonly Caption[], across: number): string[] {
  const cells = captions.map(({ first, second }) => (second === "" ? first : `${first} (${second})`));
  const width = Math.max(...cells.map((cell) => cell.length));
  return Array.from({ length: Math.ceil(cells.length / across) }, (_, row) =>
    cells
      .slice(row * across, (row + 1) * across)
      .map((cell) => cell.padEnd(width))
      .join("  ")
      .trimEnd(),
  );
}
