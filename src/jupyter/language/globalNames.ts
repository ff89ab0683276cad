import ts from "typescript";
import { runtimeObject, stopFlagArray } from "../cellNames.js";

const globals: ReadonlySet<string> = new Set([
  ...Object.getOwnPropertyNames(globalThis),
  runtimeObject,
  stopFlagArray,
]);
const suffix = "__cell";

/** Whether Node has a global of this name, which modules of the process may rely on. */
export function isGlobalName(name: string): boolean {
  return globals.has(name);
}

/** The name under which a cell's name is kept at run time. */
export function runtimeName(name: string): string {
  return isGlobalName(name) ? name + suffix : name;
}

/** The name that a cell's author gave to what has this name at run time. */
export function sourceName(name: string): string {
  return name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
}

/**
 * Keeps a cell from hiding Node's globals from everybody else.
 *
 * The variables that cells share would shadow the global of that name in every module of the process:
 * `import { setTimeout } from "node:timers/promises"` in a cell would break the libraries it uses. So such names
 * get another one at run time, in the cell that declares them and in those that use them.
 */
export function renameGlobals(checker: ts.TypeChecker): ts.TransformerFactory<ts.SourceFile> {
  return (context) => (source) => {
    const { factory } = context;
    const ownSymbols = topLevelSymbols(checker, source);
    if (ownSymbols.size === 0) return source;
    const isOwn = (symbol: ts.Symbol | undefined): boolean => symbol !== undefined && ownSymbols.has(symbol);
    const renamed = (name: ts.Identifier): ts.Identifier =>
      ts.setTextRange(factory.createIdentifier(runtimeName(name.text)), name);

    const visit = (node: ts.Node): ts.Node => {
      if (ts.isExportDeclaration(node)) return node;
      if (ts.isIdentifier(node)) {
        return isGlobalName(node.text) && isOwn(checker.getSymbolAtLocation(node)) ? renamed(node) : node;
      }
      if (ts.isShorthandPropertyAssignment(node) && isOwn(checker.getShorthandAssignmentValueSymbol(node))) {
        const initializer = ts.visitNode(node.objectAssignmentInitializer, visit, ts.isExpression);
        const value = renamed(node.name);
        return factory.createPropertyAssignment(
          node.name,
          initializer === undefined ? value : factory.createAssignment(value, initializer),
        );
      }
      if (isShorthandBinding(node) && isOwn(checker.getSymbolAtLocation(node.name))) {
        const initializer = ts.visitNode(node.initializer, visit, ts.isExpression);
        return factory.updateBindingElement(node, undefined, node.name, renamed(node.name), initializer);
      }
      if (ts.isImportSpecifier(node) && isOwn(checker.getSymbolAtLocation(node.name))) {
        return factory.updateImportSpecifier(
          node,
          node.isTypeOnly,
          node.propertyName ?? node.name,
          renamed(node.name),
        );
      }
      return ts.visitEachChild(node, visit, context);
    };
    return ts.visitEachChild(source, visit, context);
  };
}

/** `{ name }` or `{ name = initializer }` on the left side of a declaration. */
function isShorthandBinding(node: ts.Node): node is ts.BindingElement & { readonly name: ts.Identifier } {
  return (
    ts.isBindingElement(node) &&
    ts.isIdentifier(node.name) &&
    node.propertyName === undefined &&
    node.dotDotDotToken === undefined &&
    ts.isObjectBindingPattern(node.parent)
  );
}

/** Symbols of the cell's own scope, imports of earlier cells included, whose names are globals too. */
function topLevelSymbols(checker: ts.TypeChecker, source: ts.SourceFile): ReadonlySet<ts.Symbol> {
  const mentionsGlobal = [...source.text.matchAll(/[\p{ID_Start}$_][\p{ID_Continue}$]*/gu)].some(([word]) =>
    isGlobalName(word),
  );
  if (!mentionsGlobal) return new Set();
  const inScope = checker.getSymbolsInScope(source, ts.SymbolFlags.Value | ts.SymbolFlags.Alias);
  const own = inScope.filter(
    (symbol) =>
      isGlobalName(symbol.name) &&
      symbol.declarations?.some((declaration) => declaration.getSourceFile() === source) === true,
  );
  return new Set(own.flatMap((symbol) => [symbol, checker.getExportSymbolOfSymbol(symbol)]));
}
