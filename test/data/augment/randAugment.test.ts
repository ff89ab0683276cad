import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type DrawnOperation, drawOperation } from "../../../src/data/augment/operations.js";
import { drawOperations, randAugment } from "../../../src/data/augment/randAugment.js";
import { linear, turningCubic } from "../../../src/data/augment/interpolation.js";
import { noAugmentation } from "../../../src/data/augment/settings.js";
import { useEngine } from "../../../src/engine.js";
import { Random } from "../../../src/random.js";
import { onEveryEngine } from "../../presentEngines.js";
import { golden, pictures } from "./golden.js";

type GoldenOperation = (typeof golden.operations)[number];

/** The operation that timm was made to draw. */
function drawnAs({ place, image, magnitude, sign, cubic }: GoldenOperation): DrawnOperation {
  const [height, width] = golden.images[image].shape;
  const random = { integer: () => place, uniform: () => (sign === 1 ? 0.25 : 0.75) };
  return drawOperation(magnitude, { height, width, interpolation: cubic ? turningCubic : linear }, random);
}

/** Levels of some pictures after one layer. */
function changed(images: readonly number[], drawn: readonly DrawnOperation[]): Int32Array {
  return tf.tidy(() => {
    return Int32Array.from(randAugment(pictures(images), [drawn], golden.fill).dataSync());
  });
}

onEveryEngine("randAugment", ({ options }) => {
  let before: number;
  beforeEach(async () => {
    await useEngine(options);
    before = tf.memory().numTensors;
  });
  afterEach(() => {
    expect(tf.memory().numTensors).toBe(before);
  });

  /** By more than a level nowhere, and by one for at most one value in fifty: Pillow's rounding of tables and of places. */
  function expectSame(levels: Int32Array, expected: readonly number[], name: string): void {
    const errors = expected.map((level, i) => Math.abs(level - levels[i]));
    expect(Math.max(...errors), name).toBeLessThanOrEqual(1);
    expect(errors.filter((error) => error > 0).length, name).toBeLessThanOrEqual(expected.length / 50);
  }

  test("each operation is timm's on Pillow, at several magnitudes of either sign", () => {
    expect(new Set(golden.operations.map(({ name }) => name)).size).toBe(15);
    for (const operation of golden.operations) {
      const levels = changed([operation.image], [drawnAs(operation)]);
      expectSame(levels, operation.values, `${operation.name} ${operation.sign * operation.magnitude}`);
    }
  });

  test("each operation changes its pictures", () => {
    for (const operation of golden.operations) {
      const own = golden.images[operation.image].levels;
      expect(
        operation.values.some((level, i) => level !== own[i]),
        operation.name,
      ).toBe(true);
    }
  });

  test("a batch with all of them at once is each of them", () => {
    const together = golden.operations.filter(({ image }) => image === 0);
    const levels = changed(
      together.map(({ image }) => image),
      together.map(drawnAs),
    );
    const size = golden.images[0].levels.length;
    together.forEach((operation, i) => {
      expectSame(levels.subarray(i * size, (i + 1) * size), operation.values, operation.name);
    });
  });

  test("images without an operation stay as they are, to a level", () => {
    tf.tidy(() => {
      const layer = [undefined, { kind: "table", levelOf: (level: number) => 255 - level } as const];
      const levels = randAugment(pictures([0, 1]), [layer, layer], golden.fill).dataSync();
      expect(Array.from(levels)).toEqual(golden.images.slice(0, 2).flatMap((picture) => picture.levels));
      const between = randAugment(tf.add(pictures([0]), 0.4), [[undefined]], golden.fill).dataSync();
      expect(Array.from(between)).toEqual(golden.images[0].levels);
    });
  });

  test("no bits are left at magnitude 10, and one level stretches to nothing", () => {
    const random = { integer: () => 4, uniform: () => 0 };
    const posterize = drawOperation(10, { height: 8, width: 9, interpolation: linear }, random);
    expect(new Set(changed([0], [posterize]))).toEqual(new Set([0]));
    tf.tidy(() => {
      const flat = tf.fill<tf.Rank.R4>([1, 20, 20, 3], 51);
      for (const kind of ["AutoContrast", "Equalize"] as const) {
        const same = randAugment(flat, [[{ kind, factor: 0 }]], golden.fill);
        expect(new Set(same.dataSync())).toEqual(new Set([51]));
      }
    });
  });

  test("grey images, and images too small to be smoothed", () => {
    tf.tidy(() => {
      const images = tf.slice(pictures([0]), [0, 0, 0, 0], [1, 2, 2, 1]);
      for (let place = 0; place < 15; place++) {
        const random = { integer: () => place, uniform: () => 0.25 };
        const drawn = drawOperation(5, { height: 2, width: 2, interpolation: turningCubic }, random);
        const values = randAugment(images, [[drawn]], [128]).dataSync();
        expect(values.every((value) => value >= 0 && value <= 255 && Number.isInteger(value))).toBe(true);
      }
    });
  });
});

describe("drawOperations", () => {
  const settings = { ...noAugmentation, randAugment: 9, randAugmentStd: 0.5 };

  test("draws as often, and each of fifteen operations as often, as timm", () => {
    const [first, second] = drawOperations([6000, 8, 8], settings, new Random(1));
    const drawn = [...first, ...second].filter((operation) => operation !== undefined);
    expect(Math.abs(drawn.length - 6000)).toBeLessThan(5 * Math.sqrt(3000));
    const counts = new Map<string, number>();
    for (const { kind } of drawn) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    expect(counts.size).toBe(7);
    for (const [kind, count] of counts) {
      const expected = (drawn.length * (kind === "move" || kind === "table" ? 5 : 1)) / 15;
      expect(Math.abs(count - expected), kind).toBeLessThan(5 * Math.sqrt(expected));
    }
  });

  test("magnitudes are normal around the setting, and cut off at 0 and 10", () => {
    const raised = (changes: object): number[] =>
      drawOperations([20_000, 8, 8], { ...settings, randAugmentProbability: 1, ...changes }, new Random(2))
        .flat()
        .flatMap((operation) => (operation?.kind === "Color" ? [Math.abs(operation.factor - 1) / 0.9] : []));
    const nine = raised({}).map((share) => 10 * share);
    const mean = nine.reduce((sum, value) => sum + value, 0) / nine.length;
    expect(Math.abs(mean - 9)).toBeLessThan(0.05);
    expect(Math.max(...nine)).toBeCloseTo(10, 9);
    expect(new Set(raised({ randAugment: 15, randAugmentStd: 0 }).map((share) => share.toFixed(9)))).toEqual(
      new Set(["1.000000000"]),
    );
  });

  test("as many layers as asked for, and none of probability 0", () => {
    const layers = drawOperations(
      [4, 8, 8],
      { ...settings, randAugmentLayers: 3, randAugmentProbability: 0 },
      new Random(1),
    );
    expect(layers).toEqual(Array.from({ length: 3 }, () => new Array<undefined>(4).fill(undefined)));
  });
});
