import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { TypescriptLanguage } from "../../src/jupyter/language/typescriptLanguage.js";
import { startTestKernel, textOf } from "./startTestKernel.js";

/** Cells as a long session has them: state that grows, names that are declared again, names that are new. */
function cellOf(i: number): string {
  if (i % 3 === 0) return `n += ${i}; const c${i} = { value: n }; c${i}`;
  if (i % 3 === 1) return "sums.push(n); sums.length";
  return "const last = sums.at(-1); console.log(last)";
}

const firstCell = "let n = 0; const sums: number[] = []";
const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

describe("300 cells", () => {
  test("leave nothing behind in the language service but themselves", () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const heapMb = (): number => {
      collect();
      return process.memoryUsage().heapUsed / 2 ** 20;
    };
    const language = new TypescriptLanguage("/");
    const run = (id: number, code: string): void => {
      expect(language.compile({ id, count: id, code })).toHaveProperty("code");
      language.accept({ id, reached: Infinity });
    };
    run(0, firstCell);
    for (let i = 0; i < 100; i++) run(i + 1, cellOf(i));
    const before = heapMb();
    for (let i = 100; i < 300; i++) run(i + 1, cellOf(i));
    expect(heapMb() - before).toBeLessThan(10);
    language.close();
  }, 120_000);

  test("neither slow the kernel down nor fill its memory", async () => {
    const kernel = await startTestKernel();
    const heapMb = async (): Promise<number> =>
      Number(textOf(await kernel.execute("collect(); process.memoryUsage().heapUsed / 2 ** 20")));
    await kernel.execute(
      `import { setFlagsFromString } from "node:v8"; setFlagsFromString("--expose-gc"); const collect = require("node:vm").runInNewContext("gc"); ${firstCell}`,
    );
    const times: number[] = [];
    let before = 0;
    for (let i = 0; i < 300; i++) {
      const started = performance.now();
      const { reply } = await kernel.execute(cellOf(i));
      times.push(performance.now() - started);
      expect(reply["status"]).toBe("ok");
      if (i === 99) before = await heapMb();
    }
    expect((await heapMb()) - before).toBeLessThan(10);
    expect(textOf(await kernel.execute("[sums.length, c0.value, c297.value === n]"))).toBe(
      "[ 100, 0, true ]",
    );
    expect(median(times.slice(-60))).toBeLessThan(4 * median(times.slice(20, 80)) + 20);
  }, 120_000);
});
