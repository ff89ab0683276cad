import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { atomicWrite, writeFully } from "../../src/io/atomicWrite.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "katlab-atomic-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("makes the folder and the file, and nothing else", async () => {
  const path = join(folder, "a", "b", "file");
  await atomicWrite(path, (file) => writeFully(file, Uint8Array.of(1, 2, 3)));
  expect([...(await readFile(path))]).toEqual([1, 2, 3]);
  expect(await readdir(join(folder, "a", "b"))).toEqual(["file"]);
});

test("keeps the old content until the new one is complete, and where writing fails", async () => {
  const path = join(folder, "file");
  await writeFile(path, "old");
  const fault = new Error("no more");
  const writing = atomicWrite(path, async (file) => {
    await file.write("new, but on");
    expect(await readFile(path, "utf8")).toBe("old");
    throw fault;
  });
  await expect(writing).rejects.toBe(fault);
  expect(await readFile(path, "utf8")).toBe("old");
  expect(await readdir(folder)).toEqual(["file"]);
});
