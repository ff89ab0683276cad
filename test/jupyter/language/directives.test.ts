import { afterAll, describe, expect, test } from "vitest";
import { readDirectives } from "../../../src/jupyter/language/directives.js";
import { Notebook } from "./notebook.js";

describe("the first line of a cell", () => {
  test.each([
    ["%types off\nx", "//ypes off\nx", false],
    ["\n  %types  on  \nx", "\n  //ypes  on  \nx", true],
    ["x % y", "x % y", undefined],
    ["x\n%types off", "x\n%types off", undefined],
  ])("of %j", (cell, code, checkTypes) => {
    expect(readDirectives(cell)).toEqual({ code, checkTypes, fault: undefined });
    expect(code).toHaveLength(cell.length);
  });

  test("names what there is when it asks for something else", () => {
    expect(readDirectives("\n%matplotlib inline\nx").fault).toEqual({
      line: 2,
      column: 1,
      length: 18,
      message: "There are %types on and %types off, and no %matplotlib inline.",
      code: undefined,
    });
  });
});

describe("%types off", () => {
  const notebook = new Notebook();
  afterAll(() => notebook.language.close());

  test("lets cells run despite their types, until %types on", () => {
    expect(notebook.faults("const a: string = 5")).toHaveLength(1);
    expect(notebook.emit("%types off\nconst a: string = 5")).toContain("a = 5");
    expect(notebook.emit("nowhere.at.all; a.toFixed()")).toContain("nowhere");
    expect(notebook.faults("let x: = 3")).toHaveLength(1);
    expect(notebook.faults("%types on\na.toFixed()")).toMatchObject([{ line: 2, column: 3 }]);
    expect(notebook.faults("a.toFixed()")).toHaveLength(1);
  });

  test("leaves positions in the cell as they are", () => {
    const code = "%types on\nMath.ma";
    expect(notebook.language.complete({ code, position: code.length })).toMatchObject({
      start: code.length - 2,
      candidates: [{ text: "max" }],
    });
    expect(notebook.language.isComplete("%types off\nf(")).toMatchObject({ status: "incomplete" });
  });
});
