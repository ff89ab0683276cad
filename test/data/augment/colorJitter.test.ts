import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { colorJitter, drawColors } from "../../../src/data/augment/colorJitter.js";
import { useEngine } from "../../../src/engine.js";
import { Random } from "../../../src/random.js";
import { onEveryEngine } from "../../presentEngines.js";
import { golden, largestError, pictures } from "./golden.js";

/** Hues are computed in sixths of a turn, up to 6, of differences that lose half their digits: 16 roundings of numbers up to 6. */
const tolerance = 16 * 6 * 2 ** -24;

onEveryEngine("colorJitter", ({ options }) => {
  let before: number;
  beforeEach(async () => {
    await useEngine(options);
    before = tf.memory().numTensors;
  });
  afterEach(() => {
    expect(tf.memory().numTensors).toBe(before);
  });

  test("is torchvision's, each change alone and in orders", () => {
    tf.tidy(() => {
      for (const { image, changes, values } of golden.colors) {
        const changed = colorJitter(pictures([image]), [changes]);
        expect(largestError(changed, values)).toBeLessThan(tolerance);
      }
    });
  });

  test("each image of a batch has its own order", () => {
    tf.tidy(() => {
      const orders = golden.colors.filter(({ changes }) => changes.length === 4);
      expect(orders.length).toBeGreaterThan(2);
      const images = pictures(orders.map(({ image }) => image));
      const changed = colorJitter(
        images,
        orders.map(({ changes }) => changes),
      );
      expect(
        largestError(
          changed,
          orders.flatMap(({ values }) => values),
        ),
      ).toBeLessThan(tolerance);
    });
  });

  test("leaves the hue and saturation of grey images", () => {
    tf.tidy(() => {
      const grey = tf.slice(pictures([0]), [0, 0, 0, 0], [-1, -1, -1, 1]);
      const hue = colorJitter(grey, [[{ change: "hue", amount: 0.3 }]]);
      expect(hue.dataSync()).toEqual(grey.dataSync());
      const saturated = colorJitter(grey, [[{ change: "saturation", amount: 0.5 }]]);
      expect(
        largestError(
          saturated,
          Array.from(grey.dataSync(), (level) => level / 255),
        ),
      ).toBeLessThan(tolerance);
    });
  });
});

describe("drawColors", () => {
  test("draws in the ranges of torchvision, in every order, and only what is asked for", () => {
    const drawn = drawColors(3000, { brightness: 0.4, contrast: 2, saturation: 0, hue: 0.1 }, new Random(1));
    const ranges = {
      brightness: [0.6, 1.4],
      contrast: [0, 3],
      saturation: [1, 1],
      hue: [-0.1, 0.1],
    } as const;
    const orders = new Map<string, number>();
    for (const changes of drawn) {
      const order = changes.map(({ change }) => change).join();
      orders.set(order, (orders.get(order) ?? 0) + 1);
    }
    expect(orders.size).toBe(6);
    for (const count of orders.values()) {
      expect(Math.abs(count - 500)).toBeLessThan(5 * Math.sqrt(500));
    }
    for (const [change, [low, high]] of Object.entries(ranges)) {
      const amounts = drawn
        .flat()
        .filter((own) => own.change === change)
        .map(({ amount }) => amount);
      expect(amounts).toHaveLength(change === "saturation" ? 0 : 3000);
      if (amounts.length === 0) continue;
      expect(Math.min(...amounts)).toBeGreaterThanOrEqual(low);
      expect(Math.max(...amounts)).toBeLessThanOrEqual(high);
      // Mean and spread of an even distribution, to five standard errors.
      const mean = amounts.reduce((sum, amount) => sum + amount, 0) / 3000;
      expect(Math.abs(mean - (low + high) / 2)).toBeLessThan((5 * (high - low)) / Math.sqrt(12 * 3000));
      expect(Math.max(...amounts) - Math.min(...amounts)).toBeGreaterThan(0.99 * (high - low));
    }
  });
});
