import type ts from "typescript";
import type { Completion, Position } from "../engine.js";
import type { CellModules } from "./cellModules.js";

/** Candidates sent; a list of all globals is longer than anybody reads. */
const maxCandidates = 500;

/** What may stand at a position: members, names in scope, modules, string literals of a type. */
export function complete(modules: CellModules, { code, position }: Position): Completion {
  const { file, offset } = modules.place(code, "all");
  const found = modules.service.getCompletionsAtPosition(file, offset + position, {
    includeCompletionsForModuleExports: false,
    includeCompletionsWithInsertText: false,
  });
  const entries = found?.entries ?? [];
  const word = /[\p{ID_Continue}$]*$/u.exec(code.slice(0, position))?.[0] ?? "";
  const replaced = entries.find((entry) => entry.replacementSpan !== undefined)?.replacementSpan;
  const start = replaced === undefined ? position - word.length : replaced.start - offset;
  const typed = code.slice(start, position);
  const candidates = entries
    .filter(({ name }) => name.startsWith(typed) && !name.startsWith("__cell"))
    .sort(bySortText)
    .slice(0, maxCandidates)
    .map(({ name, kind }) => ({ text: name, kind }));
  return { start, end: position, candidates };
}

function bySortText(a: ts.CompletionEntry, b: ts.CompletionEntry): number {
  return a.sortText < b.sortText ? -1 : a.sortText > b.sortText ? 1 : 0;
}
