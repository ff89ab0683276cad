import { beforeAll, describe, expect, test } from "vitest";
import type { KernelClient } from "../../src/jupyter/client.js";
import { folderWith, startTestKernel, textOf } from "./startTestKernel.js";

const esm =
  '"type": "module", "exports": { ".": { "types": "./index.d.ts", "default": "./index.js" }, "./deep": { "types": "./lib/deep.d.ts", "default": "./lib/deep.js" } }';

let kernel: KernelClient;
beforeAll(async () => {
  const folder = folderWith({
    "package.json":
      '{ "name": "project", "type": "module", "exports": { ".": { "types": "./own.d.ts", "default": "./own.js" } } }',
    "own.js": "export const own = 'self';",
    "own.d.ts": "export declare const own: string;",
    "notebooks/data.json": '{ "rows": [1, 2, 3] }',
    "notebooks/sibling.js": "export const sibling = 'beside';",
    "node_modules/modern/package.json": `{ "name": "modern", ${esm} }`,
    "node_modules/modern/index.js": "export const answer = 42; export default class Tensor { rank = 2; }",
    "node_modules/modern/index.d.ts":
      "export declare const answer: number; export default class Tensor { rank: number; }",
    "node_modules/modern/lib/deep.js": "await null; export const deep = 'with top-level await';",
    "node_modules/modern/lib/deep.d.ts": "export declare const deep: string;",
    "node_modules/old/package.json": '{ "name": "old", "main": "index.js", "types": "index.d.ts" }',
    "node_modules/old/index.js":
      "Object.defineProperty(exports, '__esModule', { value: true }); exports.default = 'old default'; for (const n of ['dynamic']) exports[n] = () => 'found at run time';",
    "node_modules/old/index.d.ts":
      "declare const d: string; export default d; export declare function dynamic(): string;",
    "node_modules/plain/package.json": '{ "name": "plain", "main": "index.js", "types": "index.d.ts" }',
    "node_modules/plain/index.js": "module.exports = function plain() { return 'called' }",
    "node_modules/plain/index.d.ts": "declare function plain(): string; export = plain;",
    "node_modules/untyped/package.json": '{ "name": "untyped", "main": "index.js" }',
    "node_modules/untyped/index.js": "exports.x = 1;",
    "node_modules/broken/package.json": '{ "name": "broken", "main": "index.js", "types": "index.d.ts" }',
    "node_modules/broken/index.js": "throw new Error('does not load')",
    "node_modules/broken/index.d.ts": "export declare const a: number;",
  });
  kernel = await startTestKernel({ folder: `${folder}/notebooks` });
}, 60_000);

const value = async (code: string): Promise<unknown> => {
  const result = await kernel.execute(code);
  return textOf(result) ?? result.reply["evalue"];
};

describe("cells import", () => {
  test.each([
    [
      "ESM packages that have only exports",
      'import Tensor, { answer } from "modern"; [new Tensor().rank, answer]',
      "[ 2, 42 ]",
    ],
    [
      "subpaths, and modules with top-level await",
      'import { deep } from "modern/deep"; deep',
      "'with top-level await'",
    ],
    ["namespaces", 'import * as modern from "modern"; modern.answer', "42"],
    ["default and namespace at once", 'import T, * as both from "modern"; new T().rank + both.answer', "44"],
    [
      "CommonJS packages, names found only at run time included",
      'import old, { dynamic } from "old"; [old, dynamic()]',
      "[ 'old default', 'found at run time' ]",
    ],
    ["module.exports as default", 'import plain from "plain"; plain()', "'called'"],
    ["packages without types", 'import { x } from "untyped"; x + 1', "2"],
    ["the project itself by its name", 'import { own } from "project"; own', "'self'"],
    ["files beside the notebook", 'import { sibling } from "./sibling.js"; sibling', "'beside'"],
    [
      "files beside the notebook without extension",
      'import { sibling } from "./sibling"; sibling',
      "'beside'",
    ],
    ["JSON", 'import data from "./data.json"; data.rows.length', "3"],
    ["JSON with an attribute", 'import data from "./data.json" with { type: "json" }; data.rows[0]', "1"],
    [
      "Node's modules",
      'import fs, { readFileSync } from "node:fs"; import os from "os"; [fs.readFileSync === readFileSync, typeof os.cpus]',
      "[ true, 'function' ]",
    ],
    [
      "types alone",
      'import type { Stats } from "node:fs"; import { type PathLike } from "node:fs"; const p: PathLike = "x"; p',
      "'x'",
    ],
    ["on demand", 'const { answer } = await import("modern"); answer', "42"],
    ["by require", 'require("old").dynamic()', "'found at run time'"],
  ])("%s", async (_name, code, expected) => {
    expect(await value(code)).toBe(expected);
  });

  test("for later cells", async () => {
    await kernel.execute('import { answer as imported } from "modern"');
    expect(await value("imported + 1")).toBe("43");
  });

  test("from the notebook's folder, wherever the process has gone", async () => {
    await kernel.execute("process.chdir('/')");
    expect(await value('import data from "./data.json"; data.rows.length')).toBe("3");
    expect(await value("import.meta.filename.endsWith('notebooks/cell.mjs')")).toBe("true");
  });

  test("nothing that fails to load, and say why", async () => {
    expect(await value('import { a } from "broken"; a')).toBe("does not load");
    expect(await value("a")).toMatch(/Cannot find name 'a'/);
    expect(await value('import "nowhere"')).toMatch(/Cannot find module/);
  });
});
