import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { Split } from "../../src/data/dataset.js";
import { loadedBatches } from "../../src/data/loadedBatches.js";
import { StreamedSplit } from "../../src/data/streamedSplit.js";
import { syntheticImages } from "../../src/data/syntheticImages.js";
import { countingSource } from "./pixelSource.js";

const statistics = { mean: [0, 0, 0], std: [1, 1, 1] };
const order = [
  [3, 1],
  [0, 4],
  [2, 5],
  [7, 7],
  [6, 8],
];

function streamed(): { split: Split; source: ReturnType<typeof countingSource> } {
  const source = countingSource(9);
  const places = Int32Array.from({ length: 9 }, (_, i) => i);
  return {
    split: new StreamedSplit({ source, places, labels: places.map((i) => i % 2), ...statistics }),
    source,
  };
}

describe("loadedBatches", () => {
  test("of a split in memory are the split itself", async () => {
    const { train } = syntheticImages({ classes: 2, size: 8, shape: [7, 7, 1] });
    const seen = [];
    for await (const batch of loadedBatches(train, order)) seen.push(batch);
    expect(seen).toEqual(order.map((indices) => ({ split: train, indices })));
  });

  test.each([1, 2, 9])("come in order, %i ahead", async (ahead) => {
    const { split, source } = streamed();
    const seen: number[][] = [];
    let turn = 0;
    for await (const loaded of loadedBatches(split, order, { ahead })) {
      turn++;
      expect(source.reads.length).toBe(Math.min(order.length, turn + ahead));
      expect([...Array.from(loaded.indices)]).toEqual([0, 1]);
      seen.push([...loaded.split.images].filter((_, i) => i % 3 === 0));
      expect([...loaded.split.labels]).toEqual(order[turn - 1].map((i) => i % 2));
    }
    expect(seen).toEqual(order);
    expect(source.reads).toEqual(order);
  });

  test("leaving the loop ends what is being loaded", async () => {
    const { split } = streamed();
    let loading = 0;
    let stopped = 0;
    const slow: Split = Object.assign(Object.create(split) as Split, {
      load: async (indices: ArrayLike<number>, signal: AbortSignal) => {
        if (indices[0] === 3) return split.load?.(indices);
        loading++;
        while (!signal.aborted) await setImmediate();
        loading--;
        stopped++;
        throw new Error("stopped");
      },
    });
    for await (const batch of loadedBatches(slow, order)) {
      expect([...batch.split.images.subarray(0, 1)]).toEqual([3]);
      break;
    }
    expect([loading, stopped]).toEqual([0, 2]);
  });

  test("a signal ends the loop without a fault", async () => {
    const { split } = streamed();
    const controller = new AbortController();
    let turns = 0;
    for await (const batch of loadedBatches(split, order, { signal: controller.signal })) {
      expect(batch.split.size).toBe(2);
      if (++turns === 2) controller.abort();
    }
    expect(turns).toBeLessThan(order.length);
  });

  test("a fault is thrown in its turn, and the others are waited for", async () => {
    const { split } = streamed();
    let turns = 0;
    const reading = async (): Promise<void> => {
      for await (const batch of loadedBatches(split, [[1], [2], [99], [3]])) turns += batch.split.size;
    };
    await expect(reading()).rejects.toThrow(
      "batch: indices must be integers in [0, 9); got 99 at position 0.",
    );
    expect(turns).toBe(2);
  });
});
