import type { Random } from "../random.js";
import { sizeOf } from "../shape.js";

/** Gives the first values of a parameter, row-major, from a random stream of its own. */
export type Initializer = (shape: readonly number[], random: Random) => Float32Array;

/** The same value everywhere. */
export function constant(value: number): Initializer {
  return (shape) => new Float32Array(sizeOf(shape)).fill(value);
}

/** The same row, `values`, along the last axis everywhere. */
export function rows(values: readonly number[]): Initializer {
  return (shape) => Float32Array.from({ length: sizeOf(shape) }, (_, i) => values[i % values.length]);
}

/** N(0, std²). */
export function normal(std: number): Initializer {
  return (shape, random) => Float32Array.from({ length: sizeOf(shape) }, () => std * random.normal());
}

/** Uniform in [−bound, bound). */
export function uniform(bound: number): Initializer {
  return (shape, random) =>
    Float32Array.from({ length: sizeOf(shape) }, () => bound * (2 * random.uniform() - 1));
}
