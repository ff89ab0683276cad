import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  bytesAt,
  gatheredBytes,
  normalisationTable,
  normalisedImages,
} from "../../src/data/normalisedImages.js";
import { addonStatus } from "../../src/torch/backend.js";

const backends = addonStatus().available ? ["cpu", "torch"] : ["cpu"];

describe.each(backends)("normalisedImages on %s", (backend) => {
  let before = 0;
  beforeEach(async () => {
    await tf.setBackend(backend);
    before = tf.memory().numTensors;
  });
  afterEach(() => expect(tf.memory().numTensors).toBe(before));

  test("is (pixel / 255 − mean) / std in float64, rounded once, bit for bit", () => {
    const statistic = fc.double({ min: 0.01, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 4 })),
        fc.array(fc.tuple(statistic, statistic), { minLength: 1, maxLength: 3 }),
        fc.nat(255),
        ([batch, height, width], channels, first) => {
          const shape = [batch, height, width, channels.length] as const;
          const [mean, std] = [channels.map(([center]) => center), channels.map(([, spread]) => spread)];
          const pixels = Uint8Array.from(
            { length: batch * height * width * channels.length },
            (_, i) => first + 37 * i,
          );
          const images = normalisedImages(pixels, shape, normalisationTable(mean, std));
          expect([images.dtype, images.shape]).toEqual(["float32", [...shape]]);
          const expected = Float32Array.from(pixels, (pixel, i) => {
            const c = i % channels.length;
            return (pixel / 255 - mean[c]) / std[c];
          });
          expect(images.dataSync<"float32">()).toEqual(expected);
          images.dispose();
        },
      ),
      { numRuns: 50 },
    );
  });

  test("knows every pixel value of every channel", () => {
    const [mean, std] = [
      [0.485, 0.456, 0.406],
      [0.229, 0.224, 0.225],
    ];
    const pixels = Uint8Array.from({ length: 256 * 3 }, (_, i) => Math.floor(i / 3));
    const images = normalisedImages(pixels, [1, 16, 16, 3], normalisationTable(mean, std));
    const values = images.dataSync<"float32">();
    pixels.forEach((pixel, i) => {
      expect(values[i]).toBe(Math.fround((pixel / 255 - mean[i % 3]) / std[i % 3]));
    });
    images.dispose();
  });
});

test.skipIf(!addonStatus().available)("stays float32 where operators compute in bfloat16", async () => {
  const { useEngine } = await import("../../src/engine.js");
  const { autocast } = await import("../../src/autocast.js");
  await useEngine({ engine: "torch", device: "cpu", precision: "bfloat16" });
  const images = autocast(() =>
    normalisedImages(Uint8Array.of(100), [1, 1, 1, 1], normalisationTable([0.3], [0.7])),
  );
  expect(images.dataSync()[0]).toBe(Math.fround((100 / 255 - 0.3) / 0.7));
  images.dispose();
  await useEngine({ engine: "torch", device: "cpu", precision: "float32" });
});

test("bytesAt copies only what does not lie side by side", () => {
  const images = Uint8Array.from({ length: 12 }, (_, i) => i);
  for (const indices of [[1, 2], [2], [0, 1, 2], [2, 1], [0, 2], []]) {
    const bytes = bytesAt(images, [2, 2], indices);
    expect([...bytes]).toEqual([...gatheredBytes(images, [2, 2], indices)]);
    const isRun = indices.every((index, i) => index === indices[0] + i);
    expect(bytes.buffer === images.buffer).toBe(isRun);
  }
});

test("gatheredBytes copies images in the order asked for", () => {
  const images = Uint8Array.from({ length: 12 }, (_, i) => i);
  expect([...gatheredBytes(images, [2, 2], [2, 0, 2])]).toEqual([8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11]);
  expect(gatheredBytes(images, [2, 2], [])).toHaveLength(0);
});
