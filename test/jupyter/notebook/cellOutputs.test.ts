import { describe, expect, test } from "vitest";
import { CellOutputs } from "../../../src/jupyter/notebook/cellOutputs.js";
import type { JsonObject, Message } from "../../../src/jupyter/wire.js";
import { codeCell } from "./cells.js";

function message(type: string, content: JsonObject, request = "1"): Message {
  const header = { msg_id: "", msg_type: type, session: "", username: "", date: "", version: "" };
  return { identities: [], header, parent: { msg_id: request }, metadata: {}, content, buffers: [] };
}

const stream = (text: string, name = "stdout", request = "1"): Message =>
  message("stream", { name, text }, request);
const shown = (text: string, id?: string): JsonObject => ({
  data: { "text/plain": text },
  metadata: {},
  transient: id === undefined ? {} : { display_id: id },
});

function outputsOf(...messages: Message[]): unknown[] | undefined {
  const outputs = new CellOutputs();
  const [cell, other] = [codeCell(""), codeCell("")];
  outputs.expect("1", cell);
  outputs.expect("2", other);
  for (const one of messages) outputs.receive(one);
  return cell.outputs;
}

describe("outputs of a cell", () => {
  test("join what one stream writes, in order", () => {
    expect(outputsOf(stream("a"), stream("b"), stream("c", "stderr"), stream("d"))).toMatchObject([
      { name: "stdout", text: "ab" },
      { name: "stderr", text: "c" },
      { name: "stdout", text: "d" },
    ]);
  });

  test("leave out what is no output, and what belongs to others", () => {
    expect(
      outputsOf(
        message("status", { execution_state: "busy" }),
        stream("x", "stdout", "2"),
        stream("x", "stdout", "3"),
      ),
    ).toEqual([]);
  });

  test("hold displays, results and errors without what is only for the moment", () => {
    expect(
      outputsOf(
        message("display_data", shown("d", "id")),
        message("execute_result", { ...shown("r"), execution_count: 3 }),
        message("error", { ename: "E", evalue: "v", traceback: ["t"] }),
      ),
    ).toEqual([
      { output_type: "display_data", data: { "text/plain": "d" }, metadata: {} },
      { output_type: "execute_result", data: { "text/plain": "r" }, metadata: {}, execution_count: 3 },
      { output_type: "error", ename: "E", evalue: "v", traceback: ["t"] },
    ]);
  });

  test("are updated from any cell", () => {
    const update = message("update_display_data", shown("new", "chart"), "2");
    expect(outputsOf(message("display_data", shown("old", "chart")), update)).toMatchObject([
      { output_type: "display_data", data: { "text/plain": "new" } },
    ]);
  });

  test("are cleared at once, or when the next one comes", () => {
    expect(outputsOf(stream("a"), message("clear_output", { wait: false }))).toEqual([]);
    expect(outputsOf(stream("a"), message("clear_output", { wait: true }))).toMatchObject([{ text: "a" }]);
    expect(outputsOf(stream("a"), message("clear_output", { wait: true }), stream("b"))).toMatchObject([
      { text: "b" },
    ]);
  });
});
