import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { someAtATime } from "../../src/data/someAtATime.js";

describe("someAtATime", () => {
  test("does everything once, so many at a time", async () => {
    const done: number[] = [];
    let running = 0;
    let most = 0;
    await someAtATime(20, 3, async (i) => {
      most = Math.max(most, ++running);
      await setImmediate();
      running--;
      done.push(i);
    });
    expect([most, done.sort((a, b) => a - b)]).toEqual([3, Array.from({ length: 20 }, (_, i) => i)]);
    await someAtATime(0, 3, () => Promise.reject(new Error("never")));
  });

  test("after a fault nothing begins, and nothing still runs", async () => {
    let running = 0;
    let begun = 0;
    const work = async (i: number): Promise<void> => {
      begun++;
      running++;
      for (let turn = 0; turn <= i; turn++) await setImmediate();
      running--;
      if (i === 1) throw new Error("one");
    };
    await expect(someAtATime(1000, 4, work)).rejects.toThrow("one");
    expect(running).toBe(0);
    expect(begun).toBeLessThan(8);
  });

  test("stops by a signal with its reason", async () => {
    const controller = new AbortController();
    const work = (i: number): Promise<void> => {
      if (i === 5) controller.abort(new Error("stopped"));
      return Promise.resolve();
    };
    await expect(someAtATime(100, 2, work, controller.signal)).rejects.toThrow("stopped");
  });
});
