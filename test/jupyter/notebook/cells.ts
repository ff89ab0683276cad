import type { NotebookCell, NotebookFile } from "../../../src/jupyter/notebook/notebookFile.js";

/** A code cell; one with outputs or a count has run. */
export function codeCell(source: string, more: Partial<NotebookCell> = {}): NotebookCell {
  return { cell_type: "code", metadata: {}, source, outputs: [], execution_count: null, ...more };
}

/** A notebook of these cells. */
export function notebookOf(...cells: (NotebookCell | string)[]): NotebookFile {
  return {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {},
    cells: cells.map((cell, i) => ({
      id: `cell-${i}`,
      ...(typeof cell === "string" ? codeCell(cell) : cell),
    })),
  };
}
