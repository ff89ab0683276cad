import type * as Vega from "vega";
import type { VegaLiteSpec } from "./spec.js";
import { textWidth } from "./textWidth.js";

/**
 * Draws a specification as SVG. Needs neither browser nor canvas.
 *
 * Vega and Vega-Lite are imported here, not at the top: their module graphs hold a top-level await, which
 * would make the package impossible to `require`.
 */
export async function renderSvg(spec: VegaLiteSpec): Promise<string> {
  const [vega, { compile }] = await Promise.all([import("vega"), import("vega-lite")]);
  measureText(vega);
  const compiled = compile(spec as unknown as Parameters<typeof compile>[0]).spec;
  const view = new vega.View(vega.parse(compiled), { renderer: "none", logLevel: vega.Error });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/** The part of a text mark that its width depends on. */
interface TextItem {
  fontSize?: number;
  fontWeight?: string | number;
}

/** Without a canvas Vega takes every letter for an m, and leaves gaps; with one it is left alone. */
function measureText(vega: typeof Vega): void {
  const metrics = (vega as unknown as { textMetrics: Record<string, unknown> }).textMetrics;
  if (metrics.width !== metrics.estimateWidth) return;
  metrics.width = (
    { fontSize = 11, fontWeight }: TextItem,
    text: string | number | null | undefined,
  ): number => textWidth(String(text ?? ""), fontSize, fontWeight === "bold" || Number(fontWeight) >= 600);
}

/** How an SVG becomes a PNG. */
export interface PictureOptions {
  /** Pixels of the PNG per unit of the drawing, above 0. */
  scale: number;
  /** Room of its palette: lines and text need 16 colours, pictures and shaded fields 256, at twice the bytes. */
  colours: 16 | 256;
  /** How true the colours are, 1 to 100; 100 uses the whole palette. */
  quality: number;
}

/** Turns an SVG into a PNG with a palette, so that a notebook stays small. */
export async function renderPng(svg: string, { scale, ...palette }: PictureOptions): Promise<Uint8Array> {
  const { default: sharp } = await import("sharp");
  const bytes = await sharp(Buffer.from(svg), { density: 72 * scale })
    .png({ palette: true, ...palette, dither: 0, compressionLevel: 9, effort: 7 })
    .toBuffer();
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
