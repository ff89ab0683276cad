import type { LayerOutline } from "../layers/outline.js";

/** A model's layers with their shapes, parameters and costs for one image: plain data that prints itself. */
export class ModelDescription {
  /** Name of the model, for example `"kat_tiny_patch16_224"`. */
  readonly name: string;
  /** Shape of one image. */
  readonly input: readonly number[];
  /** Shape of its logits. */
  readonly output: readonly number[];
  /** Number of values that training changes. */
  readonly parameters: number;
  /**
   * Multiply-adds of one forward pass as the KAT paper counts them, without the attention's own matrix products:
   * `outline` says what is counted.
   */
  readonly multiplyAdds: number;
  /** Multiply-adds with query·keyᵀ and attention·value. */
  readonly multiplyAddsWithAttention: number;
  /** The layers in order of use, each with its own layers. */
  readonly layers: readonly LayerOutline[];

  constructor(name: string, input: readonly number[], outline: LayerOutline) {
    this.name = name;
    this.input = input;
    this.output = outline.output;
    this.parameters = outline.parameters;
    this.multiplyAdds = outline.multiplyAdds;
    this.multiplyAddsWithAttention = outline.multiplyAdds + outline.attentionMultiplyAdds;
    this.layers = outline.layers;
  }

  /** A table; equal neighbours, as the blocks of a transformer, are one row. */
  toString(): string {
    const { name, parameters, multiplyAdds, multiplyAddsWithAttention } = this;
    const title =
      `${name}: ${grouped(parameters)} parameters, ${short(multiplyAdds)} multiply-adds an image ` +
      `(${short(multiplyAddsWithAttention)} with the attention products)`;
    return `${title}\n\n${textTable(this.#rows())}`;
  }

  [Symbol.for("Jupyter.display")](): { data: Record<string, string> } {
    return { data: { "text/plain": this.toString(), "text/html": htmlTable(this.name, this.#rows()) } };
  }

  #rows(): readonly Row[] {
    return [
      { cells: ["", "image", shapeText(this.input), "", ""], depth: 0 },
      ...rowsOf(this.layers, "", 0),
      {
        cells: ["total", "", shapeText(this.output), grouped(this.parameters), short(this.multiplyAdds)],
        depth: 0,
      },
    ];
  }
}

/** One line of the table; `depth` counts the layers it is inside of. */
interface Row {
  readonly cells: readonly [
    path: string,
    layer: string,
    output: string,
    parameters: string,
    multiplyAdds: string,
  ];
  readonly depth: number;
}

const headings: Row["cells"] = ["layer", "", "output", "parameters", "multiply-adds"];

function rowsOf(layers: readonly LayerOutline[], within: string, depth: number): Row[] {
  return runsOf(layers, within).flatMap(({ first, last, count }) => {
    const times = count === 1 ? "" : `${count} × `;
    const path = count === 1 ? first.path : `${first.path} … ${last.path.slice(within.length)}`;
    const cells: Row["cells"] = [
      path.slice(within.length),
      first.layer,
      shapeText(first.output),
      first.parameters === 0 ? "" : times + grouped(first.parameters),
      first.multiplyAdds === 0 ? "" : times + short(first.multiplyAdds),
    ];
    return [{ cells, depth }, ...rowsOf(first.layers, `${first.path}.`, depth + 1)];
  });
}

/** Neighbours that differ in nothing but their number: `blocks.0`, `blocks.1`, … */
interface Run {
  readonly first: LayerOutline;
  last: LayerOutline;
  count: number;
}

function runsOf(layers: readonly LayerOutline[], within: string): Run[] {
  const runs: Run[] = [];
  for (const layer of layers) {
    const run = runs.at(-1);
    if (run !== undefined && signature(run.first, within) === signature(layer, within)) {
      run.last = layer;
      run.count++;
    } else {
      runs.push({ first: layer, last: layer, count: 1 });
    }
  }
  return runs;
}

/** What a layer is, without its number. */
function signature(
  { path, layer, output, parameters, multiplyAdds, layers }: LayerOutline,
  within: string,
): string {
  const place = path.slice(within.length).replace(/\.\d+$/, ".");
  const inside = layers.map((part) => signature(part, `${path}.`));
  return JSON.stringify([place, layer, output, parameters, multiplyAdds, inside]);
}

function textTable(rows: readonly Row[]): string {
  const lines = [
    headings,
    ...rows.map(({ cells: [path, ...rest], depth }) => ["  ".repeat(depth) + path, ...rest]),
  ];
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => (column < 3 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function htmlTable(name: string, rows: readonly Row[]): string {
  const heading = headings.map((cell) => `<th>${cell}</th>`).join("");
  const body = rows.map(({ cells, depth }) => {
    const line = cells.map((cell, column) => {
      const style =
        column === 0 ? `text-align:left;padding-left:${depth + 0.5}em` : column < 3 ? "text-align:left" : "";
      return `<td${style === "" ? "" : ` style="${style}"`}>${escaped(cell)}</td>`;
    });
    return `<tr>${line.join("")}</tr>`;
  });
  return `<table><caption>${escaped(name)}</caption><tr>${heading}</tr>${body.join("")}</table>`;
}

function escaped(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

function shapeText(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}

/** 5718328 → "5,718,328" */
function grouped(count: number): string {
  return count.toLocaleString("en-US");
}

/** 16867365888 → "16.87 G" */
function short(count: number): string {
  const [unit, suffix] = count >= 1e9 ? [1e9, " G"] : count >= 1e6 ? [1e6, " M"] : [1e3, " k"];
  return `${(count / unit).toFixed(2)}${suffix}`;
}
