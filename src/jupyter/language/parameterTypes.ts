import ts from "typescript";
import { mustBe, unknownOption } from "../../errors.js";
import { parse } from "./cellModules.js";
import { TypescriptLanguage } from "./typescriptLanguage.js";

/** One variable of the parameters cell, as its author wrote it. */
interface Declaration {
  keyword: "const" | "let" | "var";
  /** The annotation with its colon; empty where the type follows from the value. */
  annotation: string;
}

/** What may stand for a value on a command line, and its meaning in TypeScript. */
const constants = ["undefined", "NaN", "Infinity", "-Infinity"];

/**
 * The variables that a parameters cell declares, and their types as the compiler sees them. A value from a command
 * line means what fits the type: `3` is a number where a number is wanted and text where text is.
 */
export class ParameterTypes {
  readonly #language: TypescriptLanguage;
  readonly #declarations: ReadonlyMap<string, Declaration>;

  /**
   * @param source the parameters cell
   * @param folder where the notebook is
   * @throws KatlabError when the cell does not pass the type checker
   */
  constructor(source: string, folder: string) {
    const tree = parse(source);
    this.#declarations = new Map(declarationsOf(tree));
    this.#language = new TypescriptLanguage(folder);
    // `const epochs = 3` has the type 3; what is meant is a number.
    const compiled = this.#language.compile({ id: 1, count: 1, code: variable(source, tree) });
    if ("diagnostics" in compiled) {
      throw mustBe({
        subject: "parameters cell",
        must: "must pass the type checker",
        got: compiled.diagnostics[0].message,
        remedy: "Run the notebook in JupyterLab and mend the cell.",
      });
    }
    this.#language.accept({ id: 1, reached: Infinity });
  }

  /** Names of the parameters. */
  get names(): string[] {
    return [...this.#declarations.keys()];
  }

  /**
   * A declaration that gives a parameter another value.
   *
   * @param text the value, as JSON or as plain text
   * @throws KatlabError when there is no such parameter, or its type has no such value
   */
  declare(name: string, text: string): string {
    const declaration = this.#declarations.get(name);
    if (declaration === undefined) throw unknownOption("parameter", name, this.names);
    const literal = literalsOf(text).find((candidate) => this.#fits(name, candidate));
    if (literal === undefined) {
      throw mustBe({
        subject: `parameter ${name}`,
        must: `must be of type ${this.#typeOf(name)}`,
        got: JSON.stringify(text),
        remedy: "Give numbers, true, false and text as they are, lists and objects as JSON.",
      });
    }
    return `${declaration.keyword} ${name}${declaration.annotation} = ${literal};`;
  }

  close(): void {
    this.#language.close();
  }

  #fits(name: string, literal: string): boolean {
    const code = `const given: typeof ${name} = ${literal};`;
    return "code" in this.#language.compile({ id: 2, count: 2, code });
  }

  #typeOf(name: string): string {
    const shown = this.#language.inspect({ code: name, position: 0 })?.["text/plain"];
    return String(shown).replace(/^.*?: /s, "");
  }
}

/** What a text may mean, most specific first, written in TypeScript. */
function literalsOf(text: string): string[] {
  const json = jsonValue(text);
  return [
    ...(json === undefined ? [] : [JSON.stringify(json)]),
    ...(constants.includes(text) || /^-?\d+n$/.test(text) ? [text] : []),
    ...(json === undefined && text.trim() !== "" && Number.isFinite(Number(text))
      ? [String(Number(text))]
      : []),
    JSON.stringify(text),
  ];
}

function jsonValue(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function declarationsOf(tree: ts.SourceFile): [string, Declaration][] {
  return tree.statements.filter(ts.isVariableStatement).flatMap(({ declarationList: list }) =>
    list.declarations.flatMap(({ name, type }): [string, Declaration][] => {
      if (!ts.isIdentifier(name)) return [];
      const annotation = type === undefined ? "" : `: ${type.getText(tree)}`;
      return [[name.text, { keyword: keywordOf(list), annotation }]];
    }),
  );
}

function keywordOf({ flags }: ts.VariableDeclarationList): Declaration["keyword"] {
  if (flags & ts.NodeFlags.Const) return "const";
  return flags & ts.NodeFlags.Let ? "let" : "var";
}

/** The cell with its constants made variables, so that their types are not single values. */
function variable(source: string, tree: ts.SourceFile): string {
  const constants = tree.statements
    .filter(ts.isVariableStatement)
    .filter(({ declarationList: list }) => keywordOf(list) === "const")
    .map(({ declarationList: list }) => list.getStart(tree));
  const edits = constants.toReversed();
  return edits.reduce((code, at) => `${code.slice(0, at)}let  ${code.slice(at + "const".length)}`, source);
}
