import type { PixelSource } from "../../src/data/pixelSource.js";

/** A source whose picture i is one pixel of three bytes i; it counts what is read. */
export function countingSource(count: number): PixelSource & { reads: number[][] } {
  const source = {
    name: "pictures",
    count,
    shape: [1, 1, 3] as const,
    reads: [] as number[][],
    read: async (indices: ArrayLike<number>, into: Uint8Array, signal?: AbortSignal): Promise<void> => {
      source.reads.push([...Array.from(indices)]);
      for (let i = 0; i < indices.length; i++) {
        await Promise.resolve();
        signal?.throwIfAborted();
        into.fill(indices[i], 3 * i, 3 * i + 3);
      }
    },
  };
  return source;
}
