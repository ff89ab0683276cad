import { Random } from "../random.js";
import type { Split } from "./dataset.js";

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
   * So many training images, class-balanced, are set aside as `validation`, at least 1; default none. Drawn by its `seed`, by
   * default `limit.seed` or 0, after `limit` has been applied.
   */
  validation?:
    | number
    | {
        /** Number of images, at least 1. */
        readonly count: number;
        /** Draws them; any safe integer. */
        readonly seed?: number;
      };
}

/** A split of which a part can be set aside. */
export interface DivisibleSplit extends Split {
  take(n: number, random?: Random): DivisibleSplit;
  /** Sets a class-balanced part aside. */
  hold(n: number, random: Random): { train: DivisibleSplit; validation: DivisibleSplit };
}

/**
 * The parts of a set that are asked for.
 *
 * @throws KatlabError `invalid` for numbers that the set does not have, and for a seed that is none
 */
export function partsOf(
  whole: { readonly train: DivisibleSplit; readonly test: DivisibleSplit },
  { limit = {}, validation }: PartOptions,
): { train: Split; validation?: Split; test: Split } {
  const random = limit.seed === undefined ? undefined : new Random(limit.seed).split("limit");
  const part = (name: "train" | "test"): DivisibleSplit => {
    const count = limit[name];
    return count === undefined ? whole[name] : whole[name].take(count, random?.split(name));
  };
  const [train, test] = [part("train"), part("test")];
  if (validation === undefined) return { train, test };
  const { count, seed = limit.seed ?? 0 } =
    typeof validation === "number" ? { count: validation } : validation;
  return { ...train.hold(count, new Random(seed).split("validation")), test };
}
