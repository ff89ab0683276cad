import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { useEngine } from "../../src/engine.js";
import { loadAddon } from "../../src/torch/addon.js";
import type { WorkerAnswer, WorkerTask } from "./workerProgram.js";

const addon = loadAddon();
const program = new URL("./workerProgram.ts", import.meta.url).href;
// A worker does not take TypeScript as its first module.
const loader = `import("tsx/esm/api").then(({ register }) => register() && import(${JSON.stringify(program)}));`;

/** Runs the program in a thread of its own, to its clean end. */
function inWorker(task: WorkerTask): Promise<WorkerAnswer> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(loader, { eval: true, workerData: task });
    let answer: WorkerAnswer;
    worker.on("message", (message: WorkerAnswer) => (answer = message));
    worker.on("error", reject);
    worker.on("exit", (code) => (code === 0 ? resolve(answer) : reject(new Error(`exit code ${code}`))));
  });
}

test("several workers train at once, each with handles of its own", async () => {
  await useEngine({ engine: "torch", device: "cpu", threads: 1 });
  const mine = tf.tensor1d([1, 2, 3]);
  const live = addon.live();
  const foreignHandle = addon.from(Float32Array.of(5), [1], 6, "cpu");
  const allocated = addon.memory("cpu").allocated;
  const answers = await Promise.all(
    [1, 2, 3].map((seed) => inWorker({ seed, threads: seed === 3 ? 2 : 1, foreignHandle })),
  );
  for (const { liveAtStart, liveAtEnd, losses, foreign, error, outOfMemory } of answers) {
    expect([liveAtStart, liveAtEnd]).toEqual([0, 1]);
    expect(losses).toHaveLength(30);
    expect(losses.at(-1)).toBeLessThan(losses[0] / 5);
    expect(foreign).toContain("argument `handle` must be a live tensor handle");
    expect(error).toContain("matMul");
    expect(outOfMemory).toContain("torch: 1.00 PiB more must be free on the CPU");
  }
  expect(answers.map(({ threads }) => threads)).toEqual([1, 1, 2]);
  expect(answers[0].losses).not.toEqual(answers[1].losses);
  // Neither this thread's tensors nor its settings have changed, and the tensors the workers left are gone.
  expect([...mine.dataSync()]).toEqual([1, 2, 3]);
  expect(addon.threads()).toBe(1);
  expect(addon.memory("cpu").allocated).toBe(allocated);
  addon.free(foreignHandle);
  expect(addon.live()).toBe(live);
  mine.dispose();
}, 60_000);

test("a worker's results depend on its seed alone", async () => {
  const task = { seed: 7, threads: 1, foreignHandle: 1 };
  const [a, b] = await Promise.all([inWorker(task), inWorker(task)]);
  expect(a.losses).toEqual(b.losses);
}, 60_000);

test("a process whose workers alone use torch ends well, one after another and when they are stopped", () => {
  const path = fileURLToPath(new URL("../../native/build/bridge.node", import.meta.url));
  const work = `
    const addon = require(${JSON.stringify(path)});
    const x = addon.from(new Float32Array(1e6).fill(2), [1000, 1000], 6, "cpu");
    addon.call(addon.op("aten::mm"), x, x);`;
  const script = `
    const { Worker } = require("node:worker_threads");
    const run = (program, stop) => new Promise((resolve, reject) => {
      const worker = new Worker(program, { eval: true });
      worker.on("error", reject).on("exit", resolve);
      if (stop) worker.on("message", () => worker.terminate());
    });
    (async () => {
      await run(${JSON.stringify(work)});
      await run(${JSON.stringify(work)});
      await run(${JSON.stringify(`${work} require("node:worker_threads").parentPort.postMessage(1); for (;;) addon.free(addon.call(addon.op("aten::mm"), x, x));`)}, true);
      console.log("done");
    })();`;
  expect(execFileSync(process.execPath, ["-e", script], { encoding: "utf8", stdio: "pipe" })).toBe("done\n");
}, 60_000);
