import { describe, expect, test } from "vitest";
import { folderWith } from "../startTestKernel.js";
import { Notebook } from "./notebook.js";

const folder = folderWith({
  "node_modules/lab/package.json": '{ "name": "lab", "main": "index.js", "types": "index.d.ts" }',
  "node_modules/lab/index.d.ts":
    "/** Makes one. */ export declare function createModel(): void; export declare function createData(): void; export interface CreatedModel { a: 1 }",
});

interface Offers {
  (code: string): { texts: string[]; start: number };
  run(id: number, code: string): void;
  inspected(code: string): unknown;
}

/** A notebook whose language has read the module, and what it offers at the end of a text. */
async function notebook(): Promise<Offers> {
  const { language } = new Notebook(folder);
  language.warm(["lab", "not-installed"]);
  const at = (code: string): { texts: string[]; start: number } => {
    const { start, candidates } = language.complete({ code, position: code.length });
    return { texts: candidates.map(({ text }) => text), start };
  };
  while (at("createM").texts.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  const run = (id: number, code: string): void => {
    language.compile({ id, count: id, code });
    language.accept({ id, reached: Infinity });
  };
  const inspected = (code: string): unknown =>
    language.inspect({ code, position: code.length })?.["text/plain"];
  return Object.assign(at, { run, inspected });
}

describe("names that no cell has imported", () => {
  test("come with their import, and take the place of the line", async () => {
    const at = await notebook();
    expect(at("createM")).toEqual({ texts: ['import { createModel } from "lab";\ncreateModel'], start: 0 });
    expect(at("let a = 1\nconst m = create")).toEqual({
      texts: [
        'import { createData } from "lab";\nconst m = createData',
        'import { createModel } from "lab";\nconst m = createModel',
      ],
      start: 10,
    });
  });

  test("are not offered inside brackets, behind a dot, for new names, or where something in scope fits", async () => {
    const at = await notebook();
    for (const code of [
      "function f() {\n  createM",
      "Math.createM",
      "const createM",
      "c",
      "let createMine = 1; createM",
    ]) {
      expect(at(code).texts.filter((text) => text.includes("lab"))).toEqual([]);
    }
  });
});

test("such names can be asked for", async () => {
  const at = await notebook();
  expect(at.inspected("createModel")).toBe("function createModel(): void\n\nMakes one.");
  expect(at.inspected("createNothing")).toBeUndefined();
});

describe("names of a module that has a namespace", () => {
  test("are offered through it, beside those in scope", async () => {
    const at = (await notebook()) as Awaited<ReturnType<typeof notebook>> & {
      run(id: number, code: string): void;
    };
    at.run(1, 'import * as kl from "lab"');
    expect(at("f(createM").texts).toEqual(["kl.createModel"]);
    expect(at("let created = 1; crea").texts).toEqual(["created", "kl.createData", "kl.createModel"]);
    at.run(2, "const kl = 5");
    expect(at("createM").texts).toEqual(['import { createModel } from "lab";\ncreateModel']);
  });
});
