import type { GroupActivationData, HistogramData } from "./activationData.js";
import { rounded } from "./numbers.js";
import { simplify } from "./thinning.js";

/** Points of a line. */
export interface Curve {
  x: number[];
  y: number[];
}

/** One axis of a panel: what it spans, and how finely a panel of its size can show it. */
export interface Scale {
  domain: [number, number];
  /** Decimals that tell a quarter of a unit of the figure apart. */
  decimals: number;
}

/** Both axes of a panel of curves, and how much of each curve to keep. */
export interface Scales {
  x: Scale;
  y: Scale;
  /** Above 0; 1 keeps what a reader can see, a figure of very many curves keeps less. */
  detail: number;
}

/** Vertical distance, as a share of the axis, that a thinned curve may be off: half a unit of the figure. */
const tolerance = 0.004;
/** Bins drawn for each group: more cannot be told apart in a small panel, fewer show no shape. */
const bins = { most: 16, least: 8 };

/** A scale that holds all `values` with a margin, drawn over so many `units` of the figure. */
export function scaleOf(values: Iterable<number>, units: number): Scale {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const margin = low < high ? 0.03 * (high - low) : 1;
  const domain: [number, number] = [rounded(low - margin) ?? 0, rounded(high + margin) ?? 0];
  return { domain, decimals: decimalsFor(high - low + 2 * margin, units) };
}

/** The function of a group as it is now. */
export function learnedCurve({ x, y }: GroupActivationData, scales: Scales): Curve {
  return thinned(x, y, scales);
}

/** The function all groups started as: their points, put together, are one curve. */
export function startCurve(groups: readonly GroupActivationData[], scales: Scales): Curve {
  const points = groups.flatMap(({ x, startY }) => x.map((at, i) => ({ at, value: startY[i] })));
  const rising = points
    .sort((a, b) => a.at - b.at)
    .filter(({ at }, i, sorted) => i === 0 || at > sorted[i - 1].at);
  return thinned(
    rising.map(({ at }) => at),
    rising.map(({ value }) => value),
    scales,
  );
}

function thinned(x: readonly number[], y: readonly number[], scales: Scales): Curve {
  const [low, high] = scales.y.domain;
  const kept = simplify(x, y, (tolerance / scales.detail) * (high - low));
  return {
    x: kept.map((i) => toDecimals(x[i], scales.x.decimals)),
    y: kept.map((i) => toDecimals(y[i], scales.y.decimals)),
  };
}

/**
 * A histogram as a line: the share of the inputs per unit of x at the middle of each bin, neighbouring bins joined
 * where there are many.
 *
 * @param units - height in units of the figure over which it is drawn
 */
export function densityCurve({ edges, counts }: HistogramData, scales: Scales, units: number): Curve {
  const wanted = Math.max(bins.least, Math.floor(bins.most * scales.detail));
  const join = Math.ceil(counts.length / wanted);
  const total = Math.max(1, sum(counts));
  const x: number[] = [];
  const y: number[] = [];
  for (let start = 0; start < counts.length; start += join) {
    const end = Math.min(start + join, counts.length);
    x.push(toDecimals((edges[start] + edges[end]) / 2, scales.x.decimals));
    y.push(sum(counts.slice(start, end)) / total / (edges[end] - edges[start]));
  }
  const decimals = decimalsFor(Math.max(...y, Number.MIN_VALUE), units);
  return { x, y: y.map((value) => toDecimals(value, decimals)) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Decimals that tell a quarter of a unit apart where `range` is drawn over so many units of the figure. */
function decimalsFor(range: number, units: number): number {
  return Math.min(20, Math.max(0, Math.ceil(Math.log10((4 * units) / range))));
}

function toDecimals(value: number, decimals: number): number {
  return Number(value.toFixed(decimals));
}
