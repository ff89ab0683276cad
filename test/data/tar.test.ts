import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readFromTar, unpackTar } from "../../src/data/tar.js";
import { KatlabError } from "../../src/errors.js";
import { Random } from "../../src/random.js";
import { type Member, tarFile } from "./tarFile.js";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "katlab-tar-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

const big = randomBytes(100_000);
const good: readonly Member[] = [
  { name: "set/", type: "directory" },
  { name: "set/a.bin", content: big },
  { name: "./set/inner/b.txt", content: "two" },
  { name: `set/${"long".repeat(60)}.txt`, content: "a name that needs a header of its own" },
  { name: "set/empty", content: "" },
];

// `xz -9` of the tar file of one.txt, "one\n", made by GNU tar 1.34 with --owner=0 --group=0 --mtime=@0
const xz = Buffer.from(
  "/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4Cf/AGddADebiM9rZPoj+eQO2wIWgK/ecWsZwbQQ4hAhXIaSxpGM/DbTp4KMgE2g6FEj7GGUCqeDHj" +
    "EprP3YGivOTH5rIcBIDhcdH4jCib3uKcGP1GVnzRR2iMxOqm2+DY7XDsp5cVjdQVw62gAAAOColQNPRYgzAAGDAYBQAACQA/TnscRn+wIAAAAA" +
    "BFla",
  "base64",
);

async function write(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

describe("a good archive", () => {
  test.each([".tar", ".tar.gz"])("is unpacked whole, as %s", async (kind) => {
    const bytes = await tarFile(good);
    const path = await write(`good${kind}`, kind === ".tar" ? bytes : gzipSync(bytes));
    const to = join(folder, "to");
    await unpackTar(path, to);
    expect((await readdir(to, { recursive: true })).sort()).toEqual(
      [
        "set",
        "set/a.bin",
        "set/inner",
        "set/inner/b.txt",
        `set/${"long".repeat(60)}.txt`,
        "set/empty",
      ].sort(),
    );
    expect((await readFile(join(to, "set/a.bin"))).equals(big)).toBe(true);
    expect(await readFile(join(to, "set/inner/b.txt"), "utf8")).toBe("two");
    expect(await readdir(folder)).toEqual(expect.not.arrayContaining([expect.stringContaining(".part")]));
  });

  test("may be compressed by xz", async () => {
    const path = await write("one.tar.xz", xz);
    const { "one.txt": content } = await readFromTar(path, ["one.txt"]);
    expect(Buffer.from(content).toString()).toBe("one\n");
    await expect(
      readFromTar(await write("cut.tar.xz", xz.subarray(0, 120)), ["one.txt"]),
    ).rejects.toBeInstanceOf(KatlabError);
  });

  test("gives the files that are asked for", async () => {
    const path = await write("good.tar", await tarFile(good));
    const content = await readFromTar(path, ["set/inner/b.txt", "set/a.bin"]);
    expect(Object.keys(content).sort()).toEqual(["set/a.bin", "set/inner/b.txt"]);
    expect(big.equals(content["set/a.bin"])).toBe(true);
    await expect(readFromTar(path, ["set/a.bin", "set/c"])).rejects.toThrow(
      /good\.tar: must hold set\/a\.bin, set\/c; got no set\/c\. Fetch it again/,
    );
  });
});

describe("what is refused, and leaves nothing behind", () => {
  test.each<[string, Member[], RegExp]>([
    ["a path that leads out", [{ name: "../out", content: "x" }], /inside its folder; got "\.\.\/out"/],
    ["one that leads out later", [{ name: "a/../../out", content: "x" }], /inside its folder/],
    ["an absolute path", [{ name: "/etc/out", content: "x" }], /inside its folder; got "\/etc\/out"/],
    ["a Windows path", [{ name: "c:/out", content: "x" }], /inside its folder/],
    ["a backslash", [{ name: "a\\..\\out", content: "x" }], /inside its folder/],
    ["no name", [{ name: "./", content: "x", type: "file" }], /inside its folder/],
    [
      "a link",
      [{ name: "a", type: "symlink", linkname: "/etc" }],
      /files and folders only; got the symlink "a"/,
    ],
    ["a hard link", [{ name: "a", type: "link", linkname: "b" }], /the link "a"/],
    ["a device", [{ name: "a", type: "character-device" }], /the character-device "a"/],
    ["a pipe", [{ name: "a", type: "fifo" }], /the fifo "a"/],
    [
      "a file twice",
      [
        { name: "a", content: "1" },
        { name: "./a", content: "2" },
      ],
      /each file once; got a twice/,
    ],
    ["nothing", [], /must hold files; got none/],
  ])("%s", async (_what, members, message) => {
    const path = await write(
      "bad.tar",
      await tarFile([{ name: "fine", content: "x" }, ...members].slice(members.length === 0 ? 1 : 0)),
    );
    const to = join(folder, "to");
    const fault = await unpackTar(path, to).catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(KatlabError);
    expect((fault as KatlabError).message).toMatch(message);
    expect(await readdir(folder)).toEqual(["bad.tar"]);
  });

  test("too many entries, too many bytes, and a gzip file that swells", async () => {
    const path = await write("good.tar", await tarFile(good));
    const to = join(folder, "to");
    await expect(unpackTar(path, to, { entries: 2 })).rejects.toThrow("must hold at most 2 entries");
    await expect(unpackTar(path, to, { bytes: 50_000 })).rejects.toThrow(/at most 50000 bytes/);
    const zeros = gzipSync(Buffer.concat([await tarFile(good), Buffer.alloc(5_000_000)]));
    const bomb = await write("bomb.tar.gz", zeros);
    await expect(unpackTar(bomb, to, { bytes: 1_000_000 })).rejects.toThrow(
      "must decompress to at most 1000000",
    );
    expect((await readdir(folder)).sort()).toEqual(["bomb.tar.gz", "good.tar"]);
  });

  test("one that is no archive, and one that is not there", async () => {
    const path = await write("text.tar", Buffer.from("hello".repeat(500)));
    await expect(unpackTar(path, join(folder, "to"))).rejects.toThrow("must be a whole tar file");
    await expect(unpackTar(join(folder, "none.tar"), join(folder, "to"))).rejects.toThrow("ENOENT");
    expect(await readdir(folder)).toEqual(["text.tar"]);
  });
});

test("1,000 damaged archives are refused, or hold what they say", async () => {
  const random = new Random(1);
  const members = Array.from({ length: 4 }, (_, i) => ({ name: `set/${i}.bin`, content: randomBytes(700) }));
  const names = members.map(({ name }) => name);
  const plain = await tarFile(members);
  const packed = gzipSync(plain);
  const outcome = { refused: 0, same: 0, content: 0 };
  for (let i = 0; i < 1000; i++) {
    const whole = i % 2 === 0 ? packed : plain;
    const bytes = Uint8Array.from(whole);
    const cut = random.integer(3) === 0 ? random.integer(bytes.length) : bytes.length;
    for (let n = random.integer(3); n >= 0; n--)
      bytes[random.integer(bytes.length)] ^= 1 + random.integer(255);
    const path = await write("damaged", bytes.subarray(0, cut));
    const content = await readFromTar(path, names).catch((fault: unknown) => {
      expect(fault).toBeInstanceOf(KatlabError);
      return undefined;
    });
    if (content === undefined) outcome.refused++;
    else if (members.every(({ name, content: own }) => own.equals(content[name]))) outcome.same++;
    else {
      // A tar file has no checksum of its content: that is the catalogue's part. gzip has one.
      expect(whole).toBe(plain);
      for (const { name, content: own } of members) expect(content[name]).toHaveLength(own.length);
      outcome.content++;
    }
  }
  expect(outcome.refused).toBeGreaterThan(500);
  expect(outcome.content).toBeGreaterThan(50);
  expect(outcome.same).toBeGreaterThan(0); // owners, times, and gzip's own header
});
