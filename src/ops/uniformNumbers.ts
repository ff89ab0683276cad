import * as tf from "@tensorflow/tfjs-core";
import { mustBe } from "../errors.js";
import type { Random } from "../random.js";

/** Where operators that act at random draw from: the host, or numbers that were drawn ahead. */
export type RandomSource = Pick<Random, "uniform"> | UniformNumbers;

/**
 * Uniform numbers in [0, 1), drawn ahead and taken in order: as an input of a compiled step they change from call to call,
 * whereas numbers drawn inside it would be those of its capture for ever.
 */
export class UniformNumbers {
  readonly #numbers: tf.Tensor1D;
  #taken = 0;

  /** @param numbers `[count]` float32; stays the caller's */
  constructor(numbers: tf.Tensor1D) {
    this.#numbers = numbers;
  }

  /**
   * The next `count` numbers.
   *
   * @throws KatlabError `invalid` when fewer are left
   */
  take(count: number): tf.Tensor1D {
    const [drawn] = this.#numbers.shape;
    if (this.#taken + count > drawn) {
      throw mustBe({
        subject: "UniformNumbers",
        must: `${count} more numbers must have been drawn`,
        got: String(drawn - this.#taken),
        remedy: "Draw as many as one step takes: one per sample for every layer that drops paths.",
      });
    }
    this.#taken += count;
    return tf.slice(this.#numbers, this.#taken - count, count);
  }
}

/** The next `count` numbers of a source, as a tensor `[count]`. */
export function takeUniform(source: RandomSource, count: number): tf.Tensor1D {
  if (source instanceof UniformNumbers) return source.take(count);
  return tf.tensor1d(
    Float32Array.from({ length: count }, () => source.uniform()),
    "float32",
  );
}
