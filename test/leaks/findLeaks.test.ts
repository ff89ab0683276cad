import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { valueAndGrads } from "../../src/autodiff/valueAndGrads.js";
import { useEngine } from "../../src/engine.js";
import { findLeaks } from "../../src/leaks/findLeaks.js";
import type { LeakReport } from "../../src/leaks/leakReport.js";
import { collectGarbage } from "../torch/collectGarbage.js";
import { onEveryEngine } from "../presentEngines.js";

const thisFile = "findLeaks.test.ts";
const summary = ({ leaks }: LeakReport<unknown>): unknown[] =>
  leaks.map(({ op, shape, dtype, count, bytes }) => [op, [...shape], dtype, count, bytes]);

/** Methods that the engine has beside those of its class. */
const ownMethods = (): unknown[] =>
  Object.values(tf.engine()).filter((property) => typeof property === "function");

/** Disposes what a test leaks on purpose, and checks that nothing else is left. */
function cleaned<T>(f: () => T): T {
  const before = tf.memory().numTensors;
  const { registeredVariables } = tf.engine().state;
  const names = Object.keys(registeredVariables);
  tf.engine().startScope();
  try {
    return f();
  } finally {
    tf.engine().endScope();
    for (const name in registeredVariables) if (!names.includes(name)) registeredVariables[name].dispose();
    expect(tf.memory().numTensors).toBe(before);
  }
}

onEveryEngine("findLeaks", ({ options }) => {
  beforeAll(async () => {
    await useEngine(options);
  });

  test("reports by operation, shape and line, the most bytes first", () =>
    cleaned(() => {
      const a = tf.ones([2, 3]);
      const report = findLeaks(() => {
        for (let i = 0; i < 3; i++) tf.add(a, i).square();
        tf.tensor1d([1, 2, 3, 4, 5, 6, 7], "int32");
      });
      expect(summary(report)).toEqual([
        ["Add", [2, 3], "float32", 3, 72],
        ["Square", [2, 3], "float32", 3, 72],
        ["tensor1d", [7], "int32", 1, 28],
      ]);
      expect([report.count, report.bytes]).toEqual([7, 172]);
      const lines = report.leaks.map(({ line }) => /(\w+\.test\.ts):(\d+):\d+$/.exec(line ?? ""));
      expect(lines.map((match) => match?.[1])).toEqual([thisFile, thisFile, thisFile]);
      expect(Number(lines[2]?.[2]) - Number(lines[0]?.[2])).toBe(1);
      expect(report.leaks[0].stack).toContain(thisFile);
    }));

  test("what is disposed, tidied or returned is no leak", () =>
    cleaned(() => {
      const report = findLeaks(() => {
        tf.ones([2]).dispose();
        tf.tidy(() => tf.add(1, 2)).dispose();
        return { sum: tf.tidy(() => tf.add(1, 2)), list: [tf.scalar(3)] };
      });
      expect(report.leaks).toEqual([]);
      expect(report.value.sum.dataSync()[0]).toBe(3);
      expect(String(report)).toBe("no tensor outlived the function");
    }));

  test("clones and kept tensors are reported, and only what is new of older ones", () =>
    cleaned(() => {
      const old = tf.ones([4]);
      let kept = old;
      const report = findLeaks(() => {
        tf.tidy(() => void (kept = tf.keep(tf.exp(old))));
        old.clone();
      });
      expect(summary(report)).toEqual([
        ["Exp", [4], "float32", 1, 16],
        ["Identity", [4], "float32", 1, 16],
      ]);
      kept.dispose();
    }));

  test("a variable is reported by who makes it, not by who assigns to it", () =>
    cleaned(() => {
      const old = tf.variable(tf.zeros([2]));
      const report = findLeaks(() => {
        old.assign(tf.ones([2]));
        tf.tidy(() => tf.variable(tf.ones([3])));
      });
      expect(summary(report)).toEqual([
        ["variable", [3], "float32", 1, 12],
        ["ones", [2], "float32", 1, 8],
      ]);
    }));

  test("gradients that nobody disposes are reported", () =>
    cleaned(() => {
      const x = tf.variable(tf.tensor1d([1, 2]));
      const report = findLeaks(() => {
        valueAndGrads(() => tf.sum(tf.square(x)), [x]);
      });
      expect(report.count).toBe(2);
      for (const { line } of report.leaks) expect(line).toContain(thisFile);
    }));

  test("what f throws is thrown, and tfjs is left as it was", () =>
    cleaned(() => {
      expect(() =>
        findLeaks(() => {
          throw new RangeError("mine");
        }),
      ).toThrow(new RangeError("mine"));
      findLeaks(() => findLeaks(() => tf.ones([1])));
      expect(ownMethods()).toEqual([]);
    }));

  test("an async function is watched to its end, beside another", async () => {
    const before = tf.memory().numTensors;
    const made: tf.Tensor[] = [];
    const slow = findLeaks(async () => {
      made.push(tf.ones([2]));
      await tf.nextFrame();
      made.push(tf.ones([3]));
      return 5;
    });
    const failing = findLeaks(async () => {
      await Promise.resolve();
      throw new RangeError("mine");
    });
    await expect(failing).rejects.toThrow(new RangeError("mine"));
    const report = await slow;
    expect(report.value).toBe(5);
    expect(summary(report)).toEqual([
      ["ones", [3], "float32", 1, 12],
      ["ones", [2], "float32", 1, 8],
    ]);
    expect(report.leaks.every(({ line }) => line?.includes(thisFile))).toBe(true);
    expect(ownMethods()).toEqual([]);
    tf.dispose(made);
    expect(tf.memory().numTensors).toBe(before);
  });

  test("boolean and string tensors have the bytes tfjs counts", () =>
    cleaned(() => {
      const report = findLeaks(() => {
        tf.tensor1d([true, false, true], "bool");
        tf.tensor1d(["a", "bc"]);
      });
      expect(summary(report)).toEqual([
        ["tensor1d", [3], "bool", 1, 3],
        ["tensor1d", [2], "string", 1, 0],
      ]);
    }));
});

describe("a leak report", () => {
  test("counts tensors that were collected undisposed", async () => {
    await useEngine({ engine: "torch", device: "cpu" });
    let collected = false;
    const registry = new FinalizationRegistry(() => {
      collected = true;
    });
    const report = await findLeaks(async () => {
      (() => registry.register(tf.ones([2]), undefined))();
      await collectGarbage(() => collected);
    });
    expect(collected).toBe(true);
    expect(summary(report)).toEqual([["ones", [2], "float32", 1, 8]]);
  });

  test("prints and displays itself", async () => {
    await useEngine({ engine: "cpu" });
    const report = cleaned(() => findLeaks(() => void tf.ones([2, 3])));
    expect(String(report)).toMatch(
      /^1 tensor outlived the function, 24 bytes:\n {2}1 × ones float32\[2, 3\], 24 bytes at .+:\d+:\d+$/,
    );
    const displayed = report as unknown as Record<symbol, () => object>;
    expect(displayed[Symbol.for("Jupyter.display")]()).toEqual({ data: { "text/plain": String(report) } });
    expect(structuredClone(report.leaks)).toEqual(report.leaks);
  });
});
