import type { LayerActivationData, ActivationData } from "./activationData.js";
import { activationPanels, type PanelGrid } from "./activationPanels.js";
import { checkCounts, checkFinite, checkLength, checkNotEmpty, checkWhole } from "./figureChecks.js";
import { Figure } from "./figure.js";

/** Settings of {@link plotActivations}. */
export interface ActivationPlotOptions {
  /** Line above the chart; default names the model. */
  title?: string;
  /** Panels beside each other, 1 to 6; default 4, fewer where a model has fewer. */
  columns?: number;
}

const subject = "plotActivations";
const mostColumns = 6;
/** Curves that a notebook output holds in full. */
const mostCurves = 64;

/**
 * Draws the learned activations: one panel for each, with the function of every group, the function they started
 * as (dashed), and underneath how the inputs of each group are spread. Activations of the same name in different
 * blocks stand side by side on one scale, so that a row shows how they change with depth.
 *
 * @throws KatlabError `invalid` without an activation or a group, with lists of different lengths, or with values
 * that are not finite
 */
export function plotActivations(learned: ActivationData, options: ActivationPlotOptions = {}): Figure {
  const { model, activations } = learned;
  const columns = options.columns ?? 4;
  checkWhole(subject, "columns", columns, { from: 1, to: mostColumns });
  checkNotEmpty(subject, "activation", activations.length);
  activations.forEach(checkActivation);
  const kinds = byKind(activations);
  const groups = new Set(activations.flatMap((activation) => activation.groups.map(({ group }) => group)));
  const grid: PanelGrid = {
    columns: Math.min(columns, Math.max(...kinds.map((kind) => kind.length))),
    groups: [...groups].sort((a, b) => a - b),
    detail: Math.min(
      1,
      mostCurves / activations.reduce((sum, activation) => sum + activation.groups.length, 0),
    ),
  };
  const title = options.title ?? `Learned activations of ${model}`;
  const legend = [
    "lines: F(x) of each group of channels · dashed: the start",
    "below: how the inputs x are spread",
  ];
  return new Figure({
    chart: {
      title: { text: title, subtitle: legend, offset: 16 },
      resolve: { scale: { color: "shared" } },
      spacing: 20,
      vconcat: kinds.map((kind) => activationPanels(kind, grid)),
    },
    text: [`${title}; ${legend.join(" · ")}`, ...changeTable(activations)].join("\n"),
    colours: 256,
  });
}

function checkActivation({ layer, groups }: LayerActivationData): void {
  checkNotEmpty(`${subject}: ${layer}`, "group", groups.length);
  for (const { group, x, y, startY, histogram } of groups) {
    const where = `${subject}: ${layer}, group ${group}`;
    checkNotEmpty(where, "point", x.length);
    checkLength(where, "y", y, x.length);
    checkLength(where, "startY", startY, x.length);
    checkLength(where, "histogram.edges", histogram.edges, histogram.counts.length + 1);
    checkFinite(where, "x", x);
    checkFinite(where, "y", y);
    checkFinite(where, "startY", startY);
    checkFinite(where, "histogram.edges", histogram.edges);
    checkCounts(where, "histogram.counts", histogram.counts);
  }
}

/** Activations by the last part of their name: `act1` of every block, then `act2` of every block. */
function byKind(activations: readonly LayerActivationData[]): LayerActivationData[][] {
  const kinds = new Map<string, LayerActivationData[]>();
  for (const activation of activations) {
    const name = activation.layer.split(".").at(-1) ?? "";
    kinds.set(name, [...(kinds.get(name) ?? []), activation]);
  }
  return [...kinds.values()];
}

function changeTable(activations: readonly LayerActivationData[]): string[] {
  const width = Math.max(5, ...activations.map(({ layer }) => layer.length));
  const startWidth = Math.max(5, ...activations.map(({ start }) => start.length));
  return [
    `${"layer".padEnd(width)}  ${"start".padEnd(startWidth)}  groups  inputs            largest change`,
    ...activations.map(({ layer, start, groups }) => {
      const x = groups.flatMap((group) => group.x);
      const range = `${Math.min(...x).toFixed(2)} to ${Math.max(...x).toFixed(2)}`;
      const changes = groups.flatMap(({ y, startY }) => y.map((value, i) => Math.abs(value - startY[i])));
      const count = String(groups.length).padStart(6);
      const change = Math.max(...changes).toFixed(3);
      return `${layer.padEnd(width)}  ${start.padEnd(startWidth)}  ${count}  ${range.padEnd(16)}  ${change}`;
    }),
  ];
}
