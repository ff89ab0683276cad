import type ts from "typescript";
import type { Completion, Position } from "../engine.js";
import type { AutoImport } from "./autoImport.js";
import type { CellModules } from "./cellModules.js";
import { completionKind } from "./completionKind.js";

/** Candidates sent; a list of all globals is longer than anybody reads. */
const maxCandidates = 500;

/** What may stand at a position: members, names in scope or to be imported, modules, string literals of a type. */
export function complete(
  modules: CellModules,
  autoImport: AutoImport,
  { code, position }: Position,
): Completion {
  const { file, offset } = modules.place(code, "all");
  const found = modules.service.getCompletionsAtPosition(file, offset + position, {
    includeCompletionsForModuleExports: false,
    includeCompletionsWithInsertText: false,
    includeSymbol: true,
  });
  const entries = found?.entries ?? [];
  const word = /[\p{ID_Continue}$]*$/u.exec(code.slice(0, position))?.[0] ?? "";
  const replaced = entries.find((entry) => entry.replacementSpan !== undefined)?.replacementSpan;
  const start = replaced === undefined ? position - word.length : replaced.start - offset;
  const typed = code.slice(start, position);
  const checker = modules.service.getProgram()?.getTypeChecker();
  const candidates = entries
    .filter(({ name }) => name.startsWith(typed) && !name.startsWith("__cell"))
    .sort(bySortText)
    .slice(0, maxCandidates)
    .map((entry) => ({ text: entry.name, kind: completionKind(entry, checker) }));
  // Only where any name may stand: not behind a dot, in a text, or where a new name is given.
  if (!entries.some(({ name }) => name === "globalThis")) return { start, end: position, candidates };
  const all = [...candidates, ...autoImport.throughNamespaces(word)];
  if (all.length > 0) return { start, end: position, candidates: all };
  return { start, candidates: [], ...autoImport.withImports(code, word, position), end: position };
}

function bySortText(a: ts.CompletionEntry, b: ts.CompletionEntry): number {
  return a.sortText < b.sortText ? -1 : a.sortText > b.sortText ? 1 : 0;
}
