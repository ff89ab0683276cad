import ts from "typescript";
import { describe, expect, test } from "vitest";
import {
  codeOf,
  declaredIn,
  linesOf,
  nodesOf,
  parse,
  readNotebooks,
  reassignedIn,
  template,
} from "./notebook.js";

const notebooks = readNotebooks();

test("there are notebooks, each with a number of its own, and a template", () => {
  const numbered = notebooks.map(({ name }) => name).filter((name) => name !== template);
  expect(numbered.length).toBe(notebooks.length - 1);
  expect(numbered.length).toBeGreaterThan(0);
  const numbers = numbered.map((name) => /^(\d\d)-[a-z0-9-]+\.ipynb$/.exec(name)?.[1]);
  expect(numbers).not.toContain(undefined);
  expect(new Set(numbers).size).toBe(numbers.length);
});

describe.each(notebooks.map((notebook) => [notebook.name, notebook] as const))("%s", (_, notebook) => {
  const code = codeOf(notebook);

  test("runs in our kernel", () => {
    expect(notebook.metadata.kernelspec.name).toBe("katlab");
  });

  test("begins with its question, paper, data, device, expected minutes and seed", () => {
    const [header] = notebook.cells;
    expect(header.cell_type).toBe("markdown");
    expect(header.source).toMatch(/^# /);
    const rows = [...header.source.matchAll(/^\| \*\*(.+?)\*\* \| (.+) \|$/gm)];
    expect(rows.map(([, name]) => name)).toEqual([
      "question",
      "paper",
      "data",
      "device",
      "expected minutes",
      "seed",
    ]);
    for (const [, , content] of rows) expect(content.trim()).not.toBe("");
  });

  test("has one cell of parameters, before all other code", () => {
    expect(code.filter(({ metadata }) => metadata.tags?.includes("parameters"))).toEqual([code[0]]);
    expect(code[0].source).toContain('let scale: "quick" | "full" = "full";');
  });

  test("imports katlab and node:assert only", () => {
    const imports = code.flatMap((cell) => nodesOf(parse(cell), ts.isImportDeclaration));
    const modules = imports.map(({ moduleSpecifier }) => (moduleSpecifier as ts.StringLiteral).text);
    expect(modules).toContain("katlab");
    expect(modules.filter((name) => !/^(katlab(\/.*)?|node:assert(\/strict)?)$/.test(name))).toEqual([]);
    const calls = code.flatMap((cell) => nodesOf(parse(cell), ts.isCallExpression));
    expect(calls.filter(({ expression }) => /^(require|import)$/.test(expression.getText()))).toEqual([]);
  });

  test("is thin: no function longer than ten lines, no cell longer than twenty", () => {
    for (const cell of code) {
      const functions = nodesOf(parse(cell), ts.isFunctionLike);
      expect(functions.filter((node) => linesOf(node) > 10).map((node) => node.getText())).toEqual([]);
      expect(cell.source.split("\n").length, cell.source).toBeLessThanOrEqual(20);
    }
  });

  // tslab's own kernel knows no `await (…)`, no short `{ name }` for a name of an earlier cell, and no new value, given
  // by a later cell, in functions of an earlier one.
  test("keeps to what tslab's own kernel can run", () => {
    for (const cell of code) {
      const tree = parse(cell);
      const awaited = nodesOf(tree, ts.isAwaitExpression).map(({ expression }) => expression);
      expect(awaited.filter(ts.isParenthesizedExpression)).toEqual([]);
      expect(nodesOf(tree, ts.isForOfStatement).filter((loop) => loop.awaitModifier)).toEqual([]);
      const own = declaredIn(tree);
      const short = nodesOf(tree, ts.isShorthandPropertyAssignment).map(({ name }) => name.text);
      expect(short.filter((name) => !own.has(name))).toEqual([]);
      expect(reassignedIn(tree).filter((name) => !own.has(name))).toEqual([]);
      expect(cell.source).not.toMatch(/^\s*(await )?using /m);
    }
  });

  test("ends by asserting what it claims, the full scale more than the quick one", () => {
    const last = notebook.cells[notebook.cells.length - 1];
    expect(last.cell_type).toBe("code");
    const calls = nodesOf(parse(last), ts.isCallExpression).map(({ expression }) => expression.getText());
    expect(calls.filter((name) => name.startsWith("assert")).length).toBeGreaterThanOrEqual(3);
    expect(last.source).toContain('scale === "full"');
  });
});
