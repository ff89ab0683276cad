import { createHash } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { gzipSync } from "node:zlib";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { catalogue, type DatasetName } from "../../src/data/catalogue.js";
import { cifar100, cifarSet } from "../../src/data/cifarSets.js";
import { channelStatistics } from "../../src/data/dataset.js";
import { idxSet } from "../../src/data/idxSet.js";
import type { ImageSet, ImageSetArchive, ImageSetFile, PictureSet } from "../../src/data/imageSet.js";
import { loadDataset, loadImageSet, loadPictureSet } from "../../src/data/load.js";
import { answer, type FileServer, fileServer, serve } from "./fileServer.js";
import { idxFile } from "./idxFile.js";
import { tarFile } from "./tarFile.js";

let folder: string;
let server: FileServer | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "katlab-load-"));
  vi.stubEnv("XDG_CACHE_HOME", join(folder, "cache"));
  vi.stubEnv("KATLAB_DATA", "");
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await server?.close();
  server = undefined;
  await rm(folder, { recursive: true });
});

/** A set of three training and two test images that is embedded nowhere. */
function tinySet(labels = [0, 1, 1]): { set: ImageSet; content: Record<string, Uint8Array> } {
  const raw = {
    trainImages: idxFile([3, 1, 2], [0, 255, 51, 102, 153, 204]),
    trainLabels: idxFile([labels.length], labels),
    testImages: idxFile([2, 1, 2], [1, 2, 3, 4]),
    testLabels: idxFile([2], [1, 0]),
  };
  const file = (name: keyof typeof raw): ImageSetFile => ({
    name,
    bytes: raw[name].length,
    sha256: createHash("sha256").update(raw[name]).digest("hex"),
  });
  const set: ImageSet = idxSet({
    name: "tiny",
    source: "the test",
    licence: "none",
    classes: ["even", "odd"],
    mean: [0.5],
    std: [0.5],
    files: {
      trainImages: file("trainImages"),
      trainLabels: file("trainLabels"),
      testImages: file("testImages"),
      testLabels: file("testLabels"),
    },
    urls: [],
  });
  return { set, content: raw };
}

async function write(place: string, content: Record<string, Uint8Array>, suffix = ""): Promise<string> {
  await mkdir(place, { recursive: true });
  for (const [name, bytes] of Object.entries(content)) {
    await writeFile(join(place, `${name}${suffix}`), suffix === ".gz" ? gzipSync(bytes) : bytes);
  }
  return place;
}

describe("loadDataset", () => {
  test("reads the embedded Fashion-MNIST, whose catalogue entry is true", async () => {
    const data = await loadDataset("fashion-mnist", { fetch: false });
    expect(String(data)).toBe(
      "fashion-mnist: 60,000 training and 10,000 test images, 28 × 28 × 1, 10 classes (T-shirt/top, Trouser, " +
        "Pullover, Dress, Coat, Sandal, Shirt, Sneaker, Bag, Ankle boot)",
    );
    // as the last value of a cell, and in a terminal, which must not print 47 million pixels
    const display = (data as unknown as Record<symbol, () => unknown>)[Symbol.for("Jupyter.display")];
    expect(display.call(data)).toEqual({ "text/plain": String(data) });
    expect(inspect(data)).toBe(String(data));
    const { mean, std } = channelStatistics(data.train.images, 1);
    expect(mean[0]).toBeCloseTo(data.mean[0], 14);
    expect(std[0]).toBeCloseTo(data.std[0], 14);
    for (let label = 0; label < 10; label++) {
      expect(data.train.labels.filter((l) => l === label)).toHaveLength(6000);
      expect(data.test.labels.filter((l) => l === label)).toHaveLength(1000);
    }
    expect([...data.test.labels.subarray(0, 10)]).toEqual([9, 2, 1, 1, 6, 1, 4, 6, 5, 7]);

    const { images, labels } = data.train.batch(Int32Array.from({ length: 10_000 }, (_, i) => i));
    const statistics = tf.tidy(() => [tf.mean(images), tf.mean(tf.square(images))]);
    expect(statistics[0].dataSync()[0]).toBeCloseTo(0, 1);
    expect(statistics[1].dataSync()[0]).toBeCloseTo(1, 1);
    tf.dispose([images, labels, ...statistics]);
  });

  test("takes class-balanced parts, the same without a seed, drawn with one", async () => {
    const load = (seed?: number): ReturnType<typeof loadDataset> =>
      loadDataset("fashion-mnist", { limit: { train: 100, test: 25, ...(seed !== undefined && { seed }) } });
    const [first, again, drawn, drawnAgain, other] = await Promise.all([
      load(),
      load(),
      load(1),
      load(1),
      load(2),
    ]);
    for (const data of [first, drawn]) {
      expect([data.train.size, data.test.size]).toEqual([100, 25]);
      for (let label = 0; label < 10; label++) {
        expect(data.train.labels.filter((l) => l === label)).toHaveLength(10);
      }
    }
    expect(again.train.images).toEqual(first.train.images);
    expect(drawnAgain.train.images).toEqual(drawn.train.images);
    expect(drawn.train.images).not.toEqual(first.train.images);
    expect(other.train.images).not.toEqual(drawn.train.images);
  });

  test("sets a validation part aside, the same every time", async () => {
    const limit = { train: 100, test: 10 };
    const data = await loadDataset("fashion-mnist", { limit, validation: 20 });
    expect([data.train.size, data.validation?.size, data.test.size]).toEqual([80, 20, 10]);
    expect(String(data)).toMatch(/^fashion-mnist: 80 training, 20 validation and 10 test images/);
    const again = await loadDataset("fashion-mnist", { limit, validation: 20 });
    expect(again.validation?.images).toEqual(data.validation?.images);
    expect((await loadDataset("fashion-mnist", { limit })).validation).toBeUndefined();
  });

  test("names the nearest set for a slip", async () => {
    await expect(loadDataset("fashion_mnist" as DatasetName)).rejects.toThrow(
      'loadDataset: must be one of fashion-mnist, mnist, cifar10, cifar100, cifar10-jpeg, imagenette2-160; got "fashion_mnist". Did you mean "fashion-mnist"?',
    );
    await expect(loadDataset("toString" as DatasetName)).rejects.toMatchObject({ code: "unknown" });
  });

  test("every set has distinct files, all with a digest or in an archive", () => {
    for (const [name, set] of Object.entries(catalogue)) {
      expect(set.name).toBe(name);
      if (!("files" in set)) continue;
      expect(new Set(set.files.map((file) => file.name)).size).toBe(set.files.length);
      const digests = set.files.map(({ sha256 }) => sha256 ?? set.archive?.digest?.hex);
      expect(digests.every((digest) => /^([0-9a-f]{32}|[0-9a-f]{64})$/.test(digest ?? ""))).toBe(true);
      if (!set.archive) expect(new Set(digests).size).toBe(set.files.length);
      expect(set.mean?.length).toBe(set.std?.length);
    }
    expect(new Set(cifar100.classes).size).toBe(100);
    expect(cifar100.classes).toEqual([...cifar100.classes].sort());
  });
});

describe("where a set is found", () => {
  test.each(["", ".gz"])(
    "in the folder given, or in its sub-folder of the set's name (%s)",
    async (suffix) => {
      const { set, content } = tinySet();
      const flat = await write(join(folder, "flat"), content, suffix);
      await write(join(folder, "nested", "tiny"), content, suffix);
      for (const place of [flat, join(folder, "nested")]) {
        const data = await loadImageSet(set, { folder: place });
        expect([...data.train.images]).toEqual([0, 255, 51, 102, 153, 204]);
        expect([...data.test.labels]).toEqual([1, 0]);
      }
    },
  );

  test("in KATLAB_DATA", async () => {
    const { set, content } = tinySet();
    vi.stubEnv("KATLAB_DATA", await write(join(folder, "data"), content));
    expect((await loadImageSet(set, { fetch: false })).train.size).toBe(3);
  });

  test("in the cache after a download, which a second load does not repeat", async () => {
    const { set, content } = tinySet();
    const bodies = Object.values(content).map((raw) => serve(gzipSync(raw)));
    server = await fileServer([...bodies, answer(500)]);
    const online = { ...set, urls: [server.url] };
    const paths: string[] = [];
    await loadImageSet(online, { onProgress: ({ path }) => paths.push(path) });
    expect(new Set(paths).size).toBe(4);
    expect((await loadImageSet(online)).train.size).toBe(3);
    expect(server.ranges).toHaveLength(4);
    expect((await readdir(join(folder, "cache", "katlab", "data", "tiny"))).sort()).toEqual(
      Object.keys(content)
        .map((name) => `${name}.gz`)
        .sort(),
    );
  });

  test("an interrupted download leaves finished files only, and fetches the rest later", async () => {
    const { set, content } = tinySet();
    const bodies = Object.values(content).map((raw) => serve(gzipSync(raw)));
    server = await fileServer([bodies[0], bodies[1], answer(404), bodies[2], bodies[3]]);
    const online = { ...set, urls: [server.url] };
    await expect(loadImageSet(online, { onProgress: () => undefined })).rejects.toThrow("404");
    expect((await readdir(join(folder, "cache", "katlab", "data", "tiny"))).sort()).toEqual([
      "trainImages.gz",
      "trainLabels.gz",
    ]);
    expect((await loadImageSet(online, { onProgress: () => undefined })).train.size).toBe(3);
    expect(server.ranges).toHaveLength(5);
  });

  test("nowhere: says where it looked and what to do", async () => {
    const { set } = tinySet();
    await expect(loadImageSet(set, { fetch: false })).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(
        /must be on this machine when fetch is false; got none of its files in the package's data folder, the cache \(.*\)\. Put trainImages, .* or name their folder in KATLAB_DATA\.$/,
      ) as string,
    });
    await expect(loadImageSet(set, { folder })).rejects.toThrow(
      `loadDataset tiny: must be in the folder given; got none of its files in folder ${folder}.`,
    );
  });
});

describe("a set in an archive", () => {
  /** Two files of CIFAR's form in a tar.gz, and the set that describes them. */
  async function archived(
    change: Partial<ImageSetArchive> = {},
  ): Promise<{ set: ImageSet; bytes: Uint8Array; raw: Uint8Array[] }> {
    const raw = [2, 1].map((count) =>
      Uint8Array.from({ length: count * 3073 }, (_, i) => (i % 3073 === 0 ? 1 : (i * 7) % 251)),
    );
    const bytes = gzipSync(
      await tarFile([
        { name: "small/train.bin", content: raw[0] },
        { name: "small/readme.html", content: "not of the set" },
        { name: "small/test.bin", content: raw[1] },
      ]),
    );
    const digest = { algorithm: "sha256" as const, hex: createHash("sha256").update(bytes).digest("hex") };
    const set = cifarSet({
      name: "small",
      classes: ["a", "b"],
      archive: { name: "small.tar.gz", folder: "small", bytes: bytes.length, digest, ...change },
      train: [{ name: "train.bin", bytes: raw[0].length }],
      test: { name: "test.bin", bytes: raw[1].length },
      record: { labelBytes: 1, label: 0, classes: 2 },
      urls: [],
    });
    return { set, bytes, raw };
  }

  test("is read from the archive, or from its files once unpacked, the same", async () => {
    const { set, bytes, raw } = await archived();
    await writeFile(join(folder, "small.tar.gz"), bytes);
    const packed = await loadImageSet(set, { folder });
    expect([packed.train.size, packed.test.size]).toEqual([2, 1]);
    const { mean } = channelStatistics(packed.train.images, 3);
    expect(packed.mean).toEqual(mean);
    for (const place of ["flat", join("nested", "small")]) {
      await mkdir(join(folder, place), { recursive: true });
      await writeFile(join(folder, place, "train.bin"), raw[0]);
      await writeFile(join(folder, place, "test.bin"), raw[1]);
      const unpacked = await loadImageSet(set, { folder: join(folder, place.split("/")[0]) });
      expect(unpacked.train.images).toEqual(packed.train.images);
    }
    expect(await loadImageSet(set, { folder, limit: { train: 1 } })).toMatchObject({ train: { size: 1 } });
    for (const [name, option] of Object.entries({ size: 8, streamed: true, cache: true })) {
      await expect(loadImageSet(set, { folder, [name]: option })).rejects.toThrow(`${name} must be left out`);
    }
  });

  test("is downloaded as an archive, once", async () => {
    const { set, bytes } = await archived();
    server = await fileServer([serve(bytes), answer(500)]);
    const online = { ...set, urls: [server.url] };
    const quiet = { onProgress: () => undefined };
    expect((await loadImageSet(online, quiet)).train.size).toBe(2);
    expect((await loadImageSet(online, quiet)).train.size).toBe(2);
    expect(server.ranges).toHaveLength(1);
    expect(await readdir(join(folder, "cache", "katlab", "data", "small"))).toEqual(["small.tar.gz"]);
  });

  test("is refused when a byte differs, and when it is another archive of that name", async () => {
    const { set, bytes } = await archived();
    const path = join(folder, "small.tar.gz");
    await writeFile(
      path,
      bytes.map((byte, i) => (i === 500 ? byte ^ 1 : byte)),
    );
    await expect(loadImageSet(set, { folder })).rejects.toThrow(/small\.tar\.gz: must have the SHA-256/);
    await writeFile(path, bytes.subarray(1));
    await expect(loadImageSet(set, { folder })).rejects.toThrow(
      `must be the ${bytes.length} bytes of small.tar.gz`,
    );
    const other = await tarFile([{ name: "small/train.bin", content: "x" }]);
    await writeFile(path, other);
    const { set: open } = await archived({
      bytes: other.length,
      digest: { algorithm: "md5", hex: createHash("md5").update(other).digest("hex") },
    });
    await expect(loadImageSet(open, { folder })).rejects.toThrow("got no small/test.bin");
  });
});

describe("a set of pictures", () => {
  const set: PictureSet = {
    name: "dots",
    source: "the test",
    licence: "none",
    urls: [],
    classes: 2,
    size: 4,
    archive: { name: "dots.tgz", folder: "dots" },
  };

  async function archive(): Promise<Uint8Array> {
    const { default: sharp } = await import("sharp");
    const members = [];
    for (const part of ["train", "val"]) {
      for (const [label, red] of [
        ["a", 10],
        ["b", 200],
      ] as const) {
        const create = { width: 4, height: 4, channels: 3 as const, background: { r: red, g: 0, b: 0 } };
        const content = await sharp({ create }).png().toBuffer();
        members.push(
          { name: `dots/${part}/${label}/0.png`, content },
          { name: `dots/${part}/${label}/1.png`, content },
        );
      }
    }
    return gzipSync(await tarFile(members));
  }

  test("is unpacked once, into the cache", async () => {
    await writeFile(join(folder, "dots.tgz"), await archive());
    const data = await loadPictureSet(set, { folder, validation: 2 });
    expect(String(data)).toBe(
      "dots: 2 training, 2 validation and 4 test images, 4 × 4 × 3, 2 classes (a, b)",
    );
    const [unpacked, ...others] = await readdir(join(folder, "cache", "katlab", "data", "dots"));
    expect(others).toEqual([]);
    await rm(join(folder, "cache", "katlab", "data", "dots", unpacked, "dots", "train", "a", "1.png"));
    const again = await loadPictureSet(set, { folder, size: 2, limit: { test: 2 } });
    expect([again.train.size, again.test.size, again.train.shape]).toEqual([3, 2, [2, 2, 3]]);
    expect([...again.train.images.subarray(0, 3)]).toEqual([10, 0, 0]);
    const cache = join(folder, "decoded");
    const streamed = await loadPictureSet(set, { folder, size: 2, streamed: true, cache });
    expect((await streamed.train.load?.())?.images).toEqual(again.train.images);
    expect(await readdir(cache)).toHaveLength(2);
  });

  test("is found as a folder of its name, and must have its classes", async () => {
    await writeFile(join(folder, "dots.tgz"), await archive());
    await loadPictureSet(set, { folder });
    const [unpacked] = await readdir(join(folder, "cache", "katlab", "data", "dots"));
    vi.stubEnv("KATLAB_DATA", join(folder, "cache", "katlab", "data", "dots", unpacked));
    expect((await loadPictureSet(set, { fetch: false })).train.size).toBe(4);
    await expect(loadPictureSet({ ...set, classes: 3 })).rejects.toThrow(
      "must hold the 3 classes of dots; got 2.",
    );
  });

  test("nowhere: says that nobody serves it", async () => {
    await expect(loadPictureSet(set)).rejects.toThrow(
      /must be on this machine, as nobody serves it; got none of its files in .*\. Put dots\.tgz, or its folders train and test, there/,
    );
  });
});

describe("what is refused", () => {
  test("a folder with only some of the files", async () => {
    const { set, content } = tinySet();
    const place = await write(join(folder, "some"), { trainImages: content.trainImages });
    await expect(loadImageSet(set, { folder: place })).rejects.toThrow(
      "must hold all files of tiny; got no trainLabels, no testImages, no testLabels.",
    );
    vi.stubEnv("KATLAB_DATA", place);
    await expect(loadImageSet(set)).rejects.toThrow(`KATLAB_DATA (${place}): must hold all files`);
  });

  test("a changed byte, a truncated gzip file, a swapped file", async () => {
    const { set, content } = tinySet();
    const place = await write(join(folder, "bad"), content, ".gz");
    const path = join(place, "trainImages.gz");
    const refusal = async (bytes: Uint8Array): Promise<unknown> => {
      await writeFile(path, bytes);
      return loadImageSet(set, { folder: place }).catch((error: unknown) => error);
    };
    const changed = content.trainImages.map((byte, i) => (i === 20 ? byte ^ 1 : byte));
    expect(await refusal(gzipSync(changed))).toMatchObject({
      code: "invalid",
      message: expect.stringMatching(
        /trainImages\.gz: raw bytes must have the SHA-256 .* Fetch the file again/,
      ) as string,
    });
    expect(await refusal(gzipSync(content.trainImages).subarray(0, -9))).toMatchObject({
      code: "invalid",
      message: expect.stringContaining("must be a gzip file of 22 raw bytes") as string,
    });
    expect(await refusal(gzipSync(new Uint8Array(10_000)))).toMatchObject({ code: "invalid" });
    await copyFile(join(place, "testImages.gz"), path);
    expect(await loadImageSet(set, { folder: place }).catch((e: unknown) => e)).toMatchObject({
      code: "invalid",
    });
  });

  test("files that are what the catalogue says but do not belong together", async () => {
    const { set, content } = tinySet([0, 1]);
    const place = await write(join(folder, "counts"), content);
    await expect(loadImageSet(set, { folder: place })).rejects.toThrow(
      "tiny train: must have one label for each image; got 3 images and 2 labels.",
    );
  });
});
