import * as tf from "@tensorflow/tfjs-core";
import * as zod from "zod";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { augmentedBatch } from "../../../src/data/augment/augmentedBatch.js";
import { cropAndFlip } from "../../../src/data/augment/cropAndFlip.js";
import { erase } from "../../../src/data/augment/erase.js";
import { noise } from "../../../src/data/augment/noise.js";
import { mix } from "../../../src/data/augment/mix.js";
import {
  augmentationSchema,
  type AugmentationSettings,
  noAugmentation,
} from "../../../src/data/augment/settings.js";
import { ImageSplit } from "../../../src/data/dataset.js";
import { useEngine } from "../../../src/engine.js";
import { Random } from "../../../src/random.js";
import { onEveryEngine } from "../../presentEngines.js";

const [size, height, width, channels, classes] = [24, 6, 5, 3, 4];
const normalisation = { mean: [0.5, 0.4, 0.3], std: [0.2, 0.25, 0.3] };
const split = new ImageSplit({
  images: Uint8Array.from({ length: size * height * width * channels }, (_, i) => (i * 37) % 256),
  labels: Int32Array.from({ length: size }, (_, i) => i % classes),
  shape: [height, width, channels],
  ...normalisation,
});
const all = Array.from({ length: size }, (_, i) => i);
/** Every kind of augmentation at once. */
const everything: AugmentationSettings = {
  ...{ flip: 0.5, cropPadding: 2, cropScale: [0.08, 1], cropRatio: [3 / 4, 4 / 3], interpolation: "random" },
  ...{ brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 },
  ...{ randAugment: 9, randAugmentStd: 0.5, randAugmentLayers: 2, randAugmentProbability: 0.5 },
  ...{ erasing: 0.5, mixup: 0.8, cutmix: 1, switchProbability: 0.5 },
};

/** Values of one image, `[y][x]`, one number for a pixel. */
function pixels(images: tf.Tensor4D, image: number): number[][] {
  return tf.tidy(() =>
    tf.squeeze<tf.Tensor2D>(tf.slice(images, [image, 0, 0, 0], [1, -1, -1, 1]), [0, 3]).arraySync(),
  );
}

test("the schema's defaults vary nothing", () => {
  expect(augmentationSchema(zod).parse({})).toEqual(noAugmentation);
  expect(augmentationSchema(zod).safeParse({ flip: 1.5 }).success).toBe(false);
  expect(augmentationSchema(zod).safeParse({ cropPadding: 0.5 }).success).toBe(false);
  const cropScale = [0.08, 1];
  expect(augmentationSchema(zod).parse({ cropScale })).toEqual({ ...noAugmentation, cropScale });
  for (const wrong of [[1, 0.08], [0, 1], [0.5, 1.1], [1]]) {
    expect(augmentationSchema(zod).safeParse({ cropScale: wrong }).success).toBe(false);
  }
  expect(augmentationSchema(zod).safeParse({ hue: 0.6 }).success).toBe(false);
  expect(augmentationSchema(zod).safeParse({ randAugmentLayers: 0 }).success).toBe(false);
});

/** Noise of the first engine. */
let noiseBits: string | undefined;
/** Engines whose tensors are not in the host's memory, or could be elsewhere; tfjs's own read where they compute. */
const reads = ["torch", "torch in float64"];

onEveryEngine("augmentation", ({ title, options }) => {
  let before: number;
  beforeEach(async () => {
    await useEngine(options);
    before = tf.memory().numTensors;
  });
  afterEach(() => {
    expect(tf.memory().numTensors).toBe(before);
  });

  /** Fills every tensor's place: what was made for a test is gone after it. */
  const within = (body: () => void): void => {
    tf.tidy(() => {
      body();
    });
  };

  const varied = (settings: Partial<AugmentationSettings>, seed = 1): ReturnType<typeof augmentedBatch> =>
    augmentedBatch(
      split,
      all,
      { ...noAugmentation, ...settings },
      { classes, random: new Random(seed), ...normalisation },
    );

  test("without settings a batch is the split's own", () => {
    within(() => {
      const { images, labels } = varied({});
      const own = split.batch(all);
      expect(images.dataSync()).toEqual(own.images.dataSync());
      expect(labels.dataSync()).toEqual(own.labels.dataSync());
    });
  });

  test("the same stream gives the same bits, another one others", () => {
    within(() => {
      const settings = everything;
      const [a, b, c] = [varied(settings), varied(settings), varied(settings, 2)];
      expect(a.images.dataSync()).toEqual(b.images.dataSync());
      expect(a.labels.dataSync()).toEqual(b.labels.dataSync());
      expect(a.images.dataSync()).not.toEqual(c.images.dataSync());
    });
  });

  test("everything at once keeps to what pixels can be, and reads nothing back", () => {
    within(() => {
      const read = [vi.spyOn(tf.backend(), "readSync"), vi.spyOn(tf.backend(), "read")];
      const { images } = varied({ ...everything, erasing: 0, mixup: 0, cutmix: 0 });
      varied(everything);
      for (const spy of read) if (reads.includes(title)) expect(spy).not.toHaveBeenCalled();
      vi.restoreAllMocks();
      const pixels = tf.add(tf.mul(images, tf.tensor1d(normalisation.std)), tf.tensor1d(normalisation.mean));
      expect(tf.min(pixels).dataSync()[0]).toBeGreaterThan(-1e-6);
      expect(tf.max(pixels).dataSync()[0]).toBeLessThan(1 + 1e-6);
      expect(images.shape).toEqual([size, height, width, channels]);
    });
  });

  test("a resized crop of whole images mirrors as the plain one does", () => {
    within(() => {
      const { images } = varied({ cropScale: [1, 1], cropRatio: [width / height, width / height], flip: 1 });
      expect(tf.max(tf.abs(tf.sub(images, varied({ flip: 1 }).images))).dataSync()[0]).toBeLessThan(1e-5);
    });
  });

  test("what works on pixels must be told what they are normalised by", () => {
    for (const settings of [{ cropScale: [0.08, 1] as const }, { hue: 0.1 }, { randAugment: 9 }]) {
      const options = { classes, random: new Random(1) };
      expect(() => augmentedBatch(split, all, { ...noAugmentation, ...settings }, options)).toThrow(
        "got no mean and std. Pass the dataset's: { classes, random, mean: data.mean, std: data.std }.",
      );
    }
  });

  test("and not what another set is normalised by", () => {
    const other = { mean: [0.5, 0.4, 0.3], std: [0.2, 0.25, 0.4] };
    const options = { classes, random: new Random(1), ...other };
    expect(() => augmentedBatch(split, all, { ...noAugmentation, hue: 0.1 }, options)).toThrow(
      "augmentedBatch: mean and std must be those that the images are normalised by",
    );
  });

  test("no images and one image", () => {
    within(() => {
      for (const indices of [[], [3]]) {
        const options = { classes, random: new Random(1), ...normalisation };
        const { images, labels } = augmentedBatch(split, indices, everything, options);
        expect(images.shape).toEqual([indices.length, height, width, channels]);
        expect(labels.shape).toEqual([indices.length, classes]);
      }
    });
  });

  test("images of another number of channels are cropped, but have no colours", () => {
    within(() => {
      const plain = { mean: [0, 0], std: [1, 1] };
      const pairs = new ImageSplit({
        ...{ images: new Uint8Array(18), labels: Int32Array.of(0), shape: [3, 3, 2], ...plain },
      });
      const of = (settings: Partial<AugmentationSettings>): ReturnType<typeof augmentedBatch> =>
        augmentedBatch(
          pairs,
          [0],
          { ...noAugmentation, ...settings },
          { classes, random: new Random(1), ...plain },
        );
      expect(of({ cropScale: [0.5, 1] }).images.shape).toEqual([1, 3, 3, 2]);
      expect(() => of({ randAugment: 9 })).toThrow("need images of 1 or 3 channels; got 2");
      expect(() => of({ brightness: 0.4 })).toThrow("need images of 1 or 3 channels; got 2");
    });
  });

  test("noise is standard normal, other in each row, also past the end of its table, the same bits on every engine", () => {
    within(() => {
      const rows = noise(4, [10, 600], new Random(1));
      const values = Array.from(rows.dataSync());
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
      expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(values.length));
      expect(Math.abs(variance - 1)).toBeLessThan(5 * Math.sqrt(2 / values.length));
      expect(new Set(rows.arraySync().map((row) => row[0])).size).toBe(40);
      const bits = values.map(Math.fround).join();
      const around = noise(1, [1100, 600], new Random(1)).arraySync();
      expect(new Set(around.slice(0, 800).map((row) => row[0])).size).toBe(800);
      noiseBits ??= bits;
      expect(bits).toBe(noiseBits);
    });
  });

  test("a flip mirrors rows, and so often as asked for", () => {
    within(() => {
      const { images } = split.batch(all);
      const certain = varied({ flip: 1 }).images;
      for (const image of [0, 7]) {
        expect(pixels(certain, image)).toEqual(pixels(images, image).map((row) => row.toReversed()));
      }
      const some = varied({ flip: 0.5 }).images;
      const same = all.map((image) => String(pixels(some, image)) === String(pixels(images, image)));
      const flipped = same.filter((isSame) => !isSame).length;
      expect(flipped).toBeGreaterThan(4);
      expect(flipped).toBeLessThan(20);
    });
  });

  test("a crop shifts, and shows black where the image ends", () => {
    within(() => {
      const { images } = split.batch(all);
      const shifted = varied({ cropPadding: 2 }).images;
      const shifts = all.map((image) => shiftOf(pixels(images, image), pixels(shifted, image)));
      expect(shifts).not.toContain(undefined);
      expect(new Set(shifts.map(String)).size).toBeGreaterThan(8);
    });
  });

  /** The one shift within two pixels that explains an image; black is (0 − 0.5)/0.2. */
  function shiftOf(from: number[][], to: number[][]): [number, number] | undefined {
    for (let dy = -2; dy <= 2; dy++) {
      for (let dx = -2; dx <= 2; dx++) {
        const fits = to.every((row, y) =>
          row.every((value, x) => Math.abs(value - (from[y + dy]?.[x + dx] ?? -2.5)) < 1e-5),
        );
        if (fits) return [dy, dx];
      }
    }
    return undefined;
  }

  test("padding and mirroring are those of the definition", () => {
    within(() => {
      const image = tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1]);
      const seen = new Set<string>();
      for (let seed = 0; seed < 60; seed++) {
        const cut = cropAndFlip(image, { padding: 1, flip: 0 }, [9], new Random(seed));
        seen.add(Array.from(cut.dataSync()).join(" "));
      }
      const expected = [
        "9 9 9 1",
        "9 9 1 2",
        "9 9 2 9",
        "9 1 9 3",
        "1 2 3 4",
        "2 9 4 9",
        "9 3 9 9",
        "3 4 9 9",
        "4 9 9 9",
      ];
      expect([...seen].sort()).toEqual(expected.sort());
    });
  });

  test("erasing replaces one rectangle by noise, and leaves the rest", () => {
    within(() => {
      const images = tf.fill<tf.Rank.R4>([40, 12, 12, 2], 50);
      const erased = erase(images, 0.5, new Random(3));
      const changed = Array.from({ length: 40 }, (_, image) =>
        pixels(erased, image).map((row) => row.map((value) => value !== 50)),
      );
      const areas = changed.map((rows) => rows.flat().filter(Boolean).length);
      const touched = areas.filter((area) => area > 0);
      expect(touched.length).toBeGreaterThan(10);
      expect(touched.length).toBeLessThan(30);
      for (const area of touched) expect(area).toBeLessThanOrEqual(0.4 * 144);
      for (const rows of changed) {
        const ys = rows.flatMap((row, y) => (row.some(Boolean) ? [y] : []));
        const xs = rows[0].flatMap((_, x) => (rows.some((row) => row[x]) ? [x] : []));
        expect(rows.flat().filter(Boolean)).toHaveLength(ys.length * xs.length);
      }
      expect(tf.max(tf.abs(tf.sub(erase(images, 0, new Random(1)), images))).dataSync()[0]).toBe(0);
    });
  });

  describe("mixed labels", () => {
    test("mixup: images and labels by the same λ, which add up to 1", () => {
      within(() => {
        const { images, labels } = split.batch(all);
        const mixed = mix(
          images,
          labels,
          { ...noAugmentation, mixup: 0.8 },
          { classes, random: new Random(4) },
        );
        const rows = mixed.labels.arraySync();
        for (const row of rows) expect(row.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 6);
        // Image 0 has class 0 and its partner, the last one, class 3.
        const [kept, , , other] = rows[0];
        expect(kept + other).toBeCloseTo(1, 6);
        const [own, partner, got] = [pixels(images, 0), pixels(images, size - 1), pixels(mixed.images, 0)];
        got.flat().forEach((value, i) => {
          expect(value).toBeCloseTo(kept * own.flat()[i] + other * partner.flat()[i], 4);
        });
      });
    });

    test("cutmix: a rectangle comes from the partner, the labels say how much", () => {
      within(() => {
        const { images, labels } = split.batch(all);
        let cut = 0;
        for (let seed = 0; seed < 10; seed++) {
          const random = new Random(seed);
          const mixed = mix(images, labels, { ...noAugmentation, cutmix: 1 }, { classes, random });
          const [own, partner, got] = [images, images, mixed.images].map((x, i) =>
            pixels(x, i === 1 ? size - 1 : 0).flat(),
          );
          const fromPartner = got.filter((value, i) => value !== own[i]).length;
          cut += fromPartner;
          got.forEach((value, i) =>
            expect([own[i], partner[i]].some((x) => Math.abs(x - value) < 1e-5)).toBe(true),
          );
          expect(mixed.labels.arraySync()[0][3]).toBeCloseTo(fromPartner / got.length, 5);
        }
        expect(cut).toBeGreaterThan(0);
      });
    });
  });
});
