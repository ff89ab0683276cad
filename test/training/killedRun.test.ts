import { expect, test } from "vitest";
import { Random } from "../../src/random.js";
import { addonStatus } from "../../src/torch/backend.js";
import { runKilled } from "./killedRun.js";

const engine = addonStatus().available ? "torch" : "wasm";
const random = new Random(Date.now());

test("a run killed three times ends with the bits of one that was not", { timeout: 180_000 }, async () => {
  const whole = await runKilled(engine, { kills: 0, random, withinMs: 0 });
  const killed = await runKilled(engine, { kills: 3, random, withinMs: 600 });
  expect(killed.kills).toBe(3);
  expect(killed.weights.equals(whole.weights)).toBe(true);
  // Nothing is logged twice, and nothing is missing.
  const timeless = (log: string): string => log.replace(/"seconds":[\d.e-]+/g, "");
  expect(timeless(killed.log)).toBe(timeless(whole.log));
});
