import sharp from "sharp";
import { compile, type TopLevelSpec } from "vega-lite";
import { describe, expect, test } from "vitest";
import { plotActivations } from "../../src/plot/plotActivations.js";
import { plotConfusion } from "../../src/plot/plotConfusion.js";
import { plotImages } from "../../src/plot/plotImages.js";
import { plotTraining } from "../../src/plot/plotTraining.js";
import type { Figure } from "../../src/plot/figure.js";
import { sampleActivations, sampleConfusion, sampleHistory, sampleImages } from "./samples.js";

const { predictions, ...unseen } = sampleImages(24);
const figures: Record<string, () => Figure> = {
  "training, one step": () => plotTraining(sampleHistory({ steps: 1, epochs: 0 })),
  "training, five epochs": () => plotTraining(sampleHistory({ steps: 1170, epochs: 5 })),
  "training, 200 epochs and the learning rate": () =>
    plotTraining(sampleHistory({ steps: 40_000, epochs: 200 }), { learningRate: true }),
  "activations, four blocks": () => plotActivations(sampleActivations(4)),
  "activations, one function": () => plotActivations(sampleActivations(1, 1)),
  "images without predictions": () => plotImages(unseen),
  "images with predictions": () => plotImages({ ...unseen, predictions }),
  "confusion of ten classes": () => plotConfusion(sampleConfusion()),
  "confusion of 40 classes": () => plotConfusion(sampleConfusion(40)),
};

/** Bytes of a bundle as one output of a notebook file, every line of it indented as there. */
function notebookBytes(data: Record<string, unknown>): number {
  const plain = Object.fromEntries(
    Object.entries(data).map(([mime, value]) => [
      mime,
      value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value,
    ]),
  );
  return Buffer.byteLength(JSON.stringify([{ data: plain, output_type: "display_data" }], null, 1));
}

describe.each(Object.entries(figures))("%s", (_, draw) => {
  const figure = draw();

  test("compiles without a warning", () => {
    const warnings: unknown[] = [];
    const logger = {
      level: () => logger,
      error: (...all: unknown[]) => (warnings.push(all), logger),
      warn: (...all: unknown[]) => (warnings.push(all), logger),
      info: () => logger,
      debug: () => logger,
    };
    // The schema is named for JupyterLab, which draws version 5; the compiler here is 6.
    const { $schema, ...spec } = figure.spec;
    compile(spec as unknown as TopLevelSpec, { logger: logger });
    expect(warnings).toEqual([]);
    expect($schema).toContain("/v5.json");
  });

  test("draws without a browser, no wider than a notebook", async () => {
    expect(globalThis).not.toHaveProperty("document");
    const svg = await figure.toSvg();
    expect(svg).toMatch(/^<svg /);
    const [, width] = /width="(\d+)"/.exec(svg) ?? [];
    expect(Number(width)).toBeGreaterThan(150);
    expect(Number(width)).toBeLessThanOrEqual(900);
  });

  test("is one bundle of specification, picture and text, light enough for a notebook", async () => {
    const { data, metadata } = await figure.toDisplay();
    expect(Object.keys(data)).toEqual(["application/vnd.vegalite.v5+json", "text/plain", "image/png"]);
    expect(notebookBytes(data)).toBeLessThan(100_000);
    const png = data["image/png"] as Uint8Array;
    expect([...png.subarray(0, 8)]).toEqual([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    const { width, height } = await sharp(png).metadata();
    const shown = metadata["image/png"] as { width: number; height: number };
    expect(width / shown.width).toBeCloseTo(height / shown.height, 1);
    expect(width).toBeGreaterThanOrEqual(shown.width);
  });

  test("describes itself", () => {
    expect(figure.spec.description).toBe(figure.text.split("\n")[0]);
    expect(figure.spec.description.length).toBeGreaterThan(10);
  });
});
