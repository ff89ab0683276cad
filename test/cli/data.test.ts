import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { runCommandLine } from "../../src/cli/main.js";
import { catalogue } from "../../src/data/catalogue.js";
import type { DatasetEntry } from "../../src/data/listDatasets.js";

const embedded = join(import.meta.dirname, "../../data/fashion-mnist");
const written: string[] = [];
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "katlab-data-"));
  vi.stubEnv("XDG_CACHE_HOME", join(folder, "cache"));
  vi.stubEnv("KATLAB_DATA", "");
  vi.spyOn(console, "log").mockImplementation((text) => void written.push(String(text)));
  vi.spyOn(console, "error").mockImplementation((text) => void written.push(String(text)));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

async function data(...args: string[]): Promise<{ text: string; code: unknown }> {
  written.length = 0;
  process.exitCode = undefined;
  await runCommandLine(["node", "katlab", "data", ...args]);
  return { text: written.join("\n"), code: process.exitCode };
}

/** A copy of Fashion-MNIST, whose files a test may damage. */
async function copy(): Promise<string> {
  const to = join(folder, "copy", "fashion-mnist");
  await mkdir(to, { recursive: true });
  for (const name of (await readdir(embedded)).filter((file) => file.endsWith(".gz"))) {
    await copyFile(join(embedded, name), join(to, name));
  }
  vi.stubEnv("KATLAB_DATA", join(folder, "copy"));
  return to;
}

describe("list", () => {
  test("shows every set with its size, its licence and where it is", async () => {
    const { text } = await data("list");
    const rows = text.split("\n");
    expect(rows.map((row) => row.split(" ")[0])).toEqual(Object.keys(catalogue));
    expect(rows[0]).toMatch(/^fashion-mnist +10 classes +55 MB +the package's data folder +MIT$/);
    expect(rows[2]).toMatch(
      /^cifar10 +10 classes +170 MB +not here +none stated; its author asks to be cited$/,
    );
  });

  test("as JSON", async () => {
    await copy();
    const entries = JSON.parse((await data("list", "--json")).text) as DatasetEntry[];
    expect(entries[0]).toMatchObject({
      name: "fashion-mnist",
      bytes: 54_950_048,
      served: true,
      place: `KATLAB_DATA (${join(folder, "copy")})`,
    });
    expect(entries.map(({ place }) => place).slice(1)).toEqual(entries.slice(1).map(() => null));
  });
});

describe("verify", () => {
  test("checks what is on this machine", async () => {
    expect(await data("verify")).toEqual({ text: "fashion-mnist: good: 4 files, SHA256", code: undefined });
  });

  test("exits with 1 where a byte differs, and where a set that is named is not here", async () => {
    const place = await copy();
    await copyFile(join(place, "t10k-labels-idx1-ubyte.gz"), join(place, "train-labels-idx1-ubyte.gz"));
    const { text, code } = await data("verify", "fashion-mnist", "cifar10");
    const [bad, missing] = text.split("\n");
    expect(bad).toMatch(
      /^fashion-mnist: BAD: .*train-labels-idx1-ubyte\.gz: raw bytes must have the SHA-256 bad3541b/,
    );
    expect(missing).toMatch(/^cifar10: BAD: not in KATLAB_DATA .*, the package's data folder, the cache/);
    expect(code).toBe(1);
    const json = JSON.parse((await data("verify", "--json")).text) as unknown;
    expect(json).toEqual([{ name: "fashion-mnist", good: false, text: expect.any(String) as string }]);
  });

  test("reads an archive without a checksum to its end", async () => {
    await writeFile(join(folder, "cifar10-jpeg.tar.xz"), "no archive");
    vi.stubEnv("KATLAB_DATA", folder);
    const { text, code } = await data("verify", "cifar10-jpeg");
    expect(text).toMatch(/^cifar10-jpeg: BAD: .*cifar10-jpeg\.tar\.xz: must be a whole tar file/);
    expect(code).toBe(1);
  });
});

describe("fetch", () => {
  test("leaves alone what is there", async () => {
    const { text, code } = await data("fetch", "fashion-mnist");
    expect(text).toMatch(
      /^fashion-mnist: was in the package's data folder already, .*train-images-idx3-ubyte\.gz$/,
    );
    expect(code).toBeUndefined();
  });

  test("says what nobody serves, and how to get it", async () => {
    const { text, code } = await data("fetch", "cifar10-jpeg");
    expect(text).toMatch(
      /must be served by somebody; got no place that does\. Make cifar10-jpeg\.tar\.xz of https:/,
    );
    expect(code).toBe(1);
  });
});
