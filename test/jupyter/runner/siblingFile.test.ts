import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { siblingFile } from "../../../src/jupyter/runner/siblingFile.js";

const folder = mkdtempSync(path.join(tmpdir(), "katlab-"));
mkdirSync(path.join(folder, "lib"));
for (const file of ["a.js", "b.mjs", "data.json", "typed.ts", "lib/index.js"])
  writeFileSync(path.join(folder, file), "");

const urlOf = (file: string): string => pathToFileURL(path.join(folder, file)).href;

describe("siblingFile", () => {
  test.each([
    ["./a.js", "a.js"],
    ["./a", "a.js"],
    ["./b", "b.mjs"],
    ["./data.json", "data.json"],
    ["./lib", "lib/index.js"],
    ["./lib/../a.js", "a.js"],
  ])("finds %s", (specifier, file) => {
    expect(siblingFile(specifier, folder, false)).toBe(urlOf(file));
  });

  test.each(["lodash", "node:fs", "@scope/name/file.js", "./missing.js", "/absolute.js", "file:///x.js"])(
    "leaves %s to Node",
    (specifier) => {
      expect(siblingFile(specifier, folder, false)).toBe(specifier);
    },
  );

  test.each(["./typed.ts", "./typed.js", "./typed"])("knows that %s is TypeScript", (specifier) => {
    expect(siblingFile(specifier, folder, true)).toBe(urlOf("typed.ts"));
    expect(() => siblingFile(specifier, folder, false)).toThrow(/must be JavaScript to be imported by Node/);
  });
});
