import { afterAll, describe, expect, test } from "vitest";
import { Notebook } from "./notebook.js";

const notebook = new Notebook();
afterAll(() => notebook.language.close());

/** The body of an emitted cell, without what every cell begins with, and without marks. */
function form(code: string): string {
  return notebook
    .emit(code)
    .replace(/^\((async )?\(\) => \{\n {4}"use strict";\n {4}__cell\.reached\(0\);\n/, "")
    .replace(/^ *__cell\.reached\(\d+\);\n/gm, "")
    .replace(/\}\);\n$/, "")
    .replace(/^ {4}/gm, "")
    .trim();
}

describe("cellForm", () => {
  test("is a function, async only where the cell awaits", () => {
    expect(notebook.emit("1")).toBe(
      '(() => {\n    "use strict";\n    __cell.reached(0);\n    __cell.value(1);\n});\n',
    );
    const isAsync = (code: string): boolean => notebook.emit(code).includes("(async () => {\n");
    expect(isAsync("await null")).toBe(true);
    expect(isAsync("for await (const x of []) x")).toBe(true);
    expect(isAsync('import "node:fs"')).toBe(true);
    expect(isAsync("const f = async () => { await null; for await (const x of []) x }")).toBe(false);
  });

  test("assigns to the variables that cells share, functions first", () => {
    expect(form("const a = f();\nfunction f() { return 1 }\nclass B {}")).toBe(
      "f = function () { return 1; };\na = f();\nB = class B {\n};",
    );
    expect(notebook.compile("const a = 1; let b; class C {}; type D = 1; interface E {}")).toMatchObject({
      names: ["a", "b", "C"],
    });
  });

  test("destructures into them", () => {
    expect(
      form("const { p, q: [r, s = 2, ...t], ...u } = { p: 1, q: [1], v: 2 }; [p, r, s, t, u]"),
    ).toContain("({ p: p, q: [r, s = 2, ...t], ...u } = { p: 1, q: [1], v: 2 });");
  });

  test("makes names without a value undefined, as let does", () => {
    expect(form("let later: number")).toBe("later = void 0;");
    expect(form("var w = 1; var w = 2; var w: number; w")).toBe("w = 1;\nw = 2;\n__cell.value(w);");
  });

  test("marks which declarations were reached", () => {
    expect(notebook.emit("const a = 1\nlet b, c = 2\nb").match(/\w+ = .*|__cell\.reached\(\d+\)/g)).toEqual([
      "__cell.reached(0)",
      "a = 1;",
      "__cell.reached(1)",
      "b = void 0;",
      "c = 2;",
      "__cell.reached(2)",
    ]);
  });

  test("takes the last expression for the value", () => {
    expect(form("1;\n2;")).toBe("1;\n__cell.value(2);");
    expect(form("'use strict'")).toBe("__cell.value('use strict');");
    expect(form("const a = 1")).toBe("a = 1;");
    expect(form("export default 3")).toBe("__cell.value(3);");
    expect(form("{ a: 1, b: 2 }")).toBe("__cell.value(({ a: 1, b: 2 }));");
    expect(form("{ console.log(1) }")).not.toContain("value");
  });

  test("imports through the kernel, and no types", () => {
    expect(form('import { join } from "node:path"; import type { Stats } from "node:fs"; join')).toBe(
      'const module_1 = __cell.resumed(__cell.run, await __cell.import("node:path"));\n' +
        'join = __cell.pick(module_1, "join", "node:path");\n' +
        "__cell.value(join);",
    );
    expect(form('import * as path from "node:path"')).toBe(
      'path = __cell.resumed(__cell.run, await __cell.import("node:path"));',
    );
    expect(form('await import("node:path")')).toContain('await __cell.import("node:path")');
    expect(form("import.meta.url")).toBe("__cell.value(__cell.meta.url);");
  });

  test("keeps imports that only later cells use", () => {
    expect(form('import { readFileSync } from "node:fs"')).toContain("readFileSync = __cell.pick");
  });

  test("keeps track of the run over awaits", () => {
    expect(form("const v = await Promise.resolve(1)")).toBe(
      "v = __cell.resumed(__cell.run, await Promise.resolve(1));",
    );
    expect(form("for await (const v of [1]) console.log(v)")).toContain(
      "const run_1 = __cell.run;\n    for await (const v of [1]) {",
    );
  });

  test.each([
    "for (let i = 0; i < 3; i++) console.log(i)",
    "for (const k in {}) console.log(k)",
    "for (const k of []) { console.log(k) }",
    "while (Math.random() > 1) console.log(1)",
    "do { console.log(1) } while (Math.random() > 1)",
    "const f = () => { while (true) console.log(1) }",
    "outer: for (;;) { for (;;) break outer }",
  ])("lets %s be stopped", (code) => {
    const loops = code.match(/\b(for|while)\b/g)?.length;
    expect(form(code).match(/if \(__stop\[0\]\)\s+__cell\.throwStopped\(\);/g)).toHaveLength(loops ?? 0);
  });

  test("hoists var out of blocks and loops", () => {
    expect(
      form("for (var i = 0, j = 1; i < 1; i++) { var [k, { l = 2 }] = [1, {} as { l?: number }] }\ni + j"),
    ).toMatchInlineSnapshot(`
      "i = void 0;
      j = void 0;
      k = void 0;
      l = void 0;
      for (i = 0, j = 1; i < 1; i++) {
          if (__stop[0])
              __cell.throwStopped();
          [k, { l: l = 2 }] = [1, {}];
      }
      __cell.value(i + j);"
    `);
    expect(form("for (var m of [1]) {}")).toMatch(/^m = void 0;\nfor \(m of/);
    expect(form("for (var n in {}) {}")).toMatch(/^n = void 0;\nfor \(n in/);
    expect(form("for (var o, p; ;) { break }")).toMatch(/^o = void 0;\np = void 0;\nfor \(;;\)/);
  });

  test("hides no global from the rest of the process", () => {
    const code = form(
      'import { setTimeout } from "node:timers/promises"; const { URL = 1, performance } = { performance: 2 } as { URL?: number; performance: number };\nconst o = { performance };',
    );
    expect(code).toContain('setTimeout__cell = __cell.pick(module_1, "setTimeout"');
    expect(code).toContain("({ URL: URL__cell = 1, performance: performance__cell } =");
    expect(code).toContain("{ performance: performance__cell }");
    expect(form("setTimeout(1).then(() => performance + URL)")).toBe(
      "__cell.value(setTimeout__cell(1).then(() => performance__cell + URL__cell));",
    );
    expect(form("const f = (performance: number) => performance; f")).toContain(
      "(performance) => performance",
    );
    expect(form("globalThis.performance.now()")).toBe("__cell.value(globalThis.performance.now());");
  });

  test("supports using, enums and namespaces", () => {
    expect(form("enum E { A }\nE.A")).toContain("E = void 0;\n(function (E) {");
    const withUsing = form("using r = { [Symbol.dispose]() {} };\n'value'");
    expect(withUsing).toMatch(/r = void 0;\n[^]*__cell\.value\('value'\)/);
    expect(notebook.compile("using r = { [Symbol.dispose]() {} }")).toMatchObject({ names: ["r"] });
  });
});
