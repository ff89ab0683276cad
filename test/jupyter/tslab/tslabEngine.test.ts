import { beforeAll, describe, expect, test } from "vitest";
import type { KernelClient } from "../../../src/jupyter/client.js";
import { contentsOf, startTestKernel, textOf } from "../startTestKernel.js";

let kernel: KernelClient;
beforeAll(async () => {
  kernel = await startTestKernel({ args: ["--engine", "tslab"] });
}, 60_000);

describe("--engine tslab", () => {
  test("runs cells with tslab's compiler and executor", async () => {
    const { language_info: language } = await kernel.request("kernel_info_request");
    expect(language).toMatchObject({ version: "5.0.4" });
    await kernel.execute("let n: number = 3; const add = (x: number) => x + n");
    expect(textOf(await kernel.execute("add(4)"))).toBe("7");
    expect(textOf(await kernel.execute("await new Promise((r) => setTimeout(r, 5)); 'late'"))).toBe("'late'");
  });

  test("reports faults as errors", async () => {
    expect((await kernel.execute("const s: string = 5")).reply).toMatchObject({
      status: "error",
      ename: "TypeScriptError",
    });
    expect((await kernel.execute("throw new RangeError('far')")).reply).toMatchObject({
      ename: "RangeError",
      evalue: "far",
    });
  });

  test("shows tslab's displays and ours", async () => {
    const result = await kernel.execute(
      'import * as tslab from "tslab"; tslab.display.html("<b>"); ({ [Symbol.for("Jupyter.display")]: () => ({ "text/html": "<i>" }) })',
    );
    expect(contentsOf(result, "display_data", "execute_result").map(({ data }) => data)).toEqual([
      { "text/html": "<b>" },
      { "text/html": "<i>" },
    ]);
  });

  test("loses no output", async () => {
    const { stdout } = await kernel.execute("for (let i = 0; i < 5000; i++) console.log(i)");
    expect(stdout.split("\n")).toHaveLength(5001);
  });

  test("completes, inspects and can be stopped", async () => {
    expect(await kernel.request("complete_request", { code: "Math.ma", cursor_pos: 7 })).toMatchObject({
      matches: ["max"],
    });
    expect(
      await kernel.request("inspect_request", { code: "Math.max", cursor_pos: 6, detail_level: 0 }),
    ).toMatchObject({ found: true });
    expect(await kernel.request("is_complete_request", { code: "f(" })).toMatchObject({
      status: "incomplete",
    });
    for (const code of ["while (true) {}", "await new Promise(() => {})"]) {
      const submitted = kernel.submit(code);
      await new Promise((resolve) => setTimeout(resolve, 3000));
      await kernel.interrupt();
      expect((await submitted.done).reply["ename"]).toBe("Interrupted");
    }
  });
});
