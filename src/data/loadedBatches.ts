import type { Split } from "./dataset.js";

/** Some images, ready for `split.batch(indices)`. */
export interface LoadedBatch {
  /** In memory. */
  readonly split: Split;
  /** The batch's images in it. */
  readonly indices: ArrayLike<number>;
}

/** How batches are loaded. */
export interface LoadedBatchesOptions {
  /** Batches loaded ahead, at least 1; so many and the caller's are in memory. Default 2. */
  readonly ahead?: number;
  /** Ends the loop, without a fault: ask it after the loop. */
  readonly signal?: AbortSignal;
}

/**
 * Batches of a split in order, each in memory when its turn comes: of a split that has `load`, the next ones are loaded while
 * the caller works on one. A caller that leaves the loop, a signal and a fault end what is being loaded before the loop ends.
 *
 * ```ts
 * for await (const { split, indices } of loadedBatches(data.train, [[0, 1], [2, 3]])) {
 *   const { images, labels } = split.batch(indices);
 * }
 * ```
 *
 * @param batches indices of each batch
 * @throws what `load` throws, in the turn of that batch
 */
export async function* loadedBatches(
  split: Split,
  batches: Iterable<ArrayLike<number>>,
  { ahead = 2, signal }: LoadedBatchesOptions = {},
): AsyncGenerator<LoadedBatch, void, void> {
  if (split.load === undefined) {
    for (const indices of batches) yield { split, indices };
    return;
  }
  const own = new AbortController();
  const stop = (): void => own.abort();
  signal?.addEventListener("abort", stop);
  const rest = batches[Symbol.iterator]();
  const loading: Promise<Split>[] = [];
  const begin = (): void => {
    const next = rest.next();
    if (next.done === true) return;
    const load = (split.load as NonNullable<Split["load"]>)(next.value, own.signal);
    load.catch(() => undefined); // it is told in its turn, if that comes
    loading.push(load);
  };
  try {
    for (let i = 0; i < ahead; i++) begin();
    for (let first = loading.shift(); first !== undefined; first = loading.shift()) {
      const loaded = await first;
      begin();
      yield { split: loaded, indices: Int32Array.from(loaded.labels, (_, i) => i) };
    }
  } catch (fault) {
    if (signal?.aborted !== true) throw fault;
  } finally {
    signal?.removeEventListener("abort", stop);
    own.abort();
    await Promise.allSettled(loading);
  }
}
