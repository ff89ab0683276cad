import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bundleProgram } from "../../src/cli/packBundle.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "katlab-bundle-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function program(text: string): Promise<string> {
  const entry = join(folder, "program.ts");
  await writeFile(entry, text);
  return entry;
}

describe("bundleProgram", () => {
  test("takes types away, keeps katlab outside and what it imports inside", async () => {
    await writeFile(join(folder, "half.ts"), "export const half = (x: number): number => x / 2;");
    const entry = await program(
      'import * as kl from "katlab"; import "katlab/torch"; import { half } from "./half.js"; console.log(half(kl.x as number));',
    );
    await bundleProgram(entry, join(folder, "program.mjs"));
    const text = await readFile(join(folder, "program.mjs"), "utf8");
    expect(text).toMatch(/from ?"katlab"/);
    expect(text).toMatch(/import ?"katlab\/torch"/);
    expect(text).not.toMatch(/half\.js|: number/);
  });

  test("refuses a program that brings the library's own modules with it", async () => {
    const errors = fileURLToPath(new URL("../../src/errors.js", import.meta.url));
    const entry = await program(`import { mustBe } from ${JSON.stringify(errors)}; console.log(mustBe);`);
    await expect(bundleProgram(entry, join(folder, "program.mjs"))).rejects.toMatchObject({
      code: "invalid",
      message: expect.stringMatching(
        /must import the library as "katlab"; got an import of .*src\/errors\.ts\. Write import \* as kl from "katlab"\.$/,
      ) as string,
    });
  });
});
