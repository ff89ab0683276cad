import type { JsonObject, Message } from "../wire.js";
import type { CellOutput, NotebookCell } from "./notebookFile.js";

type Display = Extract<CellOutput, { output_type: "display_data" | "execute_result" }>;

/** Keeps what a kernel publishes in the cells that asked for it, as a front end does. */
export class CellOutputs {
  readonly #cells = new Map<string, NotebookCell>();
  readonly #displays = new Map<string, Display[]>();
  readonly #toClear = new WeakSet<NotebookCell>();

  /** Outputs that answer this request belong to this cell. */
  expect(request: string, cell: NotebookCell): void {
    this.#cells.set(request, cell);
  }

  /** Takes a message of the output channel; those of other requests are left alone. */
  receive({ header, parent, content }: Message): void {
    if (header.msg_type === "update_display_data") {
      this.#update(content);
      return;
    }
    const cell = this.#cells.get(parent.msg_id ?? "");
    if (cell === undefined) return;
    if (header.msg_type === "clear_output") {
      if (content["wait"] === true) this.#toClear.add(cell);
      else cell.outputs = [];
      return;
    }
    const output = outputOf(header.msg_type, content);
    if (output === undefined) return;
    if (this.#toClear.delete(cell)) cell.outputs = [];
    this.#append(cell, output);
    const { display_id: id } = (content["transient"] ?? {}) as { display_id?: string };
    if (id !== undefined && "data" in output) {
      this.#displays.set(id, [...(this.#displays.get(id) ?? []), output]);
    }
  }

  #append(cell: NotebookCell, output: CellOutput): void {
    const outputs = (cell.outputs ??= []);
    const last = outputs.at(-1);
    if (output.output_type === "stream" && last?.output_type === "stream" && last.name === output.name) {
      last.text += output.text;
    } else {
      outputs.push(output);
    }
  }

  #update(content: JsonObject): void {
    const { display_id: id = "" } = (content["transient"] ?? {}) as { display_id?: string };
    for (const display of this.#displays.get(id) ?? []) {
      display.data = content["data"] as JsonObject;
      display.metadata = content["metadata"] as JsonObject;
    }
  }
}

function outputOf(type: string, content: JsonObject): CellOutput | undefined {
  const { data, metadata, execution_count, name, text, ename, evalue, traceback } = content;
  switch (type) {
    case "stream":
      return { output_type: type, name, text } as CellOutput;
    case "display_data":
      return { output_type: type, data, metadata } as CellOutput;
    case "execute_result":
      return { output_type: type, data, metadata, execution_count } as CellOutput;
    case "error":
      return { output_type: type, ename, evalue, traceback } as CellOutput;
    default:
      return undefined;
  }
}
