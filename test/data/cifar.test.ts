import fc from "fast-check";
import { expect, test } from "vitest";
import { readCifar } from "../../src/data/cifar.js";
import { KatlabError } from "../../src/errors.js";
import { Random } from "../../src/random.js";

const cifar10 = { labelBytes: 1, label: 0, classes: 10 };
const cifar100 = { labelBytes: 2, label: 1, classes: 100 };

/** A file of records, pixels by a rule of image, channel, row and column. */
function cifarFile(
  labels: readonly (readonly number[])[],
  pixel: (...place: number[]) => number,
): Uint8Array {
  const bytes = labels.flatMap((own, image) => [
    ...own,
    ...Array.from({ length: 3072 }, (_, i) =>
      pixel(image, Math.floor(i / 1024), Math.floor(i / 32) % 32, i % 32),
    ),
  ]);
  return Uint8Array.from(bytes);
}

test("planes become channels, files follow each other", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.nat(9), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 }),
      fc.nat(255),
      (files, base) => {
        const pixel = (...[image, channel, y, x]: number[]): number =>
          (base + 7 * image + 50 * channel + 5 * y + x) % 256;
        const bytes = files.map((labels) =>
          cifarFile(
            labels.map((label) => [label]),
            pixel,
          ),
        );
        const { images, labels, shape } = readCifar("set", bytes, cifar10);
        expect(shape).toEqual([32, 32, 3]);
        expect([...labels]).toEqual(files.flat());
        let at = 0;
        for (const { length } of files) {
          for (let image = 0; image < length; image++) {
            for (const [y, x] of [
              [0, 0],
              [31, 31],
              [3, 17],
            ]) {
              for (let c = 0; c < 3; c++) {
                expect(images[(((at + image) * 32 + y) * 32 + x) * 3 + c]).toBe(pixel(image, c, y, x));
              }
            }
          }
          at += length;
        }
      },
    ),
    { numRuns: 30 },
  );
});

test("CIFAR-100 has its label second", () => {
  const { labels } = readCifar(
    "set",
    [
      cifarFile(
        [
          [19, 99],
          [3, 0],
        ],
        () => 0,
      ),
    ],
    cifar100,
  );
  expect([...labels]).toEqual([99, 0]);
});

test("files that are none are refused by name", () => {
  const good = cifarFile([[1], [2]], () => 0);
  expect(() => readCifar("cifar10 train", [good, good.subarray(1)], cifar10)).toThrow(
    "cifar10 train, file 2: must be one or more records of 3073 bytes; got 6145 bytes. Fetch the file again",
  );
  expect(() => readCifar("set", [new Uint8Array(0)], cifar10)).toThrow("got 0 bytes");
  expect(() => readCifar("set", [cifarFile([[1], [10]], () => 0)], cifar10)).toThrow(
    "set: labels must be below 10; got 10 at index 1.",
  );
});

test("1,000 damaged files are refused, or read as what they then say", () => {
  const random = new Random(2);
  const whole = cifarFile(
    [[0], [3], [9]],
    (...place) => (place[0] * 31 + place[1] + place[2] * place[3]) % 256,
  );
  let refused = 0;
  for (let i = 0; i < 1000; i++) {
    let bytes = whole.slice(0, random.integer(3) === 0 ? random.integer(whole.length + 1) : whole.length);
    if (random.integer(4) === 0)
      bytes = Uint8Array.from([...bytes, ...bytes.subarray(0, 1 + random.integer(3073))]);
    const places = [random.integer(whole.length), 3073 * random.integer(3)];
    for (const at of places) if (at < bytes.length) bytes[at] = random.integer(256);
    try {
      const { images, labels } = readCifar("set", [bytes], cifar10);
      expect(images.length + labels.length).toBe(bytes.length);
      expect([...labels]).toEqual([...labels.keys()].map((n) => bytes[n * 3073]));
      expect(images[3 * 5 + 2]).toBe(bytes[1 + 2048 + 5]);
    } catch (fault) {
      expect(fault).toBeInstanceOf(KatlabError);
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(500);
  expect(refused).toBeLessThan(1000);
});
