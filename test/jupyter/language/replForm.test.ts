import { afterAll, describe, expect, test } from "vitest";
import { Notebook } from "./notebook.js";

const notebook = new Notebook();
afterAll(() => notebook.language.close());

/** Emitted code without what every cell begins with, and without marks. */
function form(code: string): string {
  return notebook
    .emit(code)
    .replace('"use strict";\n__cell.reached(0);\n', "")
    .replace(/^ *__cell\.reached\(\d+\);\n/gm, "")
    .trim();
}

describe("replForm", () => {
  test("declares everything with let, functions first", () => {
    expect(form("const a = f();\nfunction f() { return 1 }\nclass B {}")).toBe(
      "let f = function () { return 1; };\nlet a = f();\nlet B = class B {\n};",
    );
  });

  test("marks which declarations were reached", () => {
    expect(notebook.emit("const a = 1\nlet b, c = 2\nb")).toBe(
      '"use strict";\n__cell.reached(0);\nlet a = 1;\n__cell.reached(1);\nlet b, c = 2;\n__cell.reached(2);\n__cell.value(b);\n',
    );
  });

  test("takes the last expression for the value", () => {
    expect(form("1;\n2;")).toBe("1;\n__cell.value(2);");
    expect(form("'use strict'")).toBe("__cell.value('use strict');");
    expect(form("const a = 1")).toBe("let a = 1;");
    expect(form("export default 3")).toBe("__cell.value(3);");
    expect(form("{ a: 1, b: 2 }")).toBe("__cell.value(({ a: 1, b: 2 }));");
    expect(form("{ console.log(1) }")).not.toContain("value");
  });

  test("imports through the kernel, and no types", () => {
    expect(form('import { join } from "node:path"; import type { Stats } from "node:fs"; join')).toBe(
      '__cell.lastImport = await __cell.import("node:path");\n' +
        'let join = __cell.pick(__cell.lastImport, "join", "node:path");\n' +
        "__cell.value(join);",
    );
    expect(form('await import("node:path")')).toContain('await __cell.import("node:path")');
    expect(form("import.meta.url")).toBe("__cell.value(__cell.meta.url);");
  });

  test("keeps imports that only later cells use", () => {
    expect(form('import { readFileSync } from "node:fs"')).toContain("let readFileSync");
  });

  test("keeps track of the run over awaits", () => {
    expect(form("const v = await Promise.resolve(1)")).toBe(
      "let v = __cell.resumed(__cell.run, await Promise.resolve(1));",
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
        "let i;
        let j;
        let k;
        let l;
        for (i = 0, j = 1; i < 1; i++) {
            if (__stop[0])
                __cell.throwStopped();
            [k, { l: l = 2 }] = [1, {}];
        }
        __cell.value(i + j);"
      `);
    expect(form("for (var m of [1]) {}")).toMatch(/^let m;\nfor \(m of/);
    expect(form("for (var n in {}) {}")).toMatch(/^let n;\nfor \(n in/);
    expect(form("for (var o, p; ;) { break }")).toMatch(/^let o;\nlet p;\nfor \(;;\)/);
  });

  test("declares var twice", () => {
    expect(form("var q = 1; var q = 2")).toBe("let q = 1;\nq = 2;");
  });

  test("hides no global from the rest of the process", () => {
    const code = form(
      'import { setTimeout } from "node:timers/promises"; const { URL = 1, performance } = { performance: 2 } as { URL?: number; performance: number };\nconst o = { performance };',
    );
    expect(code).toContain('let setTimeout__cell = __cell.pick(__cell.lastImport, "setTimeout"');
    expect(code).toContain("let { URL: URL__cell = 1, performance: performance__cell } =");
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
    expect(form("enum E { A }\nE.A")).toContain("let E;\n(function (E) {");
    expect(form("using r = { [Symbol.dispose]() {} };\n'value'")).toMatch(
      /let r;\n[^]*__cell\.value\('value'\)/,
    );
  });
});
