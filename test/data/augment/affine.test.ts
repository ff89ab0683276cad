import * as tf from "@tensorflow/tfjs-core";
import * as fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Affine, affine } from "../../../src/data/augment/affine.js";
import { type Interpolation, linear, turningCubic } from "../../../src/data/augment/interpolation.js";
import { changeSome, perImage } from "../../../src/data/augment/someImages.js";
import { useEngine } from "../../../src/engine.js";
import { onEveryEngine } from "../../presentEngines.js";

const side = 5;
const fill = 7;
/** Every level once, so that a pixel tells where it comes from. */
const levels = Array.from({ length: side * side }, (_, i) => 10 * i);

onEveryEngine("affine", ({ options }) => {
  let before: number;
  beforeEach(async () => {
    await useEngine(options);
    before = tf.memory().numTensors;
  });
  afterEach(() => {
    expect(tf.memory().numTensors).toBe(before);
  });

  /** One image, moved by each of some maps in one batch. */
  function moved(matrices: readonly Affine[], interpolation: Interpolation): number[][] {
    return tf.tidy(() => {
      const images = tf.tile(tf.tensor4d(levels, [1, side, side, 1]), [matrices.length, 1, 1, 1]);
      const values = affine(images, matrices, { interpolation, fill: [fill] });
      return tf.reshape<tf.Rank.R2>(values, [matrices.length, side * side]).arraySync();
    });
  }

  test("by whole pixels is a shift, with the fill outside, whatever the interpolation", () => {
    const shift = fc.integer({ min: -side, max: side });
    fc.assert(
      fc.property(fc.array(fc.tuple(shift, shift), { minLength: 1, maxLength: 4 }), (shifts) => {
        const matrices = shifts.map(([x, y]): Affine => [1, 0, x, 0, 1, y]);
        const expected = shifts.map(([dx, dy]) =>
          levels.map((_, i) => {
            const [x, y] = [(i % side) + dx, Math.floor(i / side) + dy];
            return x >= 0 && x < side && y >= 0 && y < side ? levels[y * side + x] : fill;
          }),
        );
        for (const interpolation of [linear, turningCubic]) {
          expect(moved(matrices, interpolation)).toEqual(expected);
        }
      }),
      { numRuns: 10 },
    );
  });

  test("of a quarter turn moves pixels to pixels", () => {
    // x ← y, y ← 5 − x: pixel centres exactly, so that both interpolations are of one pixel.
    const quarter: Affine = [0, 1, 0, -1, 0, side];
    const expected = levels.map((_, i) => levels[(side - 1 - (i % side)) * side + Math.floor(i / side)]);
    for (const interpolation of [linear, turningCubic]) {
      expect(moved([quarter], interpolation)).toEqual([expected]);
    }
  });

  test("changeSome changes its groups, each in its places, and nothing else", () => {
    tf.tidy(() => {
      const images = tf.tensor4d([0, 1, 2, 3, 4, 5], [6, 1, 1, 1]);
      const changed = changeSome(images, [
        { indices: [4, 1], apply: (some) => tf.mul(some, perImage([10, 100])) },
        { indices: [], apply: () => expect.unreachable() },
        { indices: [0], apply: (some) => tf.sub(some, 1) },
      ]);
      expect(Array.from(changed.dataSync())).toEqual([-1, 100, 2, 3, 40, 5]);
      expect(changeSome(images, []).dataSync()).toEqual(images.dataSync());
    });
  });
});
