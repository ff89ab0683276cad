import ts from "typescript";
import { runtimeObject } from "../cellNames.js";

const { factory } = ts;

/** `__cell.member` */
export function runtimeMember(member: string): ts.PropertyAccessExpression {
  return factory.createPropertyAccessExpression(factory.createIdentifier(runtimeObject), member);
}

/** `__cell.member(...values)` */
export function runtimeCall(member: string, ...values: ts.Expression[]): ts.CallExpression {
  return factory.createCallExpression(runtimeMember(member), undefined, values);
}

/** `target = value;` */
export function assignStatement(target: ts.Expression, value: ts.Expression): ts.ExpressionStatement {
  return factory.createExpressionStatement(factory.createAssignment(target, value));
}

/** `value;` */
export function statementOf(value: ts.Expression): ts.ExpressionStatement {
  return factory.createExpressionStatement(value);
}

/** A destructuring declaration's left side as the left side of an assignment. */
export function assignmentTarget(name: ts.BindingName): ts.Expression {
  if (ts.isIdentifier(name)) return name;
  if (ts.isArrayBindingPattern(name)) {
    return factory.createArrayLiteralExpression(
      name.elements.map((element) => {
        if (ts.isOmittedExpression(element)) return element;
        const target = withDefault(element);
        return element.dotDotDotToken === undefined ? target : factory.createSpreadElement(target);
      }),
    );
  }
  return factory.createObjectLiteralExpression(
    name.elements.map((element) => {
      if (element.dotDotDotToken !== undefined)
        return factory.createSpreadAssignment(assignmentTarget(element.name));
      const property = element.propertyName ?? (element.name as ts.Identifier);
      return factory.createPropertyAssignment(property, withDefault(element));
    }),
  );
}

function withDefault({ name, initializer }: ts.BindingElement): ts.Expression {
  const target = assignmentTarget(name);
  return initializer === undefined ? target : factory.createAssignment(target, initializer);
}
