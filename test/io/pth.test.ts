import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { KatlabError } from "../../src/errors.js";
import { loadPth } from "../../src/io/pth.js";
import { Random } from "../../src/random.js";

const golden = (name: string): string => join(import.meta.dirname, "../golden/pth", `${name}.pth`);

let folder: string;
let before: number;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "katlab-pth-"));
  before = tf.memory().numTensors;
});
afterEach(async () => {
  expect(tf.memory().numTensors).toBe(before);
  await rm(folder, { recursive: true });
});

interface Content {
  dtype: string;
  shape: number[];
  values: number[];
}

/** Values and shapes of a file, its tensors disposed. */
async function read(path: string, entry?: string): Promise<Record<string, Content>> {
  const { tensors } = await loadPth(path, entry === undefined ? {} : { entry });
  const content = Object.entries(tensors).map(([name, tensor]): [string, Content] => {
    const { dtype, shape } = tensor;
    return [name, { dtype, shape, values: [...tensor.dataSync()] }];
  });
  tf.dispose(tensors);
  return Object.fromEntries(content);
}

/** As make.py counts: a half more at each place, from one on. */
const counted = (size: number): number[] => Array.from({ length: size }, (_, i) => i / 2 + 1);
const whole = counted(24);

describe.each(["types", "legacy"])("%s.pth", (name) => {
  test("has every type, and views of shared storages", async () => {
    const content = await read(golden(name));
    for (const float of ["float32", "float64", "float16", "bfloat16"]) {
      expect(content[float]).toEqual({ dtype: "float32", shape: [2, 3], values: counted(6) });
    }
    for (const integer of ["int64", "int32", "int16", "int8", "uint8"]) {
      expect(content[integer]).toEqual({ dtype: "int32", shape: [2, 3], values: counted(6).map(Math.floor) });
    }
    expect(content.bool).toEqual({ dtype: "bool", shape: [3], values: [1, 0, 1] });
    expect(content.scalar).toEqual({ dtype: "float32", shape: [], values: [2.5] });
    expect(content.empty).toEqual({ dtype: "float32", shape: [0, 3], values: [] });
    expect(content.parameter.values).toEqual(counted(3));
    expect(content.whole).toEqual({ dtype: "float32", shape: [4, 6], values: whole });
    expect(content.rows).toEqual({ dtype: "float32", shape: [2, 6], values: whole.slice(6, 18) });
    expect(content.columns).toEqual({
      dtype: "float32",
      shape: [4, 3],
      values: whole.filter((_, i) => i % 2 === 0),
    });
    const transposed = Array.from({ length: 24 }, (_, i) => whole[(i % 4) * 6 + Math.floor(i / 4)]);
    expect(content.transposed).toEqual({ dtype: "float32", shape: [6, 4], values: transposed });
    const middle = [1, 2, 3, 4].flatMap((column) => [1, 2].map((row) => whole[row * 6 + column]));
    expect(content.middle).toEqual({ dtype: "float32", shape: [4, 2], values: middle });
    expect(Object.keys(content)).toHaveLength(18);
  });
});

describe("which tensors are meant", () => {
  test("the dictionary itself, or the only one in it, without module.", async () => {
    expect(Object.keys(await read(golden("module")))).toEqual(["weight", "bias"]);
    expect(await read(golden("entry"))).toEqual({
      w: { dtype: "float32", shape: [2], values: counted(2) },
      b: { dtype: "float32", shape: [1], values: counted(1) },
    });
    expect((await read(golden("good-forged"))).w.values).toEqual(counted(6).slice(1, 5));
  });

  test("of several the one that is named", async () => {
    expect((await read(golden("entries"), "state_dict_ema")).w.values).toEqual([3, 4.5]);
    await expect(loadPth(golden("entries"))).rejects.toThrow(
      /must hold one dictionary of tensors; got state_dict, state_dict_ema\. Name one of them by entry\.$/,
    );
    await expect(loadPth(golden("entries"), { entry: "model" })).rejects.toThrow(
      "model must be a dictionary of tensors; got state_dict, state_dict_ema.",
    );
  });
});

describe("is refused by name, and nothing of it runs:", () => {
  test.each([
    [
      "evil-system",
      /must hold tensors and plain values only; got (posix|nt)\.system\. Save the state_dict alone/,
    ],
    ["evil-eval", /got __builtin__\.eval\./],
    ["evil-nested", /got __builtin__\.getattr\./],
    ["evil-ordered", /got a filled OrderedDict\./],
    ["model", /got torch\.nn\.modules\.linear\.Linear\./],
    ["evil-offset", /got a tensor of 4 elements, from 3 to 6, in a storage of 6\./],
    ["evil-stride", /from 0 to 1000001, in a storage of 6\./],
    ["evil-negative", /got a tensor without storage, offset, sizes and strides/],
    ["evil-size", /got a tensor of 10000000000 elements/],
    ["expanded", /got a tensor of 1000 elements, from 0 to 0, in a storage of 1\./],
    ["evil-storage", /storage 0 must have 8000000000 bytes; got 24\./],
    ["big-endian", /numbers must be little-endian; got big\./],
    ["not-a-pickle", /must be a pickle; got/],
    ["cut-pickle", /must be a pickle; got/],
    ["no-tensor", /must hold a dictionary of tensors; got number\./],
    ["numbers", /must hold a dictionary of tensors; got epoch, metrics\. Save the state_dict in Python/],
    ["script", /must hold tensors; got a program \(TorchScript\)\./],
  ])("%s", async (name, message) => {
    const fault = await loadPth(golden(name)).catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(KatlabError);
    expect((fault as KatlabError).message).toMatch(message);
    expect(existsSync("harmed")).toBe(false);
  });

  test("a state that would change a prototype changes none", async () => {
    await expect(loadPth(golden("evil-build"))).rejects.toBeInstanceOf(KatlabError);
    expect(({} as { call?: unknown }).call).toBeUndefined();
    expect(typeof Function.prototype.call).toBe("function");
    expect(new Map().size).toBe(0);
  });

  test("another kind of file, an empty one, and one that is not there", async () => {
    const path = join(folder, "text.pth");
    await writeFile(path, "hello");
    await expect(loadPth(path)).rejects.toThrow(
      "must be a file that torch.save wrote; got another kind of file.",
    );
    await writeFile(path, "");
    await expect(loadPth(path)).rejects.toThrow("another kind of file");
    await expect(loadPth(join(folder, "none.pth"))).rejects.toMatchObject({ code: "unavailable" });
  });
});

test.each(["types", "legacy"])(
  "1,000 damaged copies of %s.pth are refused, or hold what they then say",
  async (name) => {
    const random = new Random(3);
    const good = await readFile(golden(name));
    const truth = JSON.stringify(await read(golden(name)));
    const outcome = { refused: 0, same: 0, other: 0 };
    for (let i = 0; i < 1000; i++) {
      const bytes = Uint8Array.from(
        good.subarray(0, random.integer(4) === 0 ? random.integer(good.length) : good.length),
      );
      for (let n = random.integer(3); n >= 0 && bytes.length > 0; n--) {
        bytes[random.integer(bytes.length)] ^= 1 + random.integer(255);
      }
      const path = join(folder, "damaged.pth");
      await writeFile(path, bytes);
      const content = await read(path).catch((fault: unknown) => {
        expect(fault).toBeInstanceOf(KatlabError);
        return undefined;
      });
      if (content === undefined) outcome.refused++;
      else if (JSON.stringify(content) === truth) outcome.same++;
      else outcome.other++;
    }
    expect(outcome.refused).toBeGreaterThan(300);
    // The old layout has no checksum: a changed number is a changed number.
    if (name === "types") expect(outcome.other).toBe(0);
    else expect(outcome.other).toBeGreaterThan(0);
  },
);
