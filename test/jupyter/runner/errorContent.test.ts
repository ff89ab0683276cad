import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { Interrupted } from "../../../src/jupyter/interrupted.js";
import { errorContent, type ErrorPlaces } from "../../../src/jupyter/runner/errorContent.js";

const places: ErrorPlaces = {
  frames: () => ["f (cell 2, line 3:9)"],
  place: () => ({ count: 2, line: 3, column: 9, text: "  throw new RangeError()" }),
};
const red = (text: string): string => `\u001b[31m${text}\u001b[39m`;

describe("errorContent", () => {
  test("tells what, where and from where", () => {
    expect(errorContent(new RangeError("too large"), places)).toEqual({
      ename: "RangeError",
      evalue: "too large",
      traceback: [
        red("RangeError: too large"),
        "cell 2, line 3:",
        "      throw new RangeError()\n            ^",
        "    at f (cell 2, line 3:9)",
      ],
    });
  });

  test("follows causes and parts, but not for ever", () => {
    const circular = new Error("outer");
    circular.cause = circular;
    const heads = (fault: unknown): string[] =>
      errorContent(fault, { frames: () => [], place: () => undefined }).traceback.slice(1);
    expect(heads(circular).length).toBeLessThan(10);
    expect(heads(new Error("outer", { cause: new TypeError("inner") }))).toEqual([
      "caused by TypeError: inner",
    ]);
    expect(heads(new AggregateError([new Error("a"), new Error("b")]))).toEqual([
      "caused by Error: a",
      "caused by Error: b",
    ]);
  });

  test.each([5, "text", null, undefined, { code: 3 }])("shows a thrown %j", (thrown) => {
    expect(errorContent(thrown, places).ename).toBe("Thrown");
  });

  test("knows errors of other realms", () => {
    expect(errorContent(runInNewContext("new RangeError('far')"), places)).toMatchObject({
      ename: "RangeError",
      evalue: "far",
    });
  });

  test("survives errors that cannot be read", () => {
    const hostile = Object.defineProperty(new Error("x"), "message", {
      get: () => {
        throw new Error("no");
      },
    });
    expect(errorContent(hostile, places).evalue).toMatch(/not readable/);
  });

  test("says no more about a stop than that it was one", () => {
    expect(errorContent(new Interrupted(), places).traceback).toEqual([
      red("Interrupted: stopped by the user"),
    ]);
  });
});
