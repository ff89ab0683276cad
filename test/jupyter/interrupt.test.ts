import { beforeAll, describe, expect, test } from "vitest";
import type { ExecutionResult, KernelClient } from "../../src/jupyter/client.js";
import { hostCell, startTestKernel, textOf } from "./startTestKernel.js";

let kernel: KernelClient;
beforeAll(async () => {
  kernel = await startTestKernel();
  await kernel.execute(`let state = 5; ${hostCell}`);
}, 60_000);

/** Runs a cell, presses the stop button once its code runs, and tells how long it then took. */
async function stopped(code: string, { presses = 1 } = {}): Promise<ExecutionResult & { ms: number }> {
  const submitted = kernel.submit(`console.log("runs"); ${code}`);
  while (!hasOutput(submitted.id)) await delay(10);
  await delay(50);
  const pressed = performance.now();
  for (let i = 0; i < presses; i++) {
    await kernel.interrupt();
    if (i + 1 < presses) await delay(100);
  }
  return { ...(await submitted.done), ms: performance.now() - pressed };
}

function hasOutput(id: string): boolean {
  return kernel.published.some(({ parent, header }) => parent.msg_id === id && header.msg_type === "stream");
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Every kind of code that does not end by itself. */
const endless = {
  "a loop": "while (true) {}",
  "a loop after an await": "await null; while (true) {}",
  "a loop of awaits": "while (true) await new Promise((r) => setTimeout(r, 50))",
  "a loop of microtasks": "while (true) await null",
  "a loop that catches": "while (true) { try { while (true) {} } catch {} }",
  "a promise that never settles": "await new Promise(() => {})",
  "a library's loop": "(0, eval)('for (;;) ;')",
  "a library's loop after an await": "await null; (0, eval)('for (;;) ;')",
  "a library's loop of microtasks": "await (0, eval)('(async () => { for (;;) await null })()')",
  "a library's loop in a timer": "(0, eval)('setTimeout(() => { for (;;) ; })'); await new Promise(() => {})",
  "a slow regular expression": "/(a+)+$/.test('a'.repeat(50) + 'b')",
  "for await": "for await (const x of (async function* () { for (;;) yield 1 })()) x",
};

describe("the stop button", () => {
  test.each(Object.entries(endless))("ends %s, and state survives", async (_name, code) => {
    const { reply, ms } = await stopped(code);
    expect(reply).toMatchObject({ status: "error", ename: "Interrupted", evalue: "stopped by the user" });
    expect(ms).toBeLessThan(3000);
    expect(textOf(await kernel.execute("state"))).toBe("5");
  });

  test("works fifty times in a row", async () => {
    const codes = Object.values(endless);
    for (let i = 0; i < 50; i++) {
      const { reply } = await stopped(codes[i % codes.length]);
      expect(reply["ename"]).toBe("Interrupted");
    }
    expect(textOf(await kernel.execute("state"))).toBe("5");
  }, 120_000);

  test("lets code that reads the signal return what it has", async () => {
    const { reply, outputs, stdout, stderr } = await stopped(
      "let steps = 0\nwhile (!host.signal.aborted) { steps++; await new Promise((r) => setImmediate(r)) }\n`stopped after ${steps > 0}`",
    );
    expect(reply["status"]).toBe("ok");
    expect(textOf({ reply, outputs, stdout, stderr })).toBe("'stopped after true'");
    expect(textOf(await kernel.execute("host.signal.aborted"))).toBe("false");
  });

  test("pressed twice does not wait for such code", async () => {
    const { reply, ms } = await stopped("host.signal; await new Promise(() => {})", { presses: 2 });
    expect(reply["ename"]).toBe("Interrupted");
    expect(ms).toBeLessThan(3000);
  });

  test("drops what the stopped cell still writes, and its code ends at its next await", async () => {
    const { reply } = await stopped(
      "let ticks = 0\nwhile (true) { await new Promise((r) => setTimeout(r, 20)); ticks++; console.log('tick') }",
    );
    expect(reply["ename"]).toBe("Interrupted");
    const [first, second] = [
      await kernel.execute("ticks"),
      await kernel.execute("await new Promise((r) => setTimeout(r, 200)); ticks"),
    ];
    expect(textOf(second)).toBe(textOf(first));
    expect(second.stdout).toBe("");
  });

  test.each(["while (true) {}", "await null; while (true) {}", "await new Promise(() => {})"])(
    "drops what timers of the stopped cell write later: %s",
    async (code) => {
      await stopped(`const tick = setInterval(() => console.log("late"), 10); ${code}`);
      const before = kernel.published.length;
      const after = await kernel.execute("await new Promise((r) => setTimeout(r, 200)); clearInterval(tick)");
      expect(after.reply["status"]).toBe("ok");
      const texts = kernel.published.slice(before).map(({ content }) => content["text"]);
      expect(texts.filter((text) => typeof text === "string")).toEqual([]);
    },
  );

  test("keeps what the stopped cell declared before", async () => {
    await stopped("const found = 'early'\nwhile (true) {}\nconst missed = 1");
    expect(textOf(await kernel.execute("found"))).toBe("'early'");
    expect((await kernel.execute("missed")).reply["evalue"]).toMatch(/Cannot find name/);
  });

  test("aborts the cells that wait", async () => {
    const running = kernel.submit("while (true) {}");
    const waiting = kernel.submit("'waiting'");
    await delay(100);
    await kernel.interrupt();
    expect((await running.done).reply["ename"]).toBe("Interrupted");
    expect((await waiting.done).reply).toEqual({ status: "aborted" });
  });

  test("leaves nothing behind that a garbage collection could trip over", async () => {
    const { reply } = await stopped("await new Promise(() => {})");
    expect(reply["ename"]).toBe("Interrupted");
    const churn =
      "let sum = 0; for (let i = 0; i < 200; i++) sum += Array.from({ length: 1e5 }, () => ({})).length; sum";
    expect(textOf(await kernel.execute(churn))).toBe("20000000");
  });

  test("does nothing when nothing runs", async () => {
    await kernel.interrupt();
    expect(textOf(await kernel.execute("state"))).toBe("5");
  });

  test("may be a signal", async () => {
    const submitted = kernel.submit("while (true) await new Promise((r) => setTimeout(r, 20))");
    await delay(150);
    kernel.process.kill("SIGINT");
    expect((await submitted.done).reply["ename"]).toBe("Interrupted");
  });
});
