import type { Diagnostic } from "../engine.js";

/** What stands before the code of a cell: `%types off`, `%types on`. */
export interface Directives {
  /** The cell with its directive made a comment of the same length. */
  code: string;
  /** Whether types are to be checked from here on; undefined when nothing is said about it. */
  checkTypes: boolean | undefined;
  /** What is wrong with the directive. */
  fault: Diagnostic | undefined;
}

const firstLine = /^\s*(%[^\n]*)/;
const types = /^%types\s+(on|off)\s*$/;

/** Reads the directive in the first line of a cell. */
export function readDirectives(code: string): Directives {
  const directive = firstLine.exec(code)?.[1];
  if (directive === undefined) return { code, checkTypes: undefined, fault: undefined };
  const start = code.indexOf(directive);
  const state = types.exec(directive)?.[1];
  return {
    code: `${code.slice(0, start)}//${code.slice(start + 2)}`,
    checkTypes: state === undefined ? undefined : state === "on",
    fault: state === undefined ? unknown(directive, code.slice(0, start).split("\n").length) : undefined,
  };
}

function unknown(directive: string, line: number): Diagnostic {
  const message = `There are %types on and %types off, and no ${directive.trim()}.`;
  return { line, column: 1, length: directive.trimEnd().length, message, code: undefined };
}
