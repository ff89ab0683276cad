import { describe, expect, test } from "vitest";
import { colours, ordered, shares } from "../../src/plot/theme.js";

type Rgb = [number, number, number];

/** Linear light of a colour as `#rrggbb`. */
function linear(colour: string): Rgb {
  return [1, 3, 5].map((at) => {
    const value = parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as Rgb;
}

/** Relative luminance, 0 to 1 (WCAG 2). */
function luminance(colour: string): number {
  const [r, g, b] = linear(colour);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

/** What eyes without one kind of cone see (Viénot, Brettel and Mollon 1999). */
const blindness: Record<string, (rgb: Rgb) => Rgb> = {
  protanopia: ([r, g, b]) => [
    0.11238 * r + 0.88762 * g,
    0.11238 * r + 0.88762 * g,
    0.00401 * r - 0.00401 * g + b,
  ],
  deuteranopia: ([r, g, b]) => [
    0.29275 * r + 0.70725 * g,
    0.29275 * r + 0.70725 * g,
    -0.02234 * r + 0.02234 * g + b,
  ],
};

function apart(a: string, b: string, see: (rgb: Rgb) => Rgb): number {
  const [x, y] = [see(linear(a)), see(linear(b))].map((rgb) =>
    rgb.map((value) => Math.cbrt(Math.max(0, value))),
  );
  return Math.hypot(...x.map((value, i) => value - y[i]));
}

describe.each(Object.entries(blindness))("with %s", (_, see) => {
  test.each([
    [colours.blue, colours.vermilion],
    [colours.blue, colours.paleBlue],
    [colours.paleBlue, colours.vermilion],
    [colours.ink, colours.vermilion],
  ])("%s and %s stay apart", (a, b) => {
    expect(apart(a, b, see)).toBeGreaterThan(0.25);
  });
});

test.each([1, 2, 8, 24])("%d ordered colours go from dark to light", (count) => {
  const lights = ordered(count).map(luminance);
  expect(lights).toHaveLength(count);
  for (let i = 1; i < count; i++) expect(lights[i]).toBeGreaterThan(lights[i - 1]);
  expect(contrast(ordered(count)[count - 1], colours.paper)).toBeGreaterThan(1.5);
});

test("words can be read on paper", () => {
  for (const colour of [colours.ink, colours.muted, colours.green]) {
    expect(contrast(colour, colours.paper)).toBeGreaterThan(4.5);
  }
  expect(contrast(colours.vermilion, colours.paper)).toBeGreaterThan(3);
});

test("words can be read on every share's colour", () => {
  // The scale runs over the square root of the share through equally spaced colours.
  const colourOf = (share: number): string => {
    const place = Math.sqrt(share) * (shares.range.length - 1);
    const before = Math.min(Math.floor(place), shares.range.length - 2);
    const mixed = [1, 3, 5].map((at) => {
      const [from, to] = [before, before + 1].map((i) => parseInt(shares.range[i].slice(at, at + 2), 16));
      return Math.round(from + (place - before) * (to - from));
    });
    return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
  };
  for (let share = 0; share <= 1; share += 0.01) {
    const ink = share > shares.inkTurns ? colours.paper : colours.ink;
    expect(contrast(colourOf(share), ink), `at ${share}`).toBeGreaterThan(3.9);
  }
});
