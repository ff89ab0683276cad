import { describe, expect, test } from "vitest";
import { isComplete } from "../../../src/jupyter/language/isComplete.js";

describe("isComplete", () => {
  test.each(["1 + 1", "", "const a = 1;", "await f()", "function f() {\n  return 1\n}", "`${1}`", "// note"])(
    "%j can run",
    (code) => expect(isComplete(code)).toEqual({ status: "complete" }),
  );

  test.each([
    ["function f() {", "  "],
    ["f(1,", "  "],
    ["const a =", ""],
    ["[1, { b:", "    "],
    ["`text", ""],
    ["/* note", ""],
    ["if (a) {\n  b(() => {", "      "],
    ["class A {", "  "],
  ])("%j wants more", (code, indent) => expect(isComplete(code)).toEqual({ status: "incomplete", indent }));

  test.each(["let 3", ")", "const 1a = 3", "import 5"])("%j can never run", (code) =>
    expect(isComplete(code)).toEqual({ status: "invalid" }),
  );
});
