import { describe, expect, test } from "vitest";
import { History } from "../../../src/jupyter/server/history.js";
import { RequestContent } from "../../../src/jupyter/server/requests.js";

function history(): History {
  const filled = new History();
  filled.add(1, "let a = 1");
  filled.add(2, "a + 1");
  filled.setOutput("2");
  filled.add(3, "let b = 2");
  filled.add(4, "let b = 2");
  return filled;
}

function ask(content: Record<string, unknown>): unknown {
  return history().answer(new RequestContent("history_request", content))["history"];
}

describe("History", () => {
  test("gives its tail", () => {
    expect(ask({ hist_access_type: "tail", n: 2 })).toEqual([
      [1, 3, "let b = 2"],
      [1, 4, "let b = 2"],
    ]);
    expect(ask({ hist_access_type: "tail", n: 0 })).toEqual([]);
  });

  test("gives results on request", () => {
    expect(ask({ hist_access_type: "range", start: 1, stop: 3, output: true })).toEqual([
      [1, 1, ["let a = 1", null]],
      [1, 2, ["a + 1", "2"]],
    ]);
  });

  test("knows only the running session", () => {
    expect(ask({ hist_access_type: "range", session: 5 })).toEqual([]);
  });

  test("finds cells by pattern", () => {
    expect(ask({ hist_access_type: "search", pattern: "let ?*" })).toHaveLength(3);
    expect(ask({ hist_access_type: "search", pattern: "let *", unique: true })).toEqual([
      [1, 1, "let a = 1"],
      [1, 3, "let b = 2"],
    ]);
    expect(ask({ hist_access_type: "search", pattern: "a + 1" })).toEqual([[1, 2, "a + 1"]]);
  });
});
