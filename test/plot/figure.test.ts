import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { KatlabError } from "../../src/errors.js";
import { Figure } from "../../src/plot/figure.js";
import { pngSize } from "../../src/plot/png.js";

const figure = new Figure({
  chart: {
    data: { values: [{ a: 1 }] },
    width: 100,
    height: 50,
    mark: "point",
    encoding: { x: { field: "a" } },
  },
  text: "One point\nat 1",
});
const host = Symbol.for("jupyter.kernel");

afterEach(() => {
  vi.restoreAllMocks();
  Reflect.deleteProperty(globalThis, host);
});

test("is its text wherever there is only text", () => {
  expect(String(figure)).toBe("One point\nat 1");
  expect(inspect(figure)).toBe("One point\nat 1");
});

test("is its specification in JSON", () => {
  expect(JSON.parse(JSON.stringify(figure))).toEqual(JSON.parse(JSON.stringify(figure.spec)));
  expect(figure.spec).toMatchObject({ description: "One point", mark: "point", width: 100 });
});

test("gives notebooks what toDisplay returns", async () => {
  const shown = await (figure as unknown as Record<symbol, () => Promise<unknown>>)[
    Symbol.for("Jupyter.display")
  ]();
  expect(shown).toEqual(await figure.toDisplay());
  expect(await figure.toBundle()).toEqual((await figure.toDisplay()).data);
});

test("the picture has two pixels per unit, or as many as asked for", async () => {
  const { metadata, data } = await figure.toDisplay();
  const { width, height } = metadata["image/png"] as { width: number; height: number };
  expect(pngSize(data["image/png"] as Uint8Array)).toEqual({ width: 2 * width, height: 2 * height });
  expect(pngSize(await figure.toPng(1))).toEqual({ width, height });
});

describe("show", () => {
  test("displays the bundle in a notebook", async () => {
    const display = vi.fn();
    Object.assign(globalThis, { [host]: { display } });
    await figure.show();
    const { data, metadata } = await figure.toDisplay();
    expect(display.mock.calls).toEqual([[data, { metadata }]]);
  });

  test("writes the text anywhere else", async () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
    await figure.show();
    expect(log.mock.calls).toEqual([["One point\nat 1"]]);
  });
});

describe("save", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "katlab-figure-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test.each([
    ["chart.svg", /^<svg /],
    ["chart.PNG", /^.PNG/],
    ["chart.json", /"\$schema"/],
  ])("%s", async (name, content) => {
    await figure.save(join(folder, name));
    expect(await readFile(join(folder, name), "latin1")).toMatch(content);
  });

  test("knows no other ending", async () => {
    const saving = figure.save(join(folder, "chart.svgz"));
    await expect(saving).rejects.toThrow(KatlabError);
    await expect(saving).rejects.toMatchObject({ code: "unknown", remedy: 'Did you mean ".svg"?' });
  });
});
