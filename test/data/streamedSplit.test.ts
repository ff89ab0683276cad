import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { describe, expect, test } from "vitest";
import { ImageSplit } from "../../src/data/dataset.js";
import { StreamedSplit } from "../../src/data/streamedSplit.js";
import { Random } from "../../src/random.js";
import { countingSource } from "./pixelSource.js";

const size = 24;
const places = Int32Array.from({ length: size }, (_, i) => i);
const labels = places.map((i) => i % 4);
const statistics = { mean: [0.1, 0.2, 0.3], std: [0.5, 0.6, 0.7] };
const streamed = new StreamedSplit({ source: countingSource(size), places, labels, ...statistics });
const inMemory = new ImageSplit({
  images: Uint8Array.from({ length: 3 * size }, (_, i) => Math.floor(i / 3)),
  labels,
  shape: [1, 1, 3],
  ...statistics,
});

function mustBeSame(own: ImageSplit, other: { images: Uint8Array; labels: Int32Array }): void {
  expect([...own.images]).toEqual([...other.images]);
  expect([...own.labels]).toEqual([...other.labels]);
}

describe("StreamedSplit", () => {
  test("loads what a split in memory has", async () => {
    expect([streamed.size, streamed.shape, streamed.black]).toEqual([
      inMemory.size,
      inMemory.shape,
      inMemory.black,
    ]);
    mustBeSame(await streamed.load(), inMemory);
    const [loaded, wanted] = [(await streamed.load([5, 0, 5])).batch([0, 1, 2]), inMemory.batch([5, 0, 5])];
    expect([...loaded.images.dataSync()]).toEqual([...wanted.images.dataSync()]);
    expect([...loaded.labels.dataSync()]).toEqual([1, 0, 1]);
    tf.dispose([loaded.images, loaded.labels, wanted.images, wanted.labels]);
  });

  test("is divided as one in memory", async () => {
    mustBeSame(await streamed.take(6).load(), inMemory.take(6));
    mustBeSame(await streamed.take(7, new Random(2)).load(), inMemory.take(7, new Random(2)));
    const [own, other] = [streamed.hold(8, new Random(1)), inMemory.hold(8, new Random(1))];
    mustBeSame(await own.train.load(), other.train);
    mustBeSame(await own.validation.load(), other.validation);
    mustBeSame(await own.train.take(5).load(), other.train.take(5));
  });

  test("says that it is not in memory, and what to do", () => {
    expect(() => streamed.images).toThrow(
      "images: images must be in memory; got a part of pictures that is read as it is needed.",
    );
    expect(() => streamed.batch()).toThrow("batch: images must be in memory");
  });

  test("refuses indices, numbers and statistics that do not fit", async () => {
    await expect(streamed.load([24])).rejects.toThrow("batch: indices must be integers in [0, 24); got 24");
    expect(() => streamed.take(25)).toThrow("take: n must be an integer from 1 to 24; got 25.");
    expect(() => streamed.hold(24, new Random(0))).toThrow("must be an integer from 1 to 23");
    const content = { source: countingSource(1), places: new Int32Array(1), labels: new Int32Array(1) };
    expect(() => new StreamedSplit({ ...content, mean: [0], std: [1] })).toThrow(
      "mean and std must have one value for each of the 3 channels",
    );
  });

  test("stops reading by a signal", async () => {
    await expect(streamed.load(undefined, AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
  });
});
