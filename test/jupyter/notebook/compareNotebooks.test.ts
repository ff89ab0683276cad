import { describe, expect, test } from "vitest";
import { compareNotebooks } from "../../../src/jupyter/notebook/compareNotebooks.js";
import type { CellOutput, NotebookCell } from "../../../src/jupyter/notebook/notebookFile.js";
import { codeCell, notebookOf } from "./cells.js";

const says = (text: string, name = "stdout"): CellOutput => ({ output_type: "stream", name, text });
const shows = (...types: string[]): CellOutput => ({
  output_type: "display_data",
  data: Object.fromEntries(types.map((type) => [type, "x"])),
  metadata: {},
});
const ran = (source: string, outputs: CellOutput[] = [], more: Partial<NotebookCell> = {}): NotebookCell =>
  codeCell(source, { outputs, execution_count: 1, ...more });

function differences(before: NotebookCell, after: NotebookCell, tolerance?: number): string[] {
  const options = tolerance === undefined ? {} : { tolerance };
  return compareNotebooks(notebookOf(before), notebookOf(after), options).map(({ what }) => what);
}

describe("an executed notebook", () => {
  test("comes out as committed when texts and pictures alone differ", () => {
    const before = ran("f()", [says("3.5"), shows("image/png", "text/plain")]);
    const after = ran("f()", [says("4"), says(".5"), shows("text/plain", "image/png")]);
    expect(differences(before, after)).toEqual([]);
  });

  test.each([
    [
      "a cell that failed",
      ran("f()"),
      ran("f()", [{ output_type: "error", ename: "RangeError", evalue: "", traceback: [] }]),
      "failed with RangeError; committed: ran",
    ],
    ["a cell that did not run", ran("f()"), codeCell("f()"), "did not run; committed: ran"],
    [
      "other kinds of output",
      ran("f()", [shows("image/png", "text/plain")]),
      ran("f()", [says("x", "stderr"), shows("text/plain")]),
      "shows stderr, text/plain; committed: image/png + text/plain",
    ],
    ["no output", ran("f()", [says("x")]), ran("f()"), "shows nothing; committed: stdout"],
    ["another source", ran("f()"), ran("g()"), "has another source"],
  ])("differs by %s", (_name, before, after, what) => {
    expect(differences(before, after)).toEqual([what]);
  });

  test("differs by asserted numbers beyond the tolerance", () => {
    const claim = (text: string, more: Partial<NotebookCell> = {}): NotebookCell =>
      ran("assert.ok(accuracy > 0.8)", [says(text)], more);
    expect(differences(claim("88.0 % of 10,000"), claim("88.5 % of 10,000"))).toEqual([]);
    expect(differences(claim("88.0 % of 10,000"), claim("80.0 % of 10,000"))).toEqual([
      "shows 80; committed: 88 (tolerance 0.01)",
    ]);
    expect(differences(claim("88.0 %"), claim("80.0 %"), 0.2)).toEqual([]);
    const own = { metadata: { katlab: { tolerance: 0.5 } } };
    expect(differences(claim("88.0 %", own), claim("50.0 %", own))).toEqual([]);
    expect(differences(claim("[1,2]"), claim("[1]"))).toEqual(["shows 1 numbers; committed: 2"]);
    expect(differences(claim("−1e-3"), claim("-0.001"))).toEqual([]);
    expect(differences(claim("99 s, 1,910 images/s, 3 MB, v2"), claim("12 s, 5 images/s, 4 MB, v3"))).toEqual(
      [],
    );
  });

  test("may have numbers asserted by a function, in a tagged cell", () => {
    const tagged = (text: string): NotebookCell =>
      ran("checkAll()", [says(text)], { metadata: { tags: ["asserted"] } });
    expect(differences(tagged("1"), tagged("2"))).toHaveLength(1);
    expect(differences(ran("checkAll()", [says("1")]), ran("checkAll()", [says("2")]))).toEqual([]);
  });

  test("has the same cells, but for those that gave it parameters", () => {
    const injected = ran("const a = 2", [], { metadata: { tags: ["injected-parameters"] } });
    expect(compareNotebooks(notebookOf(ran("f()")), notebookOf(injected, ran("f()")))).toEqual([]);
    expect(compareNotebooks(notebookOf(ran("f()"), ran("g()")), notebookOf(ran("f()")))).toEqual([
      { number: 2, source: "g()", what: "is not in the executed notebook" },
    ]);
    expect(compareNotebooks(notebookOf(ran("f()")), notebookOf(ran("f()"), ran("g()")))).toEqual([
      { number: 2, source: "g()", what: "is not in the committed notebook" },
    ]);
  });
});
