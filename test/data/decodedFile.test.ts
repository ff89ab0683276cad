import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { decodedFile, digestOf } from "../../src/data/decodedFile.js";
import { type PixelSource, readPixels } from "../../src/data/pixelSource.js";
import { countingSource } from "./pixelSource.js";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "katlab-decoded-"));
  path = join(folder, "cache", "set.pixels");
});
afterEach(() => rmSync(folder, { recursive: true }));

const digest = Buffer.alloc(32, 7);

/** Opens the file, and tells how often pictures were decoded for it. */
async function open(
  options: { check?: boolean; digest?: Buffer; decode?: () => Promise<PixelSource> } = {},
): Promise<{ file: PixelSource; decoded: number }> {
  const source = countingSource(50);
  const file = await decodedFile(path, {
    digest: options.digest ?? digest,
    decode: options.decode ?? (() => Promise.resolve(source)),
    mustCheck: () => options.check ?? true,
  });
  return { file, decoded: source.reads.length };
}

describe("decodedFile", () => {
  test("decodes once, then reads any pictures in any order", async () => {
    expect((await open()).decoded).toBe(1);
    const { file, decoded } = await open();
    expect([decoded, file.count, file.shape]).toEqual([0, 50, [1, 1, 3]]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(49), { maxLength: 60 }), async (indices) => {
        expect([...(await readPixels(file, indices))]).toEqual(indices.flatMap((i) => [i, i, i]));
      }),
      { numRuns: 50 },
    );
    expect(readdirSync(join(folder, "cache"))).toEqual(["set.pixels"]);
  });

  test("may be made by several at once", async () => {
    const files = await Promise.all([open(), open(), open()]);
    for (const { file } of files) expect([...(await readPixels(file, [49]))]).toEqual([49, 49, 49]);
    expect(readdirSync(join(folder, "cache"))).toEqual(["set.pixels"]);
  });

  test("is made anew when it is of other pictures", async () => {
    await open();
    expect((await open({ digest: Buffer.alloc(32, 8) })).decoded).toBe(1);
    expect((await open({ digest: Buffer.alloc(32, 8) })).decoded).toBe(0);
  });

  test("is made anew wherever it is damaged, cut or longer", async () => {
    await open();
    const whole = readFileSync(path);
    const damages = [
      ...Array.from({ length: 60 }, (_, i) => Math.floor((i * whole.length) / 60)),
      whole.length - 1,
    ].map((at) => Buffer.from(whole.map((byte, i) => (i === at ? byte ^ 16 : byte))));
    for (const damaged of [...damages, whole.subarray(0, 20), whole.subarray(0, -1), Buffer.alloc(0)]) {
      writeFileSync(path, damaged);
      expect((await open()).decoded).toBe(1);
      expect(readFileSync(path)).toEqual(whole);
    }
    writeFileSync(path, Buffer.concat([whole, Buffer.alloc(1)]));
    expect((await open()).decoded).toBe(1);
  });

  test("that is not checked at first says so when it is read", async () => {
    await open();
    const bytes = readFileSync(path);
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(path, bytes);
    const { file, decoded } = await open({ check: false });
    expect(decoded).toBe(0);
    await expect(readPixels(file, [0, 1])).resolves.toHaveLength(6);
    await expect(readPixels(file, [48, 49])).rejects.toThrow(
      /set\.pixels: must hold the pixels that were written; got others in picture 49/,
    );
    truncateSync(path, bytes.length - 4);
    await expect(readPixels(file, [48])).rejects.toThrow(/others in picture 48/);
    rmSync(path);
    await expect(readPixels(file, [0])).rejects.toThrow(/imageFolder cache: must be a file that can be read/);
  });

  test("leaves nothing behind where decoding fails, or nothing can be written", async () => {
    const broken: PixelSource = {
      ...countingSource(50),
      read: () => Promise.reject(new Error("broken picture")),
    };
    await expect(open({ decode: () => Promise.resolve(broken) })).rejects.toThrow("broken picture");
    expect(readdirSync(join(folder, "cache"))).toEqual([]);
    writeFileSync(join(folder, "file"), "");
    path = join(folder, "file", "set.pixels");
    await expect(open()).rejects.toThrow(/imageFolder cache: must be a file that can be/);
  });
});

test("digestOf tells files and sizes apart", async () => {
  const files = ["a", "b"].map((name) => join(folder, name));
  for (const file of files) writeFileSync(file, "12");
  const pictures = files.map((file) => ({ path: file, label: 0 }));
  const of = async (size?: number): Promise<string> => (await digestOf(pictures, size)).toString("hex");
  const before = await of();
  expect(await of()).toBe(before);
  expect(await of(4)).not.toBe(before);
  utimesSync(files[1], 1, 1);
  const changed = await of();
  expect(changed).not.toBe(before);
  writeFileSync(files[1], "123");
  utimesSync(files[1], 1, 1);
  expect(await of()).not.toBe(changed);
});
