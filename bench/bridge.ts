/**
 * Host time of one small operation: a bare bridge call, and `tf.add` + dispose on the torch backend beside the same on
 * tfjs's cpu backend, in turns within one run. Tensors are 2×2, so hardly anything is computed.
 *
 * `npx tsx bench/bridge.ts`
 */
import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { loadAddon, ScalarType } from "../src/torch/backend.js";

const rounds = 200;
const calls = 1_000;

/** Microseconds of one call: the least over the rounds so far, since other programs only ever add to it. */
function microseconds(call: () => void): () => number {
  let least = Infinity;
  return () => {
    const start = performance.now();
    for (let i = 0; i < calls; i++) call();
    least = Math.min(least, ((performance.now() - start) / calls) * 1e3);
    return least;
  };
}

const addon = loadAddon();
const add = addon.op("aten::add", "Tensor");
const permute = addon.op("aten::permute");
const x = addon.from(new Float32Array([1, 2, 3, 4]), [2, 2], ScalarType.float32, "cpu");
const measures = new Map([
  ["live() (an empty call)", microseconds(() => void addon.live())],
  ["aten::add.Tensor + free", microseconds(() => addon.free(addon.call(add, x, x) as number))],
  ["aten::permute + free", microseconds(() => addon.free(addon.call(permute, x, [1, 0]) as number))],
]);

for (const backend of ["torch", "cpu"]) {
  await tf.setBackend(backend);
  const a = tf.tensor2d([1, 2, 3, 4], [2, 2]);
  const time = microseconds(() => tf.add(a, a).dispose());
  measures.set(`tf.add + dispose, ${backend}`, () => {
    void tf.setBackend(backend);
    return time();
  });
}

const results = new Map<string, number>();
for (let round = 0; round < rounds; round++) {
  for (const [name, measure] of measures) results.set(name, measure());
}
for (const [name, time] of results) console.log(`${name.padEnd(28)} ${time.toFixed(2)} µs`);
const ratio = (results.get("tf.add + dispose, torch") ?? NaN) / (results.get("tf.add + dispose, cpu") ?? NaN);
console.log(`torch / cpu, tf.add + dispose: ${ratio.toFixed(2)}`);
