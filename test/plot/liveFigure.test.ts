import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Figure } from "../../src/plot/figure.js";
import { LiveFigure } from "../../src/plot/liveFigure.js";

const host = Symbol.for("jupyter.kernel");

function figureOf(text: string): Figure {
  return new Figure({ chart: { data: { values: [] }, mark: "point" }, text });
}

/** Calls of `display` as [text, update, has a picture]. */
function shownBy(display: ReturnType<typeof vi.fn>): unknown[] {
  return display.mock.calls.map(([data, options]) => {
    const bundle = data as Record<string, unknown>;
    return [bundle["text/plain"], (options as { update: boolean }).update, "image/png" in bundle];
  });
}

describe("in a notebook", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test("shows the first state at once, then the newest five times a second", () => {
    const display = vi.fn();
    const live = new LiveFigure({ host: { display } });
    const drawn: number[] = [];
    for (let i = 0; i < 99; i++) {
      live.update(() => (drawn.push(i), figureOf(String(i))));
      vi.advanceTimersByTime(10);
    }
    // A state every 10 ms for 0.99 s: shown at 0, 200, 400, 600, 800 ms.
    expect(drawn).toEqual([0, 19, 39, 59, 79]);
    expect(shownBy(display)).toEqual(drawn.map((i) => [String(i), i > 0, false]));
  });

  test("keeps to one output", () => {
    const display = vi.fn();
    const live = new LiveFigure({ host: { display }, perSecond: 100 });
    const other = new LiveFigure({ host: { display }, perSecond: 100 });
    for (const target of [live, live, other]) {
      target.update(() => figureOf("x"));
      vi.advanceTimersByTime(10);
    }
    const ids = display.mock.calls.map(([, options]) => (options as { id: string }).id);
    expect(ids[0]).toBe(ids[1]);
    expect(ids[2]).not.toBe(ids[0]);
  });

  test("finishes with the last state and its picture, and stays quiet after", async () => {
    const display = vi.fn();
    const live = new LiveFigure({ host: { display } });
    live.update(() => figureOf("first"));
    live.update(() => figureOf("last"));
    await live.finish();
    vi.advanceTimersByTime(1000);
    expect(shownBy(display)).toEqual([
      ["first", false, false],
      ["last", true, true],
    ]);
  });

  test("hands an error of a later drawing to the next call", () => {
    const live = new LiveFigure({ host: { display: vi.fn() } });
    const fault = new Error("cannot draw");
    live.update(() => figureOf("first"));
    live.update(() => {
      throw fault;
    });
    vi.advanceTimersByTime(1000);
    expect(() => live.update(() => figureOf("next"))).toThrow(fault);
    expect(() => live.update(() => figureOf("next"))).not.toThrow();
  });

  test("uses the kernel's own host", () => {
    const display = vi.fn();
    Object.assign(globalThis, { [host]: { display } });
    try {
      const live = new LiveFigure();
      expect(live.visible).toBe(true);
      live.update(() => figureOf("here"));
      expect(shownBy(display)).toEqual([["here", false, false]]);
    } finally {
      Reflect.deleteProperty(globalThis, host);
    }
  });
});

describe("without a notebook", () => {
  test("draws nothing until the end, and then writes the text", async () => {
    const write = vi.fn();
    const draw = vi.fn(() => figureOf("the end"));
    const live = new LiveFigure({ write });
    expect(live.visible).toBe(false);
    for (let i = 0; i < 10; i++) live.update(draw);
    expect(draw).not.toHaveBeenCalled();
    await live.finish();
    expect(write.mock.calls).toEqual([["the end"]]);
  });

  test("shows nothing where nothing was drawn", async () => {
    const write = vi.fn();
    await new LiveFigure({ write }).finish();
    expect(write).not.toHaveBeenCalled();
  });
});
