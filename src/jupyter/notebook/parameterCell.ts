import { mustBe } from "../../errors.js";
import { ParameterTypes } from "../language/parameterTypes.js";
import { hasTag, injectedTag, type NotebookCell, type NotebookFile } from "./notebookFile.js";

const parametersTag = "parameters";

/**
 * A copy of a notebook that declares its parameters again, with other values, in a cell after the one tagged
 * `parameters`. The cell of an earlier run is replaced.
 *
 * @param values texts by name; what each means follows from the type of the parameter
 * @param folder where the notebook is
 * @throws KatlabError when no cell is tagged, or a name or a value does not fit
 */
export function withParameters(
  notebook: NotebookFile,
  values: ReadonlyMap<string, string>,
  folder: string,
): NotebookFile {
  const own = notebook.cells.filter((cell) => !hasTag(cell, injectedTag));
  if (values.size === 0) return { ...notebook, cells: own };
  const at = own.findIndex((cell) => cell.cell_type === "code" && hasTag(cell, parametersTag));
  if (at < 0) {
    throw mustBe({
      subject: "notebook",
      must: `must have a code cell with the tag ${parametersTag}`,
      got: "none",
      remedy: "Tag the cell that declares the parameters, in JupyterLab by its property inspector.",
    });
  }
  const types = new ParameterTypes(own[at].source, folder);
  try {
    const declarations = [...values].map(([name, text]) => types.declare(name, text));
    const injected: NotebookCell = {
      cell_type: "code",
      ...(own[at].id === undefined ? {} : { id: injectedTag }),
      metadata: { tags: [injectedTag] },
      source: declarations.join("\n"),
      outputs: [],
      execution_count: null,
    };
    return { ...notebook, cells: own.toSpliced(at + 1, 0, injected) };
  } finally {
    types.close();
  }
}
