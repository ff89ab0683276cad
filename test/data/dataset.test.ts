import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { channelStatistics, ImageSplit } from "../../src/data/dataset.js";
import { Random } from "../../src/random.js";

function split(labels: number[], shape: readonly [number, number, number] = [2, 2, 3]): ImageSplit {
  const pixels = labels.length * shape[0] * shape[1] * shape[2];
  return new ImageSplit({
    images: Uint8Array.from({ length: pixels }, (_, i) => (i * 37) % 256),
    labels: Int32Array.from(labels),
    shape,
    mean: [0.1, 0.2, 0.3].slice(0, shape[2]),
    std: [0.5, 0.4, 0.3].slice(0, shape[2]),
  });
}

function counts(labels: Int32Array, classes: number): number[] {
  return Array.from({ length: classes }, (_, c) => labels.filter((label) => label === c).length);
}

describe("batch", () => {
  test.each([1, 3])("normalises by channel, %i channels", (channels) => {
    const before = tf.memory().numTensors;
    const data = split([0, 1, 2], [2, 2, channels]);
    const { images, labels } = data.batch([2, 0, 2]);
    expect(images.shape).toEqual([3, 2, 2, channels]);
    expect([images.dtype, labels.dtype]).toEqual(["float32", "int32"]);
    expect([...labels.dataSync()]).toEqual([2, 0, 2]);
    const size = 4 * channels;
    const expected = [2, 0, 2].flatMap((index) =>
      Array.from({ length: size }, (_, i) => {
        const c = i % channels;
        return Math.fround((data.images[index * size + i] / 255 - [0.1, 0.2, 0.3][c]) / [0.5, 0.4, 0.3][c]);
      }),
    );
    expect([...images.dataSync()]).toEqual(expected);
    tf.dispose([images, labels]);
    expect(tf.memory().numTensors).toBe(before);
  });

  test("of no indices has no images", () => {
    const { images, labels } = split([0]).batch([]);
    expect(images.shape).toEqual([0, 2, 2, 3]);
    expect(labels.shape).toEqual([0]);
    tf.dispose([images, labels]);
  });

  test.each([-1, 2, 0.5, Number.NaN])("rejects index %d", (index) => {
    expect(() => split([0, 1]).batch([0, index])).toThrow(
      `batch: indices must be integers in [0, 2); got ${index} at position 1.`,
    );
  });
});

describe("take", () => {
  test("takes the first of each class in the order of the file", () => {
    const data = split([0, 0, 0, 1, 1, 2, 0, 2]);
    const few = data.take(5);
    expect([...few.labels]).toEqual([0, 0, 1, 1, 2]);
    expect(few.images.subarray(24, 36)).toEqual(data.images.subarray(36, 48));
  });

  test("keeps the images of their labels, drawn or not", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 40 }),
        fc.nat(),
        fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined }),
        (labels, n, seed) => {
          const data = new ImageSplit({
            images: Uint8Array.from(labels, (_, i) => i), // the image is its index
            labels: Int32Array.from(labels),
            shape: [1, 1, 1],
            mean: [0],
            std: [1],
          });
          const size = 1 + (n % labels.length);
          const few = data.take(size, seed === undefined ? undefined : new Random(seed));
          expect(few.size).toBe(size);
          expect(new Set(few.images).size).toBe(size);
          expect([...few.images]).toEqual([...few.images].sort((a, b) => a - b));
          few.images.forEach((index, i) => {
            expect(few.labels[i]).toBe(labels[index]);
          });
          // balanced: a class with fewer than the largest count has given all it has
          const taken = counts(few.labels, 4);
          const all = counts(data.labels, 4);
          const most = Math.max(...taken);
          taken.forEach((count, c) => {
            expect(count).toBeGreaterThanOrEqual(Math.min(all[c], most - 1));
          });
        },
      ),
    );
  });

  test("draws by seed", () => {
    const data = split(Array.from({ length: 60 }, (_, i) => i % 3));
    const drawn = (seed: number): number[] => [...data.take(9, new Random(seed)).images];
    expect(drawn(1)).toEqual(drawn(1));
    expect(drawn(1)).not.toEqual(drawn(2));
    expect(counts(data.take(9, new Random(1)).labels, 3)).toEqual([3, 3, 3]);
  });

  test.each([0, 3, 1.5])("rejects %d of 2", (n) => {
    expect(() => split([0, 1]).take(n)).toThrow(`take: n must be an integer from 1 to 2; got ${n}.`);
  });
});

describe("hold", () => {
  const labels = Int32Array.from({ length: 40 }, (_, i) => i % 4);
  const whole = new ImageSplit({
    images: Uint8Array.from(labels, (_, i) => i),
    labels,
    shape: [1, 1, 1],
    mean: [0.5],
    std: [0.5],
  });

  test("divides without loss, in balance, by the stream", () => {
    const { train, validation } = whole.hold(8, new Random(1));
    expect([...train.images, ...validation.images].sort((a, b) => a - b)).toEqual([...whole.images]);
    expect([0, 1, 2, 3].map((label) => validation.labels.filter((own) => own === label).length)).toEqual([
      2, 2, 2, 2,
    ]);
    expect(whole.hold(8, new Random(1)).validation.images).toEqual(validation.images);
    expect(whole.hold(8, new Random(2)).validation.images).not.toEqual(validation.images);
  });

  test.each([0, 40, 1.5])("rejects %d of 40", (n) => {
    expect(() => whole.hold(n, new Random(1))).toThrow(/validation: must be an integer from 1 to 39/);
  });
});

describe("ImageSplit", () => {
  test("rejects images that do not match the labels", () => {
    expect(
      () =>
        new ImageSplit({
          images: new Uint8Array(7),
          labels: new Int32Array(2),
          shape: [2, 2, 1],
          mean: [0],
          std: [1],
        }),
    ).toThrow("ImageSplit: images must hold 2 × [2, 2, 1] bytes, one image for each label; got 7 bytes.");
  });

  test.each([{ std: [0] }, { std: [] }, { mean: [0, 0] }])("rejects statistics %o", (statistics) => {
    const content = { images: new Uint8Array(1), labels: new Int32Array(1), shape: [1, 1, 1] as const };
    expect(() => new ImageSplit({ ...content, mean: [0], std: [1], ...statistics })).toThrow(
      "mean and std must have one value for each of the 1 channels",
    );
  });
});

describe("channelStatistics", () => {
  test("agrees with the plain sums over each channel", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        fc.uint8Array({ minLength: 6, maxLength: 60 }),
        (channels, all) => {
          const images = all.subarray(0, all.length - (all.length % channels));
          const { mean, std } = channelStatistics(images, channels);
          for (let c = 0; c < channels; c++) {
            const values = [...images].filter((_, i) => i % channels === c).map((value) => value / 255);
            const average = values.reduce((sum, x) => sum + x, 0) / values.length;
            const variance = values.reduce((sum, x) => sum + (x - average) ** 2, 0) / values.length;
            expect(mean[c]).toBeCloseTo(average, 12);
            expect(std[c] ** 2).toBeCloseTo(variance, 12);
          }
        },
      ),
    );
  });
});
