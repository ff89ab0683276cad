import type { JsonObject } from "./spec.js";

/**
 * The look of every chart, in one place. The hues are those of Okabe and Ito (2008), which stay apart
 * for every common kind of colour blindness; each pair used together also differs in lightness.
 */
export const colours: {
  readonly ink: string;
  readonly muted: string;
  readonly rule: string;
  readonly paper: string;
  readonly blue: string;
  readonly paleBlue: string;
  readonly vermilion: string;
  readonly green: string;
  readonly shade: string;
} = {
  ink: "#1f2328",
  muted: "#656d76",
  rule: "#e6e8eb",
  paper: "#ffffff",
  blue: "#0072b2",
  paleBlue: "#a6cfe6",
  vermilion: "#d55e00",
  green: "#00785a",
  shade: "#dfe3e8",
};

/** Colours for shares from none to all, light to dark blue, and the share from which text on them turns white. */
export const shares: { readonly range: readonly string[]; readonly inkTurns: number } = {
  range: ["#f5f7f9", "#a6cfe6", colours.blue, "#08306b"],
  inkTurns: 0.35,
};

/** Anchors of Viridis, dark to light, without its yellow end, which vanishes on white. */
const viridis = ["#440154", "#443983", "#31688e", "#21918c", "#35b779", "#90d743"];

/** `count` colours in an order that holds for every kind of colour blindness and in grey: dark to light. */
export function ordered(count: number): string[] {
  return Array.from({ length: count }, (_, i) => {
    const place = count === 1 ? 0 : (i / (count - 1)) * (viridis.length - 1);
    const before = Math.min(Math.floor(place), viridis.length - 2);
    return mixed(viridis[before], viridis[before + 1], place - before);
  });
}

function mixed(from: string, to: string, share: number): string {
  const channels = [1, 3, 5].map((at) => {
    const [a, b] = [from, to].map((colour) => parseInt(colour.slice(at, at + 2), 16));
    return Math.round(a + share * (b - a));
  });
  return `#${channels.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

const font = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif";

/** Vega-Lite configuration shared by all charts. */
export const theme: JsonObject = {
  background: colours.paper,
  padding: 8,
  font,
  view: { stroke: null },
  axis: {
    domain: false,
    grid: true,
    gridColor: colours.rule,
    labelColor: colours.muted,
    labelFontSize: 11,
    labelPadding: 4,
    tickColor: colours.rule,
    tickSize: 4,
    labelFlush: false,
    titleColor: colours.ink,
    titleFontSize: 11,
    titleFontWeight: "normal",
    titlePadding: 8,
  },
  header: { labelColor: colours.ink, labelFontSize: 12, titleColor: colours.ink },
  legend: {
    labelColor: colours.ink,
    labelFontSize: 11,
    symbolStrokeWidth: 2.5,
    titleColor: colours.muted,
    titleFontSize: 11,
    titleFontWeight: "normal",
  },
  title: {
    anchor: "start",
    color: colours.ink,
    fontSize: 13,
    fontWeight: "bold",
    offset: 8,
    subtitleColor: colours.muted,
    subtitleFontSize: 11,
    subtitlePadding: 4,
  },
  concat: { spacing: 28 },
};
