import type { VegaLiteSpec } from "./spec.js";

/**
 * Draws a specification as SVG. Needs neither browser nor canvas.
 *
 * Vega and Vega-Lite are imported here, not at the top: their module graphs hold a top-level await, which
 * would make the package impossible to `require`.
 */
export async function renderSvg(spec: VegaLiteSpec): Promise<string> {
  const [vega, { compile }] = await Promise.all([import("vega"), import("vega-lite")]);
  const compiled = compile(spec as unknown as Parameters<typeof compile>[0]).spec;
  const view = new vega.View(vega.parse(compiled), { renderer: "none", logLevel: vega.Error });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/**
 * Turns an SVG into a PNG with a palette of 128 colours: charts have few, and a notebook stays small.
 *
 * @param svg - the drawing, one user unit per pixel
 * @param scale - pixels of the PNG per user unit, above 0
 */
export async function renderPng(svg: string, scale: number): Promise<Uint8Array> {
  const { default: sharp } = await import("sharp");
  const bytes = await sharp(Buffer.from(svg), { density: 72 * scale })
    .png({ palette: true, colours: 128, dither: 0, compressionLevel: 9, effort: 7 })
    .toBuffer();
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
