import { describe, expect, test } from "vitest";
import { parse } from "../../../src/jupyter/language/cellModules.js";
import { declaredNames } from "../../../src/jupyter/language/declaredNames.js";

const namesIn = (code: string): Record<string, string> =>
  Object.fromEntries(declaredNames(parse(code)).names);

describe("declaredNames", () => {
  test.each([
    ["let a = 1, b", { a: "variable", b: "variable" }],
    ["const c = 1; using d = r; await using e = r", { c: "constant", d: "constant", e: "constant" }],
    ["const { f, g: [h, ...i], ...j } = x", { f: "constant", h: "constant", i: "constant", j: "constant" }],
    ["var k = 1", { k: "variable" }],
    [
      "function l() { var hidden } class M {} enum N {} namespace O {}",
      { l: "constant", M: "constant", N: "constant", O: "constant" },
    ],
    ["interface P {} type Q = 1", { P: "constant", Q: "constant" }],
    [
      'import r, { s, t as u } from "x"; import * as v from "y"; import "z"',
      { r: "constant", s: "constant", u: "constant", v: "constant" },
    ],
    [
      "for (var w = 0; ;) { var x = 1 } if (a) { var [y] = z; let hidden }",
      { w: "variable", x: "variable", y: "variable" },
    ],
    ["f(function () { var hidden }); (class { static { var hidden } })", {}],
    ["1 + 1", {}],
  ])("of %s", (code, names) => {
    expect(namesIn(code)).toEqual(names);
  });

  test("tells which the cell exports itself", () => {
    const { exported } = declaredNames(
      parse("export const a = 1; export function b() {} const c = 2; export { c as d }; export default 5"),
    );
    expect([...exported]).toEqual(["a", "b", "d"]);
  });

  test("notices additions to global types", () => {
    expect(declaredNames(parse("declare global { var a: 1 }")).augments).toBe(true);
    expect(declaredNames(parse('declare module "x" { export const a: 1 }')).augments).toBe(true);
    expect(declaredNames(parse("namespace A {}")).augments).toBe(false);
  });
});
