import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { startTestKernel, textOf } from "./startTestKernel.js";

const residentMb = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;

test("300 cells neither slow the kernel down nor fill its memory", async () => {
  const kernel = await startTestKernel();
  const pid = kernel.process.pid ?? 0;
  const times: number[] = [];
  const memory: number[] = [];
  await kernel.execute("let n = 0; const history: number[] = []");
  for (let i = 0; i < 300; i++) {
    const started = performance.now();
    const { reply } = await kernel.execute(
      i % 3 === 0
        ? `n += ${i}; const c${i} = { value: n }; c${i}`
        : i % 3 === 1
          ? "history.push(n); history.length"
          : "const last = history.at(-1); console.log(last)",
    );
    times.push(performance.now() - started);
    expect(reply["status"]).toBe("ok");
    if (i % 50 === 49) memory.push(residentMb(pid));
  }
  expect(textOf(await kernel.execute("[history.length, c0.value, c297.value === n]"))).toBe(
    "[ 100, 0, true ]",
  );
  const median = (values: number[]): number =>
    values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
  expect(median(times.slice(-60))).toBeLessThan(4 * median(times.slice(20, 80)) + 20);
  expect(memory[5] - memory[1]).toBeLessThan(150);
}, 120_000);
