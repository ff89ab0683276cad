import { tmpdir } from "node:os";
import { afterAll, describe, expect, test } from "vitest";
import { KatlabError } from "../../../src/errors.js";
import { ParameterTypes } from "../../../src/jupyter/language/parameterTypes.js";

const types = new ParameterTypes(
  `type Scale = "quick" | "full";
let scale: Scale = "full"; // a comment
const epochs = 5, name = "kat";
let rate: number | undefined;
const verbose = false;
let seeds = [1, 2];
let layers: { width: number; act?: string }[] = [];
let either: string | number = 1;
let text: string | null = null;
const big = 3n;
const { ignored } = { ignored: 1 };`,
  tmpdir(),
);
afterAll(() => types.close());

describe("parameters", () => {
  test("are the variables that the cell declares", () => {
    expect(types.names).toEqual([
      "scale",
      "epochs",
      "name",
      "rate",
      "verbose",
      "seeds",
      "layers",
      "either",
      "text",
      "big",
    ]);
  });

  test.each([
    ["scale", "quick", 'let scale: Scale = "quick";'],
    ["epochs", "3", "const epochs = 3;"],
    ["epochs", "1e3", "const epochs = 1000;"],
    ["epochs", ".5", "const epochs = 0.5;"],
    ["epochs", "Infinity", "const epochs = Infinity;"],
    ["name", "3", 'const name = "3";'],
    ["name", "true", 'const name = "true";'],
    ["name", "", 'const name = "";'],
    ["name", 'with "quotes"\n', 'const name = "with \\"quotes\\"\\n";'],
    ["rate", "undefined", "let rate: number | undefined = undefined;"],
    ["verbose", "true", "const verbose = true;"],
    ["seeds", "[3]", "let seeds = [3];"],
    ["layers", '[{"width": 4}]', 'let layers: { width: number; act?: string }[] = [{"width":4}];'],
    ["either", "2", "let either: string | number = 2;"],
    ["either", "two", 'let either: string | number = "two";'],
    ["text", "null", "let text: string | null = null;"],
    ["big", "12n", "const big = 12n;"],
  ])("%s=%s", (name, text, declaration) => {
    expect(types.declare(name, text)).toBe(declaration);
  });

  test.each([
    ["scale", "qick", 'parameter scale: must be of type Scale; got "qick"'],
    ["epochs", "many", 'parameter epochs: must be of type number; got "many"'],
    ["verbose", "yes", 'parameter verbose: must be of type boolean; got "yes"'],
    ["seeds", "3", 'parameter seeds: must be of type number[]; got "3"'],
    ["layers", '[{"with": 4}]', "parameter layers: must be of type"],
  ])("refuse %s=%s", (name, text, message) => {
    expect(() => types.declare(name, text)).toThrow(KatlabError);
    expect(() => types.declare(name, text)).toThrow(message);
  });

  test("that do not exist are told with the nearest", () => {
    expect(() => types.declare("epochz", "3")).toThrow(/Did you mean "epochs"\?/);
  });

  test("of a cell that is wrong are none", () => {
    expect(() => new ParameterTypes("let epochs: string = 5", tmpdir())).toThrow(
      /must pass the type checker/,
    );
  });
});
