import { expect, test } from "vitest";
import { askedName } from "../../../src/jupyter/server/askedName.js";

test.each([
  ["?name", "name"],
  [" name? \n", "name"],
  ["? kl.train", "kl.train"],
  ["kl.$x1?", "kl.$x1"],
  ["a ? b : c", undefined],
  ["?", undefined],
  ["a\n?b", undefined],
  ["f()?", undefined],
])("%j asks for %j", (code, name) => {
  expect(askedName(code)).toBe(name);
});
