import ts from "typescript";
import type { Completeness } from "../engine.js";

/** Faults that a following line can mend wherever they are: an open template, comment or brace. */
const openEnds: ReadonlySet<number> = new Set([1005, 1010, 1109, 1126, 1160]);
const openWherever: ReadonlySet<number> = new Set([1010, 1126, 1160]);

/** Whether code can run as it stands, needs more lines, or can never run. */
export function isComplete(code: string): Completeness {
  const faults =
    ts.transpileModule(code, {
      reportDiagnostics: true,
      compilerOptions: { target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext },
    }).diagnostics ?? [];
  if (faults.length === 0) return { status: "complete" };
  const end = code.trimEnd().length;
  const isOpen = faults.some(
    ({ start = 0, code: fault }) => openWherever.has(fault) || (openEnds.has(fault) && start >= end),
  );
  return isOpen ? { status: "incomplete", indent: "  ".repeat(openBrackets(code)) } : { status: "invalid" };
}

/** How many brackets are open at the end of code. */
export function openBrackets(code: string): number {
  const scanner = ts.createScanner(ts.ScriptTarget.ESNext, true, ts.LanguageVariant.Standard, code);
  let depth = 0;
  for (let token = scanner.scan(); token !== ts.SyntaxKind.EndOfFileToken; token = scanner.scan()) {
    if (opening.has(token)) depth++;
    else if (closing.has(token)) depth = Math.max(0, depth - 1);
  }
  return depth;
}

const opening: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.OpenBraceToken,
  ts.SyntaxKind.OpenParenToken,
  ts.SyntaxKind.OpenBracketToken,
]);
const closing: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.CloseBraceToken,
  ts.SyntaxKind.CloseParenToken,
  ts.SyntaxKind.CloseBracketToken,
]);
