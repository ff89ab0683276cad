import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

/** One output of a code cell, as notebook files store it. */
export interface Output {
  output_type: string;
  name?: string;
  data?: Record<string, unknown>;
  metadata?: Record<string, unknown>;
}

/** One cell; markdown cells have no outputs. */
export interface Cell {
  cell_type: "code" | "markdown";
  metadata: { tags?: string[] };
  source: string;
  execution_count: number | null;
  outputs: Output[];
}

/** A notebook as its file holds it, the lines of each source joined. */
export interface Notebook {
  name: string;
  cells: Cell[];
  metadata: { kernelspec: { name: string }; katlab?: { executed: string; commit: string; scale: string } };
}

const folder = fileURLToPath(new URL("../../notebooks", import.meta.url));

/** What new notebooks are copied from: it has no number and no outputs. */
export const template = "template.ipynb";

/** All notebooks of the repository, the template included. */
export function readNotebooks(): Notebook[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".ipynb"))
    .map((name) => {
      const { cells, metadata } = JSON.parse(readFileSync(join(folder, name), "utf8")) as Omit<
        Notebook,
        "name" | "cells"
      > & { cells: (Omit<Cell, "source"> & { source: string | string[] })[] };
      return {
        name,
        metadata,
        cells: cells.map((cell) => ({ ...cell, source: [cell.source].flat().join("") })),
      };
    });
}

/** The code cells. */
export function codeOf(notebook: Notebook): Cell[] {
  return notebook.cells.filter((cell) => cell.cell_type === "code");
}

/** The cell's syntax tree. */
export function parse(cell: Cell): ts.SourceFile {
  return ts.createSourceFile("cell.ts", cell.source, ts.ScriptTarget.ES2022, true);
}

/** Every node of a tree that `guard` accepts. */
export function nodesOf<Kind extends ts.Node>(tree: ts.Node, guard: (node: ts.Node) => node is Kind): Kind[] {
  const found: Kind[] = [];
  const visit = (node: ts.Node): void => {
    if (guard(node)) found.push(node);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

/** Number of lines a node covers. */
export function linesOf(node: ts.Node): number {
  const text = node.getText();
  return text.split("\n").length;
}

/** Names that a node declares at its own level or below. */
export function declaredIn(tree: ts.Node): Set<string> {
  const names = nodesOf(tree, ts.isIdentifier).filter(({ parent }) => {
    return (
      ts.isVariableDeclaration(parent) ||
      ts.isBindingElement(parent) ||
      ts.isParameter(parent) ||
      ts.isFunctionDeclaration(parent)
    );
  });
  return new Set(names.map(({ text }) => text));
}

/** Names that are given a new value after their declaration. */
export function reassignedIn(tree: ts.Node): string[] {
  const assigned = nodesOf(tree, ts.isBinaryExpression)
    .filter(
      ({ operatorToken }) =>
        operatorToken.kind >= ts.SyntaxKind.FirstAssignment &&
        operatorToken.kind <= ts.SyntaxKind.LastAssignment,
    )
    .map(({ left }) => left);
  const stepped = [
    ...nodesOf(tree, ts.isPrefixUnaryExpression),
    ...nodesOf(tree, ts.isPostfixUnaryExpression),
  ]
    .filter(
      ({ operator }) =>
        operator === ts.SyntaxKind.PlusPlusToken || operator === ts.SyntaxKind.MinusMinusToken,
    )
    .map(({ operand }) => operand);
  return [...assigned, ...stepped].filter(ts.isIdentifier).map(({ text }) => text);
}
