import ts from "typescript";

/** What a name stands for, in order of what its user wants to know: a class is a type, too. */
const kinds: readonly [ts.SymbolFlags, string][] = [
  [ts.SymbolFlags.Class, "class"],
  [ts.SymbolFlags.Function, "function"],
  [ts.SymbolFlags.Enum, "enum"],
  [ts.SymbolFlags.Module, "module"],
  [ts.SymbolFlags.Variable, "const"],
  [ts.SymbolFlags.Interface, "interface"],
  [ts.SymbolFlags.TypeAlias, "type"],
];

/** Kind of a completion; what a module passes on from another one is what it is there. */
export function completionKind(
  { kind, symbol }: ts.CompletionEntry,
  checker: ts.TypeChecker | undefined,
): string {
  if (kind !== ts.ScriptElementKind.alias || symbol === undefined || checker === undefined) return kind;
  if ((symbol.flags & ts.SymbolFlags.Alias) === 0) return kind;
  const { flags } = checker.getAliasedSymbol(symbol);
  return kinds.find(([flag]) => (flags & flag) !== 0)?.[1] ?? kind;
}
