import { describe, expect, test } from "vitest";
import { RequestContent } from "../../../src/jupyter/server/requests.js";

describe("RequestContent", () => {
  const content = new RequestContent("execute_request", {
    code: "1",
    silent: true,
    n: 3,
    nothing: null,
    wrong: [],
  });

  test("reads fields", () => {
    expect(content.string("code")).toBe("1");
    expect(content.boolean("silent", false)).toBe(true);
    expect(content.integer("n")).toBe(3);
  });

  test("fills in what is missing or null", () => {
    expect(content.boolean("store_history", true)).toBe(true);
    expect(content.string("nothing", "default")).toBe("default");
    expect(content.object("user_expressions")).toEqual({});
  });

  test("says what is wrong", () => {
    expect(() => content.string("cursor")).toThrow("execute_request: cursor must be a string; got nothing.");
    expect(() => content.integer("code")).toThrow('code must be an integer; got "1"');
    expect(() => content.boolean("wrong", true)).toThrow("wrong must be a boolean; got []");
  });
});
