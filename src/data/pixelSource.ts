import { sizeOf } from "../shape.js";
import { imageFolderFault } from "./imageFolderFault.js";

/** Pixels of pictures by number, all of one shape, somewhere else than in memory. */
export interface PixelSource {
  /** What messages call it. */
  readonly name: string;
  /** Number of pictures. */
  readonly count: number;
  /** Height, width and channels of each. */
  readonly shape: readonly [height: number, width: number, channels: number];
  /**
   * Fills `into` with the pictures at `indices`, one behind the other.
   *
   * @throws KatlabError `invalid` that names the file at fault; the signal's reason when it is stopped
   */
  read(indices: ArrayLike<number>, into: Uint8Array, signal?: AbortSignal): Promise<void>;
}

/** What Node can hold in one array. */
export const mostBytes: number = 2 ** 32;

/**
 * Pictures of a source, in memory.
 *
 * @returns `[indices.length, height, width, channels]`
 * @throws KatlabError `invalid` where they take more than {@link mostBytes}, and as `read` does
 */
export async function readPixels(
  source: PixelSource,
  indices: ArrayLike<number>,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const bytes = sizeOf(source.shape);
  if (indices.length * bytes > mostBytes) {
    throw imageFolderFault(
      source.name,
      `must fit into ${mostBytes / 2 ** 30} GiB when decoded`,
      `${indices.length} pictures of ${bytes} bytes`,
      "Take a smaller size, fewer pictures, or let them be streamed.",
    );
  }
  const pixels = new Uint8Array(indices.length * bytes);
  await source.read(indices, pixels, signal);
  return pixels;
}
