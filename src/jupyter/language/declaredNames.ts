import ts from "typescript";

/** Whether later cells may assign to a name (`let`, `var`) or not (everything else). */
export type NameKind = "variable" | "constant";

/** What a cell declares at its top level. */
export interface DeclaredNames {
  names: Map<string, NameKind>;
  /** Names the cell's text exports by itself. */
  exported: Set<string>;
  /** Modules by the name of the namespace they are imported as. */
  namespaces: Map<string, string>;
  /** The cell adds to global types or to another module's, which later cells must keep seeing. */
  augments: boolean;
}

/** `const`, `using` and `await using` have a bit in common that `let` and `var` lack. */
const constantFlags = ts.NodeFlags.Const | ts.NodeFlags.Using;

/** Finds the names that a cell gives to later cells. */
export function declaredNames(source: ts.SourceFile): DeclaredNames {
  const names = new Map<string, NameKind>();
  const exported = new Set<string>();
  const namespaces = new Map<string, string>();
  let augments = false;
  for (const statement of source.statements) {
    const own: string[] = [];
    const declare = (name: string, kind: NameKind): void => {
      names.set(name, kind);
      own.push(name);
    };
    if (ts.isVariableStatement(statement)) {
      const isConstant = (statement.declarationList.flags & constantFlags) !== 0;
      for (const name of namesOfList(statement.declarationList))
        declare(name, isConstant ? "constant" : "variable");
    } else if (ts.isImportDeclaration(statement)) {
      for (const name of importedNames(statement)) declare(name, "constant");
      const bindings = statement.importClause?.namedBindings;
      if (bindings !== undefined && ts.isNamespaceImport(bindings)) {
        namespaces.set(bindings.name.text, (statement.moduleSpecifier as ts.StringLiteral).text);
      }
    } else if (ts.isModuleDeclaration(statement) && isAugmentation(statement)) {
      augments = true;
    } else if (ts.isExportDeclaration(statement)) {
      const clause = statement.exportClause;
      if (clause !== undefined && ts.isNamedExports(clause) && statement.moduleSpecifier === undefined) {
        for (const specifier of clause.elements) exported.add(specifier.name.text);
      }
    } else if (isNamedDeclaration(statement)) {
      if (statement.name !== undefined) declare(statement.name.text, "constant");
    } else {
      for (const name of nestedVarNames(statement)) declare(name, "variable");
    }
    if (exportsItself(statement)) for (const name of own) exported.add(name);
  }
  return { names, exported, namespaces, augments };
}

/** Names bound by a declaration list, destructured ones included. */
export function namesOfList(list: ts.VariableDeclarationList): string[] {
  return list.declarations.flatMap((declaration) => namesOf(declaration.name));
}

/** Names bound by an identifier or a destructuring pattern. */
export function namesOf(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isBindingElement(element) ? namesOf(element.name) : []));
}

/** `var` inside a block or loop belongs to the whole cell; functions and classes keep theirs. */
export function nestedVarNames(node: ts.Node): string[] {
  const found: string[] = [];
  const visit = (child: ts.Node): void => {
    if (ts.isFunctionLike(child) || ts.isClassLike(child) || ts.isModuleDeclaration(child)) return;
    if (isVarList(child)) found.push(...namesOfList(child));
    ts.forEachChild(child, visit);
  };
  visit(node);
  return found;
}

/** Whether a node is the list of a `var` statement or loop head. */
export function isVarList(node: ts.Node): node is ts.VariableDeclarationList {
  return ts.isVariableDeclarationList(node) && (node.flags & ts.NodeFlags.BlockScoped) === 0;
}

function importedNames({ importClause }: ts.ImportDeclaration): string[] {
  const bindings = importClause?.namedBindings;
  return [
    ...(importClause?.name === undefined ? [] : [importClause.name.text]),
    ...(bindings === undefined
      ? []
      : ts.isNamespaceImport(bindings)
        ? [bindings.name.text]
        : bindings.elements.map((element) => element.name.text)),
  ];
}

function isAugmentation(statement: ts.ModuleDeclaration): boolean {
  return ts.isStringLiteral(statement.name) || (statement.flags & ts.NodeFlags.GlobalAugmentation) !== 0;
}

function isNamedDeclaration(
  statement: ts.Statement,
): statement is ts.Statement & { readonly name?: ts.Identifier | undefined } {
  return (
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement) ||
    ts.isEnumDeclaration(statement) ||
    ts.isModuleDeclaration(statement) ||
    ts.isImportEqualsDeclaration(statement)
  );
}

function exportsItself(statement: ts.Statement): boolean {
  const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
  const has = (kind: ts.SyntaxKind): boolean => modifiers.some((modifier) => modifier.kind === kind);
  return has(ts.SyntaxKind.ExportKeyword) && !has(ts.SyntaxKind.DefaultKeyword);
}
