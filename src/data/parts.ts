import { Random } from "../random.js";
import type { ImageSplit } from "./dataset.js";

/** How much of a set is used, and for what. */
export interface PartOptions {
  /**
   * Class-balanced subsets of so many images (default all). Without `seed`, the first images of each
   * class in the order of the set; with it, drawn at random. The mean and deviation stay those
   * of the whole training set.
   */
  limit?: {
    /** Training images, at least 1. */
    train?: number;
    /** Test images, at least 1. */
    test?: number;
    /** Draws the images; any safe integer. */
    seed?: number;
  };
  /**
   * So many training images, class-balanced, are set aside as `validation`, at least 1; default none. Drawn by `limit.seed`, or
   * by 0, after `limit` has been applied.
   */
  validation?: number;
}

/** The parts of a set that are asked for. */
export function partsOf(
  whole: { readonly train: ImageSplit; readonly test: ImageSplit },
  { limit = {}, validation }: PartOptions,
): { train: ImageSplit; validation?: ImageSplit; test: ImageSplit } {
  const random = limit.seed === undefined ? undefined : new Random(limit.seed).split("limit");
  const part = (name: "train" | "test"): ImageSplit => {
    const count = limit[name];
    return count === undefined ? whole[name] : whole[name].take(count, random?.split(name));
  };
  const [train, test] = [part("train"), part("test")];
  if (validation === undefined) return { train, test };
  return { ...train.hold(validation, new Random(limit.seed ?? 0).split("validation")), test };
}
