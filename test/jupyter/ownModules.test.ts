import { utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { KernelClient } from "../../src/jupyter/client.js";
import { folderWith, startTestKernel, textOf } from "./startTestKernel.js";

let kernel: KernelClient;
let folder: string;
let writes = 0;
beforeAll(async () => {
  folder = folderWith({
    "package.json": '{ "type": "module" }',
    "shapes.ts":
      "import { half } from './halves.js';\nimport type { Size } from './types';\n\nexport enum Kind { Square = 'square' }\nexport class Shape { constructor(readonly size: Size) {} area(): number { return half(2 * this.size.width ** 2) } }",
    "halves.ts": "export const half = (x: number): number => x / 2;\nexport const loaded = Date.now();",
    "types.ts": "export interface Size { width: number }",
    "plain.js": "export const text = 'one';",
    "data.json": '{ "n": 1 }',
    "failing.ts":
      "interface Unused {\n  a: number;\n}\n\nexport function fail(x: number): never {\n  throw new RangeError(`no ${x}`);\n}",
    "wrong.ts": "export const a = 1;\nexport const b: = 2;",
    "node_modules/package/package.json": '{ "name": "package", "type": "module", "exports": "./index.js" }',
    "node_modules/package/index.js": "export const id = Math.random();",
    "usesPackage.ts": "import { id } from 'package';\nexport const packageId: number = id;",
  });
  kernel = await startTestKernel({ folder });
}, 60_000);

const value = async (code: string): Promise<unknown> => {
  const result = await kernel.execute(code);
  return textOf(result) ?? result.reply["evalue"];
};

/** Changes a file, whatever the clock's resolution. */
function change(file: string, text: string): void {
  writeFileSync(path.join(folder, file), text);
  const later = Date.now() / 1000 + ++writes;
  utimesSync(path.join(folder, file), later, later);
}

describe("the user's own files", () => {
  test("may be TypeScript, with all of its syntax, and import each other", async () => {
    expect(
      await value('import { Kind, Shape } from "./shapes"; [Kind.Square, new Shape({ width: 3 }).area()]'),
    ).toBe("[ 'square', 9 ]");
    expect(await value('import { Shape as S } from "./shapes.ts"; S === Shape')).toBe("true");
    expect(await value('(await import("./shapes.js")).Shape === Shape')).toBe("true");
  });

  test("are type-checked where they are used", async () => {
    expect(await value('new Shape({ width: "3" })')).toMatch(
      /Type 'string' is not assignable to type 'number'/,
    );
  });

  test("are loaded once while nothing changes", async () => {
    await kernel.execute('import { loaded as first } from "./halves"');
    expect(await value('import { loaded as second } from "./halves"; first === second')).toBe("true");
  });

  test("are loaded anew when they change, with their types", async () => {
    expect(await value('import { text } from "./plain.js"; text')).toBe("'one'");
    change("plain.js", "export const text = 2;");
    expect(await value('import { text } from "./plain.js"; text.toFixed(1)')).toBe("'2.0'");
    change("data.json", '{ "n": 2 }');
    expect(await value('import data from "./data.json"; data.n')).toBe("2");
  });

  test("are loaded anew when what they import changes", async () => {
    change("halves.ts", "export const half = (x: number): number => x / 2 + 100;");
    expect(await value('import { Shape } from "./shapes"; new Shape({ width: 3 }).area()')).toBe("109");
  });

  test("share packages with the cells", async () => {
    expect(
      await value(
        'import { packageId } from "./usesPackage"; import { id } from "package"; packageId === id',
      ),
    ).toBe("true");
    change(
      "usesPackage.ts",
      "import { id } from 'package';\nexport const packageId: number = id; // changed",
    );
    expect(await value('import { packageId } from "./usesPackage"; packageId === id')).toBe("true");
  });

  test("appear in call stacks with the lines they have", async () => {
    const { reply } = await kernel.execute('import { fail } from "./failing"; fail(7)');
    expect(reply["evalue"]).toBe("no 7");
    expect((reply["traceback"] as string[]).filter((line) => line.startsWith("    at "))).toEqual([
      "    at fail (failing.ts:6:9)",
      `    at cell ${String(reply["execution_count"])}, line 1:35`,
    ]);
  });

  test("that are no TypeScript are told with file and line", async () => {
    expect(await value('%types off\nimport { a } from "./wrong"; a')).toMatch(
      /wrong\.ts, line 2:17: must be TypeScript; got Type expected\./,
    );
  });
});
