import { expect, test } from "vitest";
import { hostCell, startTestKernel, textOf } from "./startTestKernel.js";

/** An hour of a chart that is redrawn every 3.6 seconds, or three minutes of one at 5 Hz, as fast as it goes. */
const updates = 1000;

test("a kernel keeps nothing of the displays that it updates, nor of what timers print", async () => {
  const kernel = await startTestKernel();
  await kernel.execute(`${hostCell};
import v8 from "node:v8";
import vm from "node:vm";
v8.setFlagsFromString("--expose-gc");
const collect = vm.runInNewContext("gc") as () => void;
const show = async (count: number): Promise<number> => {
  for (let i = 0; i < count; i++) {
    host.display({ "text/plain": "x".repeat(20_000) + i }, { id: "chart", update: true });
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (i % 10 === 0) console.log(i);
  }
  collect();
  return process.memoryUsage().heapUsed;
};
host.display({ "text/plain": "first" }, { id: "chart", update: false });
await show(200);`);
  const before = Number(textOf(await kernel.execute("await show(200)")));
  const grown = Number(textOf(await kernel.execute(`await show(${updates})`))) - before;
  // Each update alone has 20 kB.
  expect(before).toBeGreaterThan(1e6);
  expect(grown).toBeLessThan(500_000);
}, 120_000);
