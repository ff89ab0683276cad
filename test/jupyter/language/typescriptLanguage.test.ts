import { afterAll, describe, expect, test } from "vitest";
import { Notebook } from "./notebook.js";

const notebook = new Notebook();
afterAll(() => notebook.language.close());

describe("types across cells", () => {
  test("are those of the cell that owns the name now", () => {
    notebook.emit("let count = 1; const label = 'a'");
    expect(notebook.faults("count.toFixed(); label.length")).toEqual([]);
    notebook.emit("let count = 'text'");
    expect(notebook.faults("count.toFixed()")[0].message).toContain("does not exist on type 'string'");
  });

  test("let names be assigned, constants not", () => {
    notebook.emit("let total = 0; const fixed = 1");
    expect(notebook.faults("total = 2")).toEqual([]);
    expect(notebook.faults("fixed = 2")).toMatchObject([
      { message: expect.stringMatching(/constant, function, class or import of an earlier cell/) as string },
    ]);
  });

  test("include interfaces, aliases, enums, classes and generics", () => {
    notebook.emit(
      "interface Point { x: number }\ntype Pair<T> = [T, T]\nenum Color { Red }\nclass Box<T> { constructor(readonly value: T) {} }",
    );
    expect(
      notebook.faults("const p: Pair<Point> = [{ x: 1 }, { x: 2 }]; new Box(Color.Red).value; p"),
    ).toEqual([]);
    expect(notebook.faults("const wrong: Point = { y: 1 }")).toHaveLength(1);
  });

  test("of a class declared twice are told apart", () => {
    notebook.emit("class Node1 { #secret = 1 }\nlet kept = new Node1()");
    notebook.emit("class Node1 { #secret = 'x' }");
    const [{ message }] = notebook.faults("kept = new Node1()");
    expect(message).toMatch(/Node1 \(cell \d+\)/);
    expect(message).not.toContain("__cell");
  });

  test("grow with arrays that begin empty", () => {
    notebook.emit("const losses = []; let best = null; losses.push(0.5)");
    expect(notebook.faults("losses.push(0.4); best = losses.at(-1)")).toEqual([]);
  });

  test("are strict, but ask for no annotations", () => {
    expect(notebook.faults("const text: string = null")).toHaveLength(1);
    expect(notebook.faults("function double(x) { return x * 2 }\ndouble(3)")).toEqual([]);
  });

  test("know ES2023 and Node, and no browser", () => {
    expect(notebook.faults("[3, 1].toSorted(); Buffer.alloc(1); fetch; structuredClone(1)")).toEqual([]);
    expect(notebook.faults("document")).toHaveLength(1);
  });

  test("follow global declarations", () => {
    notebook.emit("declare global { var experiment: string }\nglobalThis.experiment = 'a'");
    expect(notebook.faults("experiment.length")).toEqual([]);
  });
});

describe("names of a cell that throws", () => {
  test("exist as far as the cell came", () => {
    notebook.compile("let early = 1\nlet late = 'x'\nfunction always() { return 1 }\ntype Kind = 'a'", 1);
    expect(notebook.faults("early + always(); const kind: Kind = 'a'; kind")).toEqual([]);
    expect(notebook.faults("late")[0].message).toBe("Cannot find name 'late'.");
  });

  test("do not exist when it never started", () => {
    notebook.compile("let never = 1; function neither() {}", -1);
    expect(notebook.faults("never")).toHaveLength(1);
    expect(notebook.faults("neither()")).toHaveLength(1);
  });

  test("keep what an earlier cell gave them", () => {
    notebook.emit("let model = 1");
    notebook.compile("let model = 'broken'", 0);
    expect(notebook.faults("model.toFixed()")).toEqual([]);
  });
});

describe("faults", () => {
  test("have line, column, length and number", () => {
    expect(notebook.faults("const a = 1\n\n  const b: string = a")).toEqual([
      {
        line: 3,
        column: 9,
        length: 1,
        message: "Type 'number' is not assignable to type 'string'.",
        code: 2322,
      },
    ]);
  });

  test("stay within their line", () => {
    const [fault] = notebook.faults("JSON.parse({\n  a: 1,\n})");
    expect(fault).toMatchObject({ line: 1, column: 12, length: 1 });
  });

  test("of syntax come alone", () => {
    expect(notebook.faults("let x: = 3; nowhere").map(({ message }) => message)).toEqual(["Type expected."]);
  });

  test("are at most ten", () => {
    expect(notebook.faults(Array.from({ length: 30 }, (_, i) => `unknown${i}`).join("\n"))).toHaveLength(10);
  });

  test("in a cell leave earlier cells as they were", () => {
    notebook.emit("let stable = 1");
    notebook.faults("let stable: string = 2");
    expect(notebook.faults("stable.toFixed()")).toEqual([]);
  });
});

describe("imports", () => {
  test("of names that are not there are found", () => {
    expect(notebook.faults('import { nowhere } from "node:fs"')[0].message).toContain(
      "no exported member 'nowhere'",
    );
    expect(notebook.faults('import "no-such-package"')).toHaveLength(1);
  });

  test("of one cell serve the next", () => {
    notebook.emit('import { join } from "node:path"; import type { Stats } from "node:fs"');
    expect(notebook.faults('const stats: Stats | undefined = undefined; join("a", "b"); stats')).toEqual([]);
  });
});

describe("completion", () => {
  test("of members comes with kinds", () => {
    notebook.emit("const box = { width: 1, weight: () => 2 }");
    const { candidates, start, end } = notebook.language.complete({ code: "box.w", position: 5 });
    expect(candidates).toEqual([
      { text: "weight", kind: "property" },
      { text: "width", kind: "property" },
    ]);
    expect([start, end]).toEqual([4, 5]);
  });

  test("offers names of all cells, and none of the kernel's", () => {
    notebook.emit("const zebra1 = 1");
    notebook.emit("const zebra2 = 2");
    const offered = notebook.language
      .complete({ code: "zeb", position: 3 })
      .candidates.map(({ text }) => text);
    expect(offered).toEqual(["zebra1", "zebra2"]);
    const all = notebook.language.complete({ code: "", position: 0 }).candidates;
    expect(all.some(({ text }) => text.startsWith("__cell"))).toBe(false);
  });

  test("fills in options of an argument", () => {
    notebook.emit("function fit(options: { epochs: number; learningRate?: number }) { return options }");
    const code = "fit({ lea";
    expect(notebook.language.complete({ code, position: code.length }).candidates[0].text).toBe(
      "learningRate",
    );
  });

  test("fills in module names and strings of a type", () => {
    const code = 'import { join } from "node:pa';
    const { candidates, start } = notebook.language.complete({ code, position: code.length });
    expect(candidates.map(({ text }) => text)).toContain("node:path");
    expect(start).toBe(code.length - "node:pa".length);
    notebook.emit("let engine: 'torch' | 'wasm' = 'wasm'");
    const assignment = "engine = 't";
    expect(
      notebook.language
        .complete({ code: assignment, position: assignment.length })
        .candidates.map(({ text }) => text),
    ).toEqual(["torch"]);
  });
});

describe("inspection", () => {
  test("shows signature and documentation as Markdown", () => {
    notebook.emit(
      "/** Adds.\n * @param a the first\n * @example add(1, 2)\n */\nfunction add(a: number, b: number) { return a + b }",
    );
    const shown = notebook.language.inspect({ code: "add(1, 2)", position: 1 });
    expect(shown?.["text/plain"]).toMatch(/^add\(a: number, b: number\): number\n\nAdds\.\n\n@param a/);
    expect(shown?.["text/markdown"]).toBe(
      "```typescript\nadd(a: number, b: number): number\n```\n\nAdds.\n\n*@param* `a` the first\n\n" +
        "*@example*\n\n```typescript\nadd(1, 2)\n```",
    );
  });

  test("works behind a word and finds nothing in nothing", () => {
    notebook.emit("const known = 1");
    expect(notebook.language.inspect({ code: "known", position: 5 })?.["text/plain"]).toBe("const known: 1");
    expect(notebook.language.inspect({ code: "  ", position: 1 })).toBeNull();
  });

  test("inside arguments shows the call, and which argument is being written", () => {
    notebook.emit(
      "/** Trains.\n * @param epochs how often\n */\nfunction fit(model: string, epochs: number): number { return epochs }",
    );
    const at = (code: string): unknown =>
      notebook.language.inspect({ code, position: code.length })?.["text/plain"];
    expect(at("fit(")).toBe(
      "fit(model: string, epochs: number): number\n// here: model: string\n\nTrains.\n\n@param epochs how often",
    );
    expect(at('fit("kat", ')).toContain("// here: epochs: number");
    expect(at("fit(fit(1, 2), ")).toContain("// here: epochs: number");
    notebook.emit("function f(a: string): void; function f(a: number, b: number): void; function f() {}");
    expect(at("f(1, ")).toContain(
      "f(a: number, b: number): void\n// one of 2 ways to call it\n// here: b: number",
    );
  });
});
