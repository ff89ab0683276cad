import { tmpdir } from "node:os";
import { describe, expect, test } from "vitest";
import type { NotebookFile } from "../../../src/jupyter/notebook/notebookFile.js";
import { withParameters } from "../../../src/jupyter/notebook/parameterCell.js";
import { codeCell, notebookOf } from "./cells.js";

const parameters = codeCell('let scale: "quick" | "full" = "full"; const epochs = 5', {
  metadata: { tags: ["parameters"] },
});
const notebook = notebookOf("1", parameters, "epochs");
const inject = (from: NotebookFile, values: Record<string, string>): string[] =>
  withParameters(from, new Map(Object.entries(values)), tmpdir()).cells.map(({ source }) => source);

describe("parameters", () => {
  test("come in a cell after the tagged one, typed as it is", () => {
    expect(inject(notebook, { epochs: "3", scale: "quick" })).toEqual([
      "1",
      parameters.source,
      'const epochs = 3;\nlet scale: "quick" | "full" = "quick";',
      "epochs",
    ]);
  });

  test("take the place of those of an earlier run, papermill's too", () => {
    const once = withParameters(notebook, new Map([["epochs", "3"]]), tmpdir());
    expect(inject(once, { epochs: "4" })[2]).toBe("const epochs = 4;");
    expect(inject(once, {})).toEqual(["1", parameters.source, "epochs"]);
  });

  test("leave the notebook that was given as it is", () => {
    inject(notebook, { epochs: "3" });
    expect(notebook.cells).toHaveLength(3);
  });

  test("need a tagged cell", () => {
    expect(() => inject(notebookOf("1"), { epochs: "3" })).toThrow(
      /must have a code cell with the tag parameters/,
    );
  });
});
