import ts from "typescript";
import { stopFlagArray } from "../cellNames.js";
import { assignmentTarget, assignStatement, runtimeCall, runtimeMember, statementOf } from "./cellFactory.js";
import { cellSpecifier } from "./cellModules.js";
import { isVarList, namesOfList, nestedVarNames } from "./declaredNames.js";

/**
 * Marks the last statement of a cell as its value, if it is an expression. Runs before TypeScript's own
 * transformations, which may move that statement (a top-level `using` wraps the rest in a `try`).
 */
export const markValue: ts.TransformerFactory<ts.SourceFile> = (context) => (source) => {
  const { factory } = context;
  const at = source.statements.findLastIndex(
    (statement) =>
      !ts.isEmptyStatement(statement) &&
      !(ts.isExportDeclaration(statement) && statement.moduleSpecifier === undefined),
  );
  const last = source.statements[at] as ts.Statement | undefined;
  if (last === undefined || !(ts.isExpressionStatement(last) || ts.isExportAssignment(last))) return source;
  const value = ts.setTextRange(statementOf(runtimeCall("value", last.expression)), last);
  return factory.updateSourceFile(
    source,
    source.statements.map((statement, i) => (i === at ? value : statement)),
  );
};

/**
 * Turns one emitted module into a function expression, async where the cell awaits:
 *
 * - declarations of the cell assign to variables that all cells share; functions come first, as they are hoisted
 * - imports become calls of the kernel, which resolve from the notebook's folder
 * - `__cell.reached(n)` after the n-th declaring statement tells which names exist when a cell throws
 * - loops look at a shared flag and awaits report to the kernel, so that a stop is an ordinary exception
 */
export class CellForm {
  /** For each n, the names that the n-th declaring statement declares. */
  readonly marks: string[][] = [];
  readonly #names: ReadonlySet<string>;
  readonly #assigned = new Set<string>();
  readonly #functions: ts.Statement[] = [];
  readonly #imports: ts.Statement[] = [];
  readonly #body: ts.Statement[] = [];
  readonly #factory = ts.factory;
  #context: ts.TransformationContext | undefined;
  #functionDepth = 0;
  #isAsync = false;

  /** @param names what the cell declares for later ones; everything else is local to the function */
  constructor(names: readonly string[]) {
    this.#names = new Set(names);
  }

  /** Names that the function assigns to. */
  get assigned(): string[] {
    return [...this.#assigned];
  }

  readonly transform: ts.TransformerFactory<ts.SourceFile> = (context) => (source) => {
    this.#context = context;
    const [imports, others] = [true, false].map((wanted) =>
      source.statements.filter((statement) => ts.isImportDeclaration(statement) === wanted),
    );
    for (const statement of [...imports, ...others]) this.#add(statement);
    return this.#factory.updateSourceFile(source, [this.#script()]);
  };

  /** `(async () => { … })` */
  #script(): ts.Statement {
    const factory = this.#factory;
    const body = [
      statementOf(factory.createStringLiteral("use strict")),
      statementOf(runtimeCall("reached", factory.createNumericLiteral(0))),
      ...this.#functions,
      ...this.#imports,
      ...this.#body,
    ];
    const run = factory.createArrowFunction(
      this.#isAsync ? [factory.createModifier(ts.SyntaxKind.AsyncKeyword)] : undefined,
      undefined,
      [],
      undefined,
      undefined,
      factory.createBlock(body, true),
    );
    return statementOf(factory.createParenthesizedExpression(run));
  }

  #add(statement: ts.Statement): void {
    if (ts.isEmptyStatement(statement)) return;
    if (ts.isImportDeclaration(statement)) this.#addImport(statement);
    else if (ts.isExportDeclaration(statement)) this.#addExport(statement);
    else if (ts.isFunctionDeclaration(statement) && statement.body !== undefined) {
      this.#addFunction(statement, statement.body);
    } else if (ts.isClassDeclaration(statement)) this.#addClass(statement);
    else if (ts.isVariableStatement(statement)) this.#addVariables(statement);
    else this.#addOther(statement);
  }

  #addImport({ moduleSpecifier, importClause, attributes }: ts.ImportDeclaration): void {
    if (ts.isStringLiteral(moduleSpecifier) && cellSpecifier.test(moduleSpecifier.text)) return;
    const load = this.#import(moduleSpecifier, ...this.#options(attributes));
    const bindings = importClause?.namedBindings;
    const names: string[] = [];
    const define = (local: ts.Identifier, value: ts.Expression): void => {
      this.#assigned.add(local.text);
      this.#imports.push(assignStatement(local, value));
      names.push(local.text);
    };
    if (importClause === undefined) {
      this.#imports.push(statementOf(load));
    } else if (importClause.name === undefined && bindings !== undefined && ts.isNamespaceImport(bindings)) {
      define(bindings.name, load);
    } else {
      const module = this.#factory.createUniqueName("module");
      this.#imports.push(this.#constant(module, load));
      const pick = (imported: string): ts.Expression =>
        runtimeCall("pick", module, this.#factory.createStringLiteral(imported), moduleSpecifier);
      if (importClause.name !== undefined) define(importClause.name, pick("default"));
      if (bindings !== undefined && ts.isNamespaceImport(bindings)) define(bindings.name, module);
      else
        for (const { propertyName, name } of bindings?.elements ?? [])
          define(name, pick((propertyName ?? name).text));
    }
    this.#mark(this.#imports, names);
  }

  #options(attributes: ts.ImportAttributes | undefined): ts.Expression[] {
    if (attributes === undefined) return [];
    const factory = this.#factory;
    const properties = attributes.elements.map(({ name, value }) =>
      factory.createPropertyAssignment(name, value),
    );
    return [
      factory.createObjectLiteralExpression([
        factory.createPropertyAssignment("with", factory.createObjectLiteralExpression(properties)),
      ]),
    ];
  }

  /** `export … from "module"` runs the module; names exported from a cell are declared anyway. */
  #addExport({ moduleSpecifier }: ts.ExportDeclaration): void {
    if (moduleSpecifier !== undefined) this.#imports.push(statementOf(this.#import(moduleSpecifier)));
  }

  #addFunction(declaration: ts.FunctionDeclaration, body: ts.Block): void {
    const { name, asteriskToken, parameters } = declaration;
    if (name === undefined) return;
    const modifiers = withoutExport(declaration.modifiers) as ts.Modifier[] | undefined;
    // Without a name of its own it takes the variable's, and a later declaration of that name is what it calls.
    const value = this.#factory.createFunctionExpression(
      modifiers,
      asteriskToken,
      undefined,
      undefined,
      parameters,
      undefined,
      body,
    );
    this.#assigned.add(name.text);
    const expression = this.#visitExpression(ts.setTextRange(value, declaration));
    this.#functions.push(assignStatement(name, expression));
  }

  #addClass(declaration: ts.ClassDeclaration): void {
    const { name, heritageClauses, members } = declaration;
    const modifiers = withoutExport(declaration.modifiers);
    const value = this.#factory.createClassExpression(modifiers, name, undefined, heritageClauses, members);
    const expression = this.#visitExpression(ts.setTextRange(value, declaration));
    if (name === undefined) {
      this.#body.push(statementOf(expression));
    } else {
      this.#assigned.add(name.text);
      this.#body.push(ts.setTextRange(assignStatement(name, expression), declaration));
      this.#mark(this.#body, [name.text]);
    }
  }

  #addVariables(statement: ts.VariableStatement): void {
    const list = statement.declarationList;
    const names = namesOfList(list);
    // What TypeScript adds for its own use stays local.
    if (!names.some((name) => this.#names.has(name))) {
      this.#body.push(...this.#visitStatement(statement));
      return;
    }
    const isRepeatedVar = isVarList(list) && names.every((name) => this.#assigned.has(name));
    for (const name of names) this.#assigned.add(name);
    const assignments = this.#assignments(list, !isRepeatedVar);
    if (assignments.length > 0) ts.setTextRange(assignments[0], statement);
    this.#body.push(...assignments);
    this.#mark(this.#body, names);
  }

  #addOther(statement: ts.Statement): void {
    const hoisted = nestedVarNames(statement).filter((name) => this.#names.has(name));
    for (const name of hoisted.filter((candidate) => !this.#assigned.has(candidate))) {
      this.#assigned.add(name);
      this.#functions.push(this.#reset(this.#factory.createIdentifier(name)));
    }
    this.#body.push(...this.#visitStatement(statement));
    this.#mark(this.#body, hoisted);
  }

  #mark(place: ts.Statement[], names: string[]): void {
    if (names.length === 0) return;
    this.marks.push(names);
    place.push(statementOf(runtimeCall("reached", this.#factory.createNumericLiteral(this.marks.length))));
  }

  /**
   * A declaration list as assignments to names that exist.
   *
   * @param isReset whether a name without a value becomes undefined, as `let name;` makes it
   */
  #assignments(list: ts.VariableDeclarationList, isReset: boolean): ts.ExpressionStatement[] {
    return list.declarations.flatMap(({ name, initializer }) => {
      const target = assignmentTarget(name);
      if (initializer !== undefined)
        return [assignStatement(this.#visitExpression(target), this.#visitExpression(initializer))];
      return isReset ? [this.#reset(target)] : [];
    });
  }

  #reset(target: ts.Expression): ts.ExpressionStatement {
    return assignStatement(target, this.#factory.createVoidZero());
  }

  #constant(name: ts.Identifier, value: ts.Expression): ts.VariableStatement {
    const declaration = this.#factory.createVariableDeclaration(name, undefined, undefined, value);
    return this.#factory.createVariableStatement(
      undefined,
      this.#factory.createVariableDeclarationList([declaration], ts.NodeFlags.Const),
    );
  }

  #import(...values: ts.Expression[]): ts.Expression {
    return this.#await(this.#factory.createAwaitExpression(runtimeCall("import", ...values)));
  }

  #visitStatement(statement: ts.Statement): ts.Statement[] {
    const visited = this.#visit(statement);
    return (Array.isArray(visited) ? visited : [visited]) as ts.Statement[];
  }

  #visitExpression(expression: ts.Expression): ts.Expression {
    return ts.visitNode(expression, this.#visit, ts.isExpression);
  }

  readonly #visit = (node: ts.Node): ts.VisitResult<ts.Node> => {
    if (ts.isFunctionLike(node) || ts.isClassLike(node)) {
      this.#functionDepth++;
      const visited = ts.visitEachChild(node, this.#visit, this.#context);
      this.#functionDepth--;
      return visited;
    }
    if (ts.isVariableStatement(node) && this.#isShared(node.declarationList)) {
      return this.#assignments(node.declarationList, false);
    }
    if (ts.isLabeledStatement(node)) return this.#labeled(node);
    if (ts.isIterationStatement(node, false)) return this.#inRun(node, (run) => this.#loop(node, run));
    if (ts.isAwaitExpression(node)) {
      return this.#await(this.#factory.updateAwaitExpression(node, this.#visitExpression(node.expression)));
    }
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      return runtimeCall("import", ...node.arguments.map((argument) => this.#visitExpression(argument)));
    }
    if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword) {
      return runtimeMember("meta");
    }
    return ts.visitEachChild(node, this.#visit, this.#context);
  };

  /** Whether a list is a `var` outside of functions: it declares names of the cell wherever it stands. */
  #isShared(node: ts.Node): node is ts.VariableDeclarationList {
    return (
      this.#functionDepth === 0 && isVarList(node) && namesOfList(node).some((name) => this.#names.has(name))
    );
  }

  /** A loop's `var` list is assigned to the names that were declared before the loop. */
  readonly #visitLoopPart = (node: ts.Node): ts.VisitResult<ts.Node | undefined> => {
    if (!this.#isShared(node)) return this.#visit(node);
    const isHeadOfForIn = node.declarations.length === 1 && node.declarations[0].initializer === undefined;
    if (isHeadOfForIn) return assignmentTarget(node.declarations[0].name);
    const assigned = this.#assignments(node, false).map(({ expression }) => expression);
    if (assigned.length === 0) return undefined;
    return assigned.reduce((all, one) => this.#factory.createComma(all, one));
  };

  #labeled(node: ts.LabeledStatement): ts.Statement {
    let labeled = node.statement;
    while (ts.isLabeledStatement(labeled)) labeled = labeled.statement;
    return this.#inRun(labeled, (run) => this.#relabel(node, run));
  }

  #relabel(node: ts.LabeledStatement, run: ts.Identifier | undefined): ts.LabeledStatement {
    const { label, statement } = node;
    const visited = ts.isLabeledStatement(statement)
      ? this.#relabel(statement, run)
      : ts.isIterationStatement(statement, false)
        ? this.#loop(statement, run)
        : this.#factory.createBlock(this.#visitStatement(statement));
    return this.#factory.updateLabeledStatement(node, label, visited);
  }

  /** Around a `for await`, keeps which run the loop belongs to; other loops need not know. */
  #inRun<T extends ts.Statement>(
    node: ts.Statement,
    build: (run: ts.Identifier | undefined) => T,
  ): T | ts.Block {
    if (!ts.isForOfStatement(node) || node.awaitModifier === undefined) return build(undefined);
    this.#noteAwait();
    const run = this.#factory.createUniqueName("run");
    return this.#factory.createBlock([this.#constant(run, runtimeMember("run")), build(run)]);
  }

  #loop(node: ts.IterationStatement, run: ts.Identifier | undefined): ts.IterationStatement {
    const factory = this.#factory;
    const loop = ts.visitEachChild(node, this.#visitLoopPart, this.#context);
    const stop = factory.createElementAccessExpression(factory.createIdentifier(stopFlagArray), 0);
    const guard = factory.createIfStatement(stop, statementOf(runtimeCall("throwStopped")));
    const resumed = run === undefined ? [] : [statementOf(runtimeCall("resumed", run))];
    const body = ts.isBlock(loop.statement) ? loop.statement.statements : [loop.statement];
    const guarded = factory.createBlock([guard, ...resumed, ...body], true);
    if (ts.isForStatement(loop)) {
      return factory.updateForStatement(loop, loop.initializer, loop.condition, loop.incrementor, guarded);
    }
    if (ts.isForOfStatement(loop)) {
      return factory.updateForOfStatement(
        loop,
        loop.awaitModifier,
        loop.initializer,
        loop.expression,
        guarded,
      );
    }
    if (ts.isForInStatement(loop)) {
      return factory.updateForInStatement(loop, loop.initializer, loop.expression, guarded);
    }
    if (ts.isWhileStatement(loop)) return factory.updateWhileStatement(loop, loop.expression, guarded);
    if (ts.isDoStatement(loop)) return factory.updateDoStatement(loop, guarded, loop.expression);
    return loop;
  }

  /** `await x` becomes `__cell.resumed(__cell.run, await x)`: the run that waits is known before and after. */
  #await(waiting: ts.AwaitExpression): ts.Expression {
    this.#noteAwait();
    return ts.setTextRange(runtimeCall("resumed", runtimeMember("run"), waiting), waiting);
  }

  #noteAwait(): void {
    if (this.#functionDepth === 0) this.#isAsync = true;
  }
}

function withoutExport(modifiers: ts.NodeArray<ts.ModifierLike> | undefined): ts.ModifierLike[] | undefined {
  return modifiers?.filter(
    ({ kind }) => kind !== ts.SyntaxKind.ExportKeyword && kind !== ts.SyntaxKind.DefaultKeyword,
  );
}
