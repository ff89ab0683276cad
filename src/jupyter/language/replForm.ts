import ts from "typescript";
import { stopFlagArray } from "../cellNames.js";
import {
  assignmentTarget,
  assignStatement,
  letStatement,
  runtimeCall,
  runtimeMember,
  statementOf,
} from "./cellFactory.js";
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
 * Turns an emitted module into what V8's REPL mode runs:
 *
 * - every declaration becomes a `let`, which a later cell may declare again; functions come first, as they are hoisted
 * - imports become calls of the kernel, which resolve from the notebook's folder
 * - `__cell.reached(n)` after the n-th declaring statement tells which names exist when a cell throws
 * - loops look at a shared flag and awaits report to the kernel, so that a stop is an ordinary exception
 *
 * @param marks receives, for each n, the names that statement declares
 */
export function replForm(marks: string[][]): ts.TransformerFactory<ts.SourceFile> {
  return (context) => (source) => {
    const form = new ReplForm(context, marks);
    const [imports, others] = [true, false].map((wanted) =>
      source.statements.filter((statement) => ts.isImportDeclaration(statement) === wanted),
    );
    for (const statement of [...imports, ...others]) form.add(statement);
    return context.factory.updateSourceFile(source, form.statements());
  };
}

class ReplForm {
  readonly #context: ts.TransformationContext;
  readonly #factory: ts.NodeFactory;
  readonly #marks: string[][];
  readonly #declared = new Set<string>();
  readonly #functions: ts.Statement[] = [];
  readonly #imports: ts.Statement[] = [];
  readonly #body: ts.Statement[] = [];
  #functionDepth = 0;

  constructor(context: ts.TransformationContext, marks: string[][]) {
    this.#context = context;
    this.#factory = context.factory;
    this.#marks = marks;
  }

  statements(): ts.Statement[] {
    const strict = statementOf(this.#factory.createStringLiteral("use strict"));
    return [
      strict,
      statementOf(runtimeCall("reached", this.#factory.createNumericLiteral(0))),
      ...this.#functions,
      ...this.#imports,
      ...this.#body,
    ];
  }

  add(statement: ts.Statement): void {
    if (ts.isEmptyStatement(statement)) return;
    if (ts.isImportDeclaration(statement)) this.#addImport(statement);
    else if (ts.isExportDeclaration(statement)) this.#addExport(statement);
    else if (ts.isFunctionDeclaration(statement) && statement.body !== undefined)
      this.#addFunction(statement, statement.body);
    else if (ts.isClassDeclaration(statement)) this.#addClass(statement);
    else if (ts.isVariableStatement(statement)) this.#addVariables(statement);
    else {
      const hoisted = nestedVarNames(statement);
      for (const name of hoisted) this.#hoist(name);
      this.#body.push(...this.#visitStatement(statement));
      this.#mark(this.#body, hoisted);
    }
  }

  #addImport({ moduleSpecifier, importClause, attributes }: ts.ImportDeclaration): void {
    if (ts.isStringLiteral(moduleSpecifier) && cellSpecifier.test(moduleSpecifier.text)) return;
    const load = this.#factory.createAwaitExpression(
      runtimeCall("import", moduleSpecifier, ...this.#options(attributes)),
    );
    const names: string[] = [];
    const last = runtimeMember("lastImport");
    const pick = (imported: string, local: ts.Identifier): void => {
      const value = runtimeCall("pick", last, this.#factory.createStringLiteral(imported), moduleSpecifier);
      this.#imports.push(letStatement(local, value));
      names.push(local.text);
    };
    this.#imports.push(importClause === undefined ? statementOf(load) : assignStatement(last, load));
    if (importClause?.name !== undefined) pick("default", importClause.name);
    const bindings = importClause?.namedBindings;
    if (bindings !== undefined && ts.isNamespaceImport(bindings)) {
      this.#imports.push(letStatement(bindings.name, last));
      names.push(bindings.name.text);
    } else {
      for (const element of bindings?.elements ?? [])
        pick((element.propertyName ?? element.name).text, element.name);
    }
    for (const name of names) this.#declared.add(name);
    this.#mark(this.#imports, names);
  }

  #options(attributes: ts.ImportAttributes | undefined): ts.Expression[] {
    if (attributes === undefined) return [];
    const { factory } = this.#context;
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
    if (moduleSpecifier === undefined) return;
    this.#imports.push(
      statementOf(this.#factory.createAwaitExpression(runtimeCall("import", moduleSpecifier))),
    );
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
    this.#define(this.#functions, name.text, this.#visitExpression(ts.setTextRange(value, declaration)));
  }

  #addClass(declaration: ts.ClassDeclaration): void {
    const { name, heritageClauses, members } = declaration;
    const modifiers = withoutExport(declaration.modifiers);
    const value = this.#factory.createClassExpression(modifiers, name, undefined, heritageClauses, members);
    const expression = this.#visitExpression(ts.setTextRange(value, declaration));
    if (name === undefined) {
      this.#body.push(statementOf(expression));
    } else {
      this.#define(this.#body, name.text, expression, declaration);
      this.#mark(this.#body, [name.text]);
    }
  }

  #addVariables(statement: ts.VariableStatement): void {
    const list = statement.declarationList;
    const names = namesOfList(list);
    if (names.some((name) => this.#declared.has(name))) {
      this.#body.push(...this.#assignments(list));
    } else {
      for (const name of names) this.#declared.add(name);
      const declarations = ts.visitNodes(list.declarations, this.#visit, ts.isVariableDeclaration);
      const lets = this.#factory.createVariableDeclarationList(declarations, ts.NodeFlags.Let);
      this.#body.push(ts.setTextRange(this.#factory.createVariableStatement(undefined, lets), statement));
    }
    this.#mark(this.#body, names);
  }

  #define(place: ts.Statement[], name: string, value: ts.Expression, origin?: ts.Node): void {
    const isNew = !this.#declared.has(name);
    this.#declared.add(name);
    const statement = isNew
      ? letStatement(name, value)
      : assignStatement(this.#factory.createIdentifier(name), value);
    place.push(origin === undefined ? statement : ts.setTextRange(statement, origin));
  }

  #hoist(name: string): void {
    if (this.#declared.has(name)) return;
    this.#declared.add(name);
    this.#functions.push(letStatement(name));
  }

  #mark(place: ts.Statement[], names: string[]): void {
    if (names.length === 0) return;
    this.#marks.push(names);
    place.push(statementOf(runtimeCall("reached", this.#factory.createNumericLiteral(this.#marks.length))));
  }

  /** `var a = 1, b;` where the names exist already. */
  #assignments(list: ts.VariableDeclarationList): ts.ExpressionStatement[] {
    return list.declarations.flatMap(({ name, initializer }) =>
      initializer === undefined
        ? []
        : [assignStatement(assignmentTarget(name), this.#visitExpression(initializer))],
    );
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
    if (this.#functionDepth === 0 && ts.isVariableStatement(node) && isVarList(node.declarationList)) {
      return this.#assignments(node.declarationList);
    }
    if (ts.isLabeledStatement(node)) return this.#labeled(node);
    if (ts.isIterationStatement(node, false)) return this.#inRun(node, (run) => this.#loop(node, run));
    if (ts.isAwaitExpression(node)) return this.#await(node);
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      return runtimeCall("import", ...node.arguments.map((argument) => this.#visitExpression(argument)));
    }
    if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword)
      return runtimeMember("meta");
    return ts.visitEachChild(node, this.#visit, this.#context);
  };

  /** A loop's `var` list is assigned to the names hoisted before the loop. */
  readonly #visitLoopPart = (node: ts.Node): ts.VisitResult<ts.Node | undefined> => {
    if (this.#functionDepth > 0 || !isVarList(node)) return this.#visit(node);
    const isHeadOfForIn = node.declarations.length === 1 && node.declarations[0].initializer === undefined;
    if (isHeadOfForIn) return assignmentTarget(node.declarations[0].name);
    const assigned = this.#assignments(node).map(({ expression }) => expression);
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
    const { factory } = this.#context;
    const run = factory.createUniqueName("run");
    const declaration = factory.createVariableDeclaration(run, undefined, undefined, runtimeMember("run"));
    const list = factory.createVariableDeclarationList([declaration], ts.NodeFlags.Const);
    return factory.createBlock([factory.createVariableStatement(undefined, list), build(run)]);
  }

  #loop(node: ts.IterationStatement, run: ts.Identifier | undefined): ts.IterationStatement {
    const { factory } = this.#context;
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
    if (ts.isForInStatement(loop))
      return factory.updateForInStatement(loop, loop.initializer, loop.expression, guarded);
    if (ts.isWhileStatement(loop)) return factory.updateWhileStatement(loop, loop.expression, guarded);
    if (ts.isDoStatement(loop)) return factory.updateDoStatement(loop, guarded, loop.expression);
    return loop;
  }

  /** `await x` becomes `__cell.resumed(__cell.run, await x)`: the run that waits is known before and after. */
  #await(node: ts.AwaitExpression): ts.Expression {
    const waiting = this.#factory.updateAwaitExpression(node, this.#visitExpression(node.expression));
    return ts.setTextRange(runtimeCall("resumed", runtimeMember("run"), waiting), node);
  }
}

function withoutExport(modifiers: ts.NodeArray<ts.ModifierLike> | undefined): ts.ModifierLike[] | undefined {
  return modifiers?.filter(
    ({ kind }) => kind !== ts.SyntaxKind.ExportKeyword && kind !== ts.SyntaxKind.DefaultKeyword,
  );
}
