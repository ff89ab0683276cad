import { writeFile } from "node:fs/promises";
import { extname } from "node:path";
import { unknownOption } from "../errors.js";
import { notebookHost } from "./displayHost.js";
import { pngSize } from "./png.js";
import { renderPng, renderSvg } from "./render.js";
import type { JsonObject, MimeBundle, VegaLiteSpec } from "./spec.js";
import { theme } from "./theme.js";

/** JupyterLab up to 4.7 draws this MIME type; newer majors would show as text. */
export const vegaLiteMime = "application/vnd.vegalite.v5+json";
const schema = "https://vega.github.io/schema/vega-lite/v5.json";
const jupyterDisplay: unique symbol = Symbol.for("Jupyter.display");
const nodeInspect: unique symbol = Symbol.for("nodejs.util.inspect.custom");

/** Ways to draw the picture, best first; a crowded figure takes a later one. */
const pictureGrades = [
  { scale: 2, quality: 100 },
  { scale: 2, quality: 60 },
  { scale: 1.5, quality: 60 },
  { scale: 1.5, quality: 30 },
  { scale: 1, quality: 30 },
] as const;
/** Bytes that one output may take in a notebook file, so that saved notebooks stay light. */
const outputBytes = 98_500;
/** Notebook files indent every line of an output by this much. */
const notebookIndent = 6;

/** What a notebook is given: the data by MIME type, and sizes for the picture. */
export interface DisplayBundle {
  /** The figure in each MIME type. */
  readonly data: MimeBundle;
  /** Notebook metadata by MIME type. */
  readonly metadata: JsonObject;
}

/** What a figure is made of. */
export interface FigureParts {
  /** The chart, without `$schema`, `description` and `config`, which the figure adds. */
  chart: JsonObject;
  /** The figure in words and numbers; its first line describes the chart to screen readers. */
  text: string;
  /** Colours of the picture: 16 for lines and text, 256 for photographs and shaded fields; default 16. */
  colours?: 16 | 256;
}

/**
 * A chart as plain data: a Vega-Lite specification and a text of the same content. As the last expression
 * of a notebook cell it shows itself: interactive in JupyterLab, as a picture on GitHub and in exports, as
 * text in a terminal.
 */
export class Figure {
  /** The complete Vega-Lite specification. */
  readonly spec: VegaLiteSpec;
  /** The figure in words and numbers. */
  readonly text: string;
  readonly #colours: 16 | 256;

  constructor({ chart, text, colours = 16 }: FigureParts) {
    this.spec = { $schema: schema, description: text.split("\n", 1)[0], config: theme, ...chart };
    this.text = text;
    this.#colours = colours;
  }

  /** The figure as SVG text. */
  toSvg(): Promise<string> {
    return renderSvg(this.spec);
  }

  /**
   * The figure as PNG bytes.
   *
   * @param scale - pixels per unit of the figure, above 0; default 2, sharp on dense screens
   */
  async toPng(scale = 2): Promise<Uint8Array> {
    return renderPng(await this.toSvg(), { scale, quality: 100, colours: this.#colours });
  }

  /** The figure in every MIME type: Vega-Lite for JupyterLab, PNG for pages without scripts, text for terminals. */
  async toBundle(): Promise<MimeBundle> {
    return (await this.toDisplay()).data;
  }

  /** The bundle without the picture, which takes most of the time: for charts that are redrawn while code runs. */
  toLightBundle(): MimeBundle {
    return { [vegaLiteMime]: this.spec, "text/plain": this.text };
  }

  /**
   * The bundle with the metadata a notebook keeps: the size at which the picture is to be shown. The picture has
   * two pixels per unit of the figure, fewer where the output would take more than 98 kB of a notebook file.
   */
  async toDisplay(): Promise<DisplayBundle> {
    const light = this.toLightBundle();
    const room = outputBytes - notebookBytes(light);
    const svg = await this.toSvg();
    let png: Uint8Array = new Uint8Array();
    let shownAt: JsonObject = {};
    for (const { scale, quality } of pictureGrades) {
      png = await renderPng(svg, { scale, quality, colours: this.#colours });
      const { width, height } = pngSize(png);
      shownAt = { width: Math.round(width / scale), height: Math.round(height / scale) };
      if ((png.length * 4) / 3 <= room) break;
    }
    return { data: { ...light, "image/png": png }, metadata: { "image/png": shownAt } };
  }

  /**
   * Shows the figure now, wherever the cell is: as an output of its own in a notebook with our kernel, else as text
   * on the console.
   */
  async show(): Promise<void> {
    const host = notebookHost();
    if (host === undefined) {
      console.log(this.text);
      return;
    }
    const { data, metadata } = await this.toDisplay();
    host.display(data, { metadata });
  }

  /**
   * Writes the figure to a file; the ending chooses the form: `.svg`, `.png` or `.json` (the specification).
   *
   * @throws KatlabError `unknown` for any other ending
   */
  async save(path: string): Promise<void> {
    const ending = extname(path).toLowerCase();
    if (ending === ".svg") await writeFile(path, await this.toSvg());
    else if (ending === ".png") await writeFile(path, await this.toPng());
    else if (ending === ".json") await writeFile(path, `${JSON.stringify(this.spec, null, 1)}\n`);
    else throw unknownOption("Figure.save: file ending", ending, [".svg", ".png", ".json"]);
  }

  /** The specification, for any other Vega-Lite program. */
  toJSON(): VegaLiteSpec {
    return this.spec;
  }

  /** The figure in words and numbers. */
  toString(): string {
    return this.text;
  }

  /** Shows the figure as the result of a notebook cell. */
  [jupyterDisplay](): Promise<DisplayBundle> {
    return this.toDisplay();
  }

  /** Text in terminals and in notebook kernels that know no MIME bundles. */
  [nodeInspect](): string {
    return this.text;
  }
}

/** Bytes a bundle without binary data takes in a notebook file, which puts every value on a line of its own. */
function notebookBytes(bundle: MimeBundle): number {
  const text = JSON.stringify(bundle, null, 1);
  return Buffer.byteLength(text) + notebookIndent * (text.split("\n").length - 1);
}
