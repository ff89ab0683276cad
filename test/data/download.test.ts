import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { download, type DownloadOptions, type DownloadProgress } from "../../src/data/download.js";
import { mustBe } from "../../src/errors.js";
import {
  answer,
  type Behaviour,
  breakAfter,
  endEarly,
  type FileServer,
  fileServer,
  hangAfter,
  ignoreRange,
  serve,
} from "./fileServer.js";

const content = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 2654435761) >>> 24);
const wrong = content.map((byte) => byte ^ 1);

let folder: string;
let path: string;
let servers: FileServer[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "katlab-download-"));
  path = join(folder, "deep", "er", "file.bin");
  servers = [];
});

afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()));
  await rm(folder, { recursive: true });
});

async function start(...behaviours: Behaviour[]): Promise<FileServer> {
  const server = await fileServer(behaviours);
  servers.push(server);
  return server;
}

function fetchFrom(urls: string[], options: Partial<DownloadOptions> = {}): Promise<Uint8Array> {
  return download({ path, urls, check, backoffMs: 1, stallMs: 2000, ...options });
}

function check(bytes: Uint8Array): Promise<Uint8Array> {
  if (Buffer.from(bytes).equals(content)) return Promise.resolve(bytes);
  return Promise.reject(mustBe({ subject: "file", must: "right", got: "wrong", remedy: "Again." }));
}

/** Nothing but the finished file may be left. */
async function expectFinished(): Promise<void> {
  expect(await readdir(join(folder, "deep", "er"))).toEqual(["file.bin"]);
  expect(Buffer.compare(await readFile(path), content)).toBe(0);
}

async function expectNothing(): Promise<void> {
  expect(await readdir(join(folder, "deep", "er"))).toEqual([]);
}

async function leavePart(bytes: Uint8Array): Promise<void> {
  await fetchFrom([(await start(breakAfter(content, 0))).url], { attempts: 1 }).catch(() => undefined);
  await writeFile(`${path}.part`, bytes);
}

describe("download", () => {
  test("fetches, reports progress, and returns what the check returned", async () => {
    const server = await start(serve(content));
    const seen: DownloadProgress[] = [];
    const received = await fetchFrom([server.url], { onProgress: (progress) => seen.push(progress) });
    expect(received).toHaveLength(content.length);
    expect(seen.at(-1)).toEqual({ path, receivedBytes: content.length, totalBytes: content.length });
    expect(server.ranges).toEqual([undefined]);
    await expectFinished();
  });

  test("resumes where a broken connection stopped", async () => {
    const server = await start(breakAfter(content, 100_000), breakAfter(content, 50_000), serve(content));
    await fetchFrom([server.url]);
    expect(server.ranges[0]).toBeUndefined();
    expect(server.ranges).toHaveLength(3);
    const starts = server.ranges.slice(1).map((range) => Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1]));
    expect(starts[0]).toBeGreaterThan(0);
    expect(starts[1]).toBeGreaterThan(starts[0]);
    await expectFinished();
  });

  test("resumes in a later call", async () => {
    await leavePart(content.subarray(0, 1234));
    const server = await start(serve(content));
    await fetchFrom([server.url]);
    expect(server.ranges).toEqual(["bytes=1234-"]);
    await expectFinished();
  });

  test("starts again where the server ignores the range", async () => {
    await leavePart(content.subarray(0, 1234));
    const server = await start(ignoreRange(content));
    await fetchFrom([server.url]);
    await expectFinished();
  });

  test("takes a part file that was complete already (416)", async () => {
    await leavePart(content);
    const server = await start(serve(content));
    await fetchFrom([server.url]);
    expect(server.ranges).toEqual([`bytes=${content.length}-`]);
    await expectFinished();
  });

  test("drops a part file longer than the file (416) and starts again", async () => {
    await leavePart(new Uint8Array(content.length + 1));
    const server = await start(serve(content));
    await fetchFrom([server.url]);
    expect(server.ranges).toEqual([`bytes=${content.length + 1}-`, undefined]);
    await expectFinished();
  });

  test("drops the part file where another range than asked for comes back", async () => {
    await leavePart(content.subarray(0, 1234));
    const other: Behaviour = (_request, response) => {
      response
        .writeHead(206, { "content-range": `bytes 0-9/${content.length}` })
        .end(content.subarray(0, 10));
    };
    const server = await start(other, serve(content));
    await fetchFrom([server.url]);
    expect(server.ranges).toEqual(["bytes=1234-", undefined]);
    await expectFinished();
  });

  test("fetches from the start when resumed bytes turn out wrong", async () => {
    await leavePart(wrong.subarray(0, 1234));
    const server = await start(serve(content));
    await fetchFrom([server.url]);
    expect(server.ranges).toEqual(["bytes=1234-", undefined]);
    await expectFinished();
  });

  test("goes to the next place where the first serves wrong bytes, and does not ask it again", async () => {
    const [bad, good] = [await start(serve(wrong)), await start(answer(503), serve(content))];
    await fetchFrom([bad.url, good.url]);
    expect(bad.ranges).toHaveLength(1);
    expect(good.ranges).toHaveLength(2);
    await expectFinished();
  });

  test("says what is wrong where all places serve wrong bytes, and leaves nothing", async () => {
    const servers = [await start(serve(wrong)), await start(serve(wrong))];
    await expect(fetchFrom(servers.map(({ url }) => url))).rejects.toMatchObject({
      code: "invalid",
      message: "file: right; got wrong. Again.",
    });
    await expectNothing();
  });

  test("a body that ends early without a length is wrong content, not a file", async () => {
    const server = await start(endEarly(content, 1000));
    await expect(fetchFrom([server.url])).rejects.toMatchObject({ code: "invalid" });
    await expectNothing();
  });

  test("does not repeat a 404, and names place, answer and remedy", async () => {
    const server = await start(answer(404));
    await expect(fetchFrom([server.url])).rejects.toMatchObject({
      code: "unavailable",
      message:
        `download of ${path}: one of ${server.url} must deliver it; got ${server.url} answered 404 Not Found ` +
        "after 1 try. Check the network and call again to resume, or put the file into this place by hand.",
    });
    expect(server.ranges).toHaveLength(1);
    await expectNothing();
  });

  test("gives up after its attempts", async () => {
    const server = await start(answer(500));
    await expect(fetchFrom([server.url], { attempts: 4 })).rejects.toThrow("after 4 tries");
    expect(server.ranges).toHaveLength(4);
  });

  test("names the cause where nobody listens", async () => {
    const server = await fileServer([answer(200)]);
    await server.close();
    await expect(fetchFrom([server.url], { attempts: 1 })).rejects.toThrow(/ECONNREFUSED/);
  });

  test("gives up a silent connection and resumes", async () => {
    const server = await start(hangAfter(content, 1000), serve(content));
    await fetchFrom([server.url], { stallMs: 100 });
    expect(server.ranges).toEqual([undefined, "bytes=1000-"]);
    await expectFinished();
  });

  test("stops by signal with its reason, and keeps what has come", async () => {
    const server = await start(hangAfter(content, 1000));
    const controller = new AbortController();
    const stop = new Error("stopped");
    const running = fetchFrom([server.url], {
      signal: controller.signal,
      onProgress: () => {
        controller.abort(stop);
      },
    });
    await expect(running).rejects.toBe(stop);
    expect(await readdir(join(folder, "deep", "er"))).toEqual(["file.bin.part"]);
  });

  test("takes a body that was encoded on the way against the request", async () => {
    const packed = gzipSync(content);
    const server = await start((_request, response) => {
      response.writeHead(200, { "content-encoding": "gzip", "content-length": packed.length }).end(packed);
    });
    await fetchFrom([server.url]);
    await expectFinished();
  });

  test("calls at the same time do not mix their bytes", async () => {
    const server = await start(serve(content));
    const all = await Promise.all([1, 2, 3].map(() => fetchFrom([server.url])));
    for (const received of all) expect(Buffer.compare(received, content)).toBe(0);
    await expectFinished();
  });

  test("takes over the part file of a process that is gone, not one of another host", async () => {
    await leavePart(content.subarray(0, 1234));
    const server = await start(serve(content));
    const gone = 2 ** 22 + 1; // above the largest process id Linux gives
    await writeFile(`${path}.lock`, JSON.stringify({ host: "elsewhere", pid: gone }));
    await fetchFrom([server.url]);
    expect(server.ranges).toEqual([undefined]);
    await writeFile(`${path}.lock`, JSON.stringify({ host: hostname(), pid: gone }));
    await fetchFrom([server.url]);
    expect(server.ranges).toEqual([undefined, "bytes=1234-"]);
    await expectFinished();
  });

  test("says so where the folder cannot be written", async () => {
    await writeFile(join(folder, "deep"), "a file where a folder must be");
    const server = await start(serve(content));
    await expect(fetchFrom([server.url])).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("its folder must be writable and have room; got ENOTDIR") as string,
    });
    expect(server.ranges).toEqual([]);
  });
});
