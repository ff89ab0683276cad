import { writeFile } from "node:fs/promises";
import { extname } from "node:path";
import { unknownOption } from "../errors.js";
import { renderPng, renderSvg } from "./render.js";
import type { JsonObject, MimeBundle, VegaLiteSpec } from "./spec.js";
import { theme } from "./theme.js";

/** JupyterLab up to 4.7 draws this MIME type; newer majors would show as text. */
export const vegaLiteMime = "application/vnd.vegalite.v5+json";
const jupyterDisplay: unique symbol = Symbol.for("Jupyter.display");
const nodeInspect: unique symbol = Symbol.for("nodejs.util.inspect.custom");
const pictureScale = 2;
const schema = "https://vega.github.io/schema/vega-lite/v5.json";

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

  constructor({ chart, text }: FigureParts) {
    this.spec = { $schema: schema, description: text.split("\n", 1)[0], config: theme, ...chart };
    this.text = text;
  }

  /** The figure as SVG text. */
  async toSvg(): Promise<string> {
    return renderSvg(this.spec);
  }

  /**
   * The figure as PNG bytes.
   *
   * @param scale - pixels per unit of the figure, above 0; default 2, sharp on dense screens
   */
  async toPng(scale: number = pictureScale): Promise<Uint8Array> {
    return renderPng(await this.toSvg(), scale);
  }

  /** The figure in every MIME type: Vega-Lite for JupyterLab, PNG for pages without scripts, text for terminals. */
  async toBundle(): Promise<MimeBundle> {
    return (await this.toDisplay()).data;
  }

  /** The bundle without the picture, which takes most of the time: for charts that are redrawn while code runs. */
  toLightBundle(): MimeBundle {
    return { [vegaLiteMime]: this.spec, "text/plain": this.text };
  }

  /** The specification, for any other Vega-Lite program. */
  toJSON(): VegaLiteSpec {
    return this.spec;
  }

  /** The figure in words and numbers. */
  toString(): string {
    return this.text;
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

  /** The bundle with the metadata a notebook keeps: the size at which the picture is to be shown. */
  async toDisplay(): Promise<DisplayBundle> {
    const png = await this.toPng(pictureScale);
    return {
      data: { ...this.toLightBundle(), "image/png": png },
      metadata: { "image/png": pictureSize(png, pictureScale) },
    };
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

/** Size at which a PNG of `scale` pixels per unit is to be shown. Width and height open every PNG, after 16 bytes. */
export function pictureSize(png: Uint8Array, scale: number): { width: number; height: number } {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  return { width: Math.round(view.getUint32(16) / scale), height: Math.round(view.getUint32(20) / scale) };
}
