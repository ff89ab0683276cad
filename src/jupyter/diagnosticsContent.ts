import type { Diagnostic } from "./engine.js";
import { excerpt, red } from "./excerpt.js";
import type { ErrorContent } from "./threads.js";

/** What the compiler found, each fault with its line and a caret. */
export function diagnosticsContent(
  diagnostics: readonly Diagnostic[],
  cell: { count: number; code: string },
): ErrorContent {
  const lines = cell.code.split("\n");
  const [first] = diagnostics;
  return {
    ename: "TypeScriptError",
    evalue: `cell ${cell.count}, line ${first.line}: ${first.message}`,
    traceback: diagnostics.flatMap(({ line, column, length, message, code }) => [
      `${red("TypeScriptError")} cell ${cell.count}, line ${line}:${column} - ${message}${code === undefined ? "" : ` (TS${code})`}`,
      excerpt(lines[line - 1] ?? "", column, length),
    ]),
  };
}
