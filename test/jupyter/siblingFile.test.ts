import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { siblingFile } from "../../src/jupyter/siblingFile.js";

const folder = mkdtempSync(path.join(tmpdir(), "katlab-"));
for (const sub of ["lib", "deep", "node_modules"]) mkdirSync(path.join(folder, sub));
const files = [
  ...["a.js", "b.mjs", "data.json", "typed.ts", "modern.mts", "lib/index.js", "deep/index.ts"],
  "node_modules/x.js",
];
for (const file of files) writeFileSync(path.join(folder, file), "");

describe("siblingFile", () => {
  test.each([
    ["./a.js", "a.js"],
    ["./a", "a.js"],
    ["./b", "b.mjs"],
    ["./data.json", "data.json"],
    ["./lib", "lib/index.js"],
    ["./lib/../a.js", "a.js"],
    ["./typed.ts", "typed.ts"],
    ["./typed.js", "typed.ts"],
    ["./typed", "typed.ts"],
    ["./deep", "deep/index.ts"],
    ["./modern.mjs", "modern.mts"],
  ])("finds %s", (specifier, file) => {
    expect(siblingFile(specifier, folder)).toBe(path.join(folder, file));
  });

  test.each([
    ...["lodash", "node:fs", "@scope/name/file.js", "./missing.js", "/absolute.js", "file:///x.js"],
    "./node_modules/x.js",
  ])("leaves %s to Node", (specifier) => {
    expect(siblingFile(specifier, folder)).toBeUndefined();
  });
});
