import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jupyterJson } from "../../../src/jupyter/notebook/jupyterJson.js";

describe("JSON of notebook files", () => {
  test("means what it was made of", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(jupyterJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test("has keys in the order of their text, one space of indent, and nothing in empty brackets", () => {
    const value = { b: [1, { c: null }], "9": {}, "10": [], a: undefined };
    expect(jupyterJson(value)).toBe('{\n "10": [],\n "9": {},\n "b": [\n  1,\n  {\n   "c": null\n  }\n ]\n}');
  });

  // Made with Python: json.dumps(value, ensure_ascii=False)
  test.each([
    [0, "0"],
    [12, "12"],
    [0.5, "0.5"],
    [0.0001, "0.0001"],
    [0.00001, "1e-05"],
    [-1.25e-7, "-1.25e-07"],
    [1e-10, "1e-10"],
    [5e-324, "5e-324"],
    [1e22, "1e+22"],
    ["é\u2028\u0001\u007f/", '"é\u2028\\u0001\u007f/"'],
    ["😀\n", '"😀\\n"'],
    [true, "true"],
  ])("writes %j as Python does", (value, text) => {
    expect(jupyterJson(value)).toBe(text);
  });
});
