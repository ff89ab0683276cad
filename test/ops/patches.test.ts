import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { useEngine } from "../../src/engine.js";
import { patches } from "../../src/ops/patches.js";
import { testOperator } from "./operatorSuite.js";

for (const size of [1, 2, [2, 1], [1, 2]] as const) {
  const [high, wide] = typeof size === "number" ? [size, size] : size;
  testOperator({
    name: `patches of ${high} × ${wide}`,
    cases: [[[2, 4, 6, 3]], [[1, 2, 2, 1]], [[3, 2, 4, 2]]],
    empty: [[0, 4, 6, 3]],
    run: (images) => patches(images as tf.Tensor4D, size),
    reference: ({ values, shape: [batch, height, width, channels] }) => {
      const result: number[] = [];
      for (let image = 0; image < batch; image++)
        for (let top = 0; top < height; top += high)
          for (let left = 0; left < width; left += wide)
            for (let channel = 0; channel < channels; channel++)
              for (let y = top; y < top + high; y++)
                for (let x = left; x < left + wide; x++)
                  result.push(values[((image * height + y) * width + x) * channels + channel]);
      return result;
    },
  });
}

test("checks sizes", async () => {
  await useEngine({ engine: "cpu" });
  const images = tf.zeros<tf.Rank.R4>([1, 6, 4, 3]);
  expect(() => patches(images, 4)).toThrow(
    "patches: height (6) must be a multiple of patchSize (4); got remainder 2. Choose patchSize that divides height.",
  );
  expect(() => patches(images, [2, 3])).toThrow("width (4) must be a multiple of patchSize (3)");
  expect(() => patches(images, 3)).toThrow("width (4) must be a multiple of patchSize (3)");
  expect(() => patches(images, 0)).toThrow(
    "patchSize must be a whole number ≥ 1, or a pair [height, width] of them; got 0",
  );
  expect(() => patches(tf.zeros<tf.Rank>([6, 4, 3]) as tf.Tensor4D, 2)).toThrow(
    "shape must be [batch, height, width, channels]",
  );
});
