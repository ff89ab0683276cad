/**
 * Kills a small run again and again at random moments, resumes it each time, and compares its final weights byte for byte
 * with those of a run that nothing interrupts: `npx tsx bench/kill.ts [runs] [kills of each] [seed] [engine]`.
 */
import type { EngineName } from "../src/engine.js";
import { Random } from "../src/random.js";
import { runKilled } from "../test/training/killedRun.js";

const [runs = 20, kills = 1, seed = 1] = process.argv.slice(2, 5).map(Number);
const engine = (process.argv[5] ?? "torch") as EngineName;
const random = new Random(seed);
const whole = await runKilled(engine, { kills: 0, random, withinMs: 0 });
const results: { kills: number; identical: boolean }[] = [];
for (let i = 0; i < runs; i++) {
  const killed = await runKilled(engine, { kills, random, withinMs: 2000 });
  const identical = killed.weights.equals(whole.weights);
  results.push({ kills: killed.kills, identical });
  console.log(`run ${i + 1}: killed ${killed.kills} times, ${identical ? "same bits" : "OTHER BITS"}`);
}
const identical = results.filter((result) => result.identical).length;
const total = results.reduce((sum, result) => sum + result.kills, 0);
console.log(`${runs} runs, ${total} kills, ${identical} identical resumes`);
if (identical < runs) process.exitCode = 1;
