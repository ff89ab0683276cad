import { beforeAll, describe, expect, test } from "vitest";
import type { ExecutionResult, KernelClient } from "../../src/jupyter/client.js";
import { contentsOf, hostCell, packageRoot, startTestKernel, textOf } from "./startTestKernel.js";

let kernel: KernelClient;
beforeAll(async () => {
  kernel = await startTestKernel({ folder: packageRoot });
}, 60_000);

const run = (code: string): Promise<ExecutionResult> => kernel.execute(code);
const value = async (code: string): Promise<unknown> => textOf(await run(code));

describe("results", () => {
  test("are those of the last expression", async () => {
    const result = await run("const a = 20\na + 1");
    expect(contentsOf(result, "execute_result")).toEqual([
      { data: { "text/plain": "21" }, metadata: {}, execution_count: result.reply["execution_count"] },
    ]);
    expect(result.reply["status"]).toBe("ok");
    expect(await value("null")).toBe("null");
    expect(await value("undefined")).toBeUndefined();
    expect(await value("const b = 1")).toBeUndefined();
    expect(await value("{ a: 1, b: [2] }")).toBe("{ a: 1, b: [ 2 ] }");
  });

  test("may be waited for", async () => {
    expect(await value("await (async () => 5)()")).toBe("5");
    expect(await value("const r = await (Promise.resolve(6)); r")).toBe("6");
    expect(
      await value(
        "const got: number[] = []\nfor await (const x of (async function* () { yield 1; yield 2 })()) got.push(x)\ngot",
      ),
    ).toBe("[ 1, 2 ]");
  });

  test("show themselves, as a bundle, with metadata, or later", async () => {
    const display = (code: string): string => `({ [Symbol.for("Jupyter.display")]: ${code} })`;
    const shown = async (code: string): Promise<unknown> =>
      contentsOf(await run(display(code)), "execute_result")[0];
    expect(
      await shown('() => ({ "image/png": new Uint8Array([1, 2, 3]), "text/plain": "dot" })'),
    ).toMatchObject({
      data: { "image/png": "AQID", "text/plain": "dot" },
      metadata: {},
    });
    expect(
      await shown('async () => ({ data: { "text/html": "<b>" }, metadata: { "text/html": { a: 1 } } })'),
    ).toMatchObject({
      data: { "text/html": "<b>" },
      metadata: { "text/html": { a: 1 } },
    });
  });

  test("are tables where they are records, and tensors with their values", async () => {
    expect(contentsOf(await run("[{ epoch: 1, loss: 0.5 }]"), "execute_result")).toMatchObject([
      {
        data: {
          "text/html": expect.stringContaining("<td style") as string,
          "text/plain": "[ { epoch: 1, loss: 0.5 } ]",
        },
      },
    ]);
    await run('import * as kl from "katlab"; const engine = await kl.useEngine({ engine: "cpu" })');
    expect(await value("kl.tf.tensor2d([[1, 2], [3, 4]])")).toBe("tensor float32 [2, 2]\n  1  2\n  3  4");
  });

  test("come with a numbered input, between busy and idle", async () => {
    const { outputs } = await run("console.log('out'); 1");
    const types = outputs.map(({ header, content }) =>
      header.msg_type === "status" ? content["execution_state"] : header.msg_type,
    );
    expect(types).toEqual(["busy", "execute_input", "stream", "execute_result", "idle"]);
  });
});

describe("state", () => {
  test("is shared with functions of earlier cells", async () => {
    await run("let c = 0; const inc = () => ++c; const get = () => c");
    expect(await value("c = 10; [inc(), get(), c]")).toBe("[ 11, 11, 11 ]");
  });

  test("may be declared again, as something else", async () => {
    await run(
      "const again = 1; class Again { #p = 1; get() { return this.#p } }; function f() { return 'one' }; enum E { A }",
    );
    await run("const again = 'text'; class Again { n = 2 }; function f() { return 'two' }; enum E { B = 7 }");
    expect(await value("[again, new Again().n, f(), E.B]")).toBe("[ 'text', 2, 'two', 7 ]");
  });

  test("survives a throw, up to where it came", async () => {
    await run("let kept = 'old'; let replaced = 'old'");
    const { reply } = await run(
      "let before = 5\nlet replaced = 'new'\nlet kept = (() => { throw new Error('stop') })()\nlet after = 6",
    );
    expect(reply["status"]).toBe("error");
    expect(await value("[before, replaced, kept]")).toBe("[ 5, 'new', 'old' ]");
    expect((await run("after")).reply["evalue"]).toMatch(/Cannot find name 'after'/);
  });

  test("keeps destructured names, var in blocks and using", async () => {
    await run("const { x, y: [z, ...rest] } = { x: 1, y: [2, 3, 4] }; for (var i = 0; i < 3; i++) {}");
    expect(await value("[x, z, rest, i]")).toBe("[ 1, 2, [ 3, 4 ], 3 ]");
    expect(
      (await run("using r = { [Symbol.dispose]() { console.log('disposed') } }; console.log('used')")).stdout,
    ).toBe("used\ndisposed\n");
  });

  test("hides no global from libraries", async () => {
    expect(
      await value(
        'import { setInterval } from "node:timers/promises"; const queueMicrotask = 2;\n[typeof setInterval, queueMicrotask]',
      ),
    ).toBe("[ 'function', 2 ]");
    expect(
      await value("[queueMicrotask + 1, globalThis.setInterval.name, typeof globalThis.queueMicrotask]"),
    ).toBe("[ 3, 'setInterval', 'function' ]");
    const { stdout } = await run("process.stdout.write('x', () => console.log('written')); await null");
    expect(stdout).toBe("xwritten\n");
  });
});

describe("errors", () => {
  test("name the cell, the line as it was written, and the callers", async () => {
    const { reply, outputs } = await run(
      "interface Options { size: number }\n\n// a comment\nfunction check(options: Options): void {\n  if (options.size > 2) throw new RangeError(`too large: ${options.size}`)\n}\n\ncheck({ size: 3 })",
    );
    const cell = `cell ${String(reply["execution_count"])}`;
    expect(outputs.find(({ header }) => header.msg_type === "error")?.content).toEqual({
      ename: "RangeError",
      evalue: "too large: 3",
      traceback: [
        "\u001b[31mRangeError: too large: 3\u001b[39m",
        `${cell}, line 5:`,
        "      if (options.size > 2) throw new RangeError(`too large: ${options.size}`)\n                                  ^",
        `    at check (${cell}, line 5:31)`,
        `    at ${cell}, line 8:1`,
      ],
    });
    expect(reply).toMatchObject({ status: "error", ename: "RangeError", evalue: "too large: 3" });
  });

  test("in functions of earlier cells name those cells", async () => {
    const { reply: definition } = await run("\nfunction fails(): never {\n  throw new TypeError('here')\n}");
    const { reply } = await run("await Promise.resolve()\nfails()");
    expect(reply["traceback"]).toContain(
      `    at fails (cell ${String(definition["execution_count"])}, line 3:9)`,
    );
  });

  test("of types come with line and caret, and nothing runs", async () => {
    const result = await run("console.log('ran')\nconst n: string = 5");
    expect(result.stdout).toBe("");
    expect(result.reply["ename"]).toBe("TypeScriptError");
    expect((result.reply["traceback"] as string[]).join("\n")).toMatch(
      /cell \d+, line 2:7 - Type 'number' is not assignable to type 'string'\. \(TS2322\)\n {4}const n: string = 5\n {10}\^/,
    );
  });

  test("of anything thrown are shown", async () => {
    expect((await run("throw { code: 3 }")).reply).toMatchObject({ ename: "Thrown", evalue: "{ code: 3 }" });
    expect((await run("throw null")).reply).toMatchObject({ ename: "Thrown", evalue: "null" });
    expect((await run("throw 3n")).reply).toMatchObject({ evalue: "3n" });
    expect((await run("throw NaN")).reply).toMatchObject({ evalue: "NaN" });
  });

  test("in the background are reported and end nothing", async () => {
    const { stderr, reply } = await run(
      "Promise.reject(new Error('nobody waits')); setTimeout(() => { throw new Error('timer') }, 1); await new Promise((r) => setTimeout(r, 50))",
    );
    expect(reply["status"]).toBe("ok");
    expect(stderr).toMatch(/Unhandled rejection[^]*nobody waits[^]*cell \d+, line 1[^]*Uncaught[^]*timer/);
  });

  test("meet whoever wants to end the process", async () => {
    expect((await run("process.exit(3)")).reply["evalue"]).toMatch(/^process\.exit: must not be called/);
    expect(await value("1")).toBe("1");
  });
});

describe("output", () => {
  test("of 100,000 lines is complete and in order", async () => {
    const { stdout } = await run("for (let i = 0; i < 100_000; i++) console.log(i)");
    expect(stdout).toBe(Array.from({ length: 100_000 }, (_, i) => `${i}\n`).join(""));
  });

  test("of displays is complete and in order", async () => {
    await run(hostCell);
    const shown = contentsOf(
      await run("for (let i = 0; i < 3000; i++) host.display({ 'text/plain': String(i) })"),
      "display_data",
    );
    expect(shown.map(({ data }) => (data as { "text/plain": string })["text/plain"])).toEqual(
      Array.from({ length: 3000 }, (_, i) => String(i)),
    );
  });

  test("keeps streams and displays in order", async () => {
    await run(hostCell);
    const { outputs } = await run(
      "console.log('a'); console.error('b'); host.display({ 'text/plain': 'c' }); console.log('d'); 'e'",
    );
    expect(outputs.map(({ header, content }) => content["name"] ?? header.msg_type).slice(2, -1)).toEqual([
      "stdout",
      "stderr",
      "display_data",
      "stdout",
      "execute_result",
    ]);
  });

  test("comes while a cell is busy", async () => {
    const submitted = kernel.submit(
      "for (let i = 0; i < 3; i++) { console.log(i); const until = Date.now() + 200; while (Date.now() < until); }",
    );
    await new Promise((resolve) => setTimeout(resolve, 450));
    const early = kernel.published.filter(
      ({ parent, header }) => parent.msg_id === submitted.id && header.msg_type === "stream",
    );
    expect(early.length).toBeGreaterThan(0);
    expect((await submitted.done).stdout).toBe("0\n1\n2\n");
  });

  test("of late timers goes to the cell that set them", async () => {
    const first = kernel.submit("setTimeout(() => console.log('from the first'), 200); 1");
    await first.done;
    const second = await run("await new Promise((r) => setTimeout(r, 500)); console.log('from the second')");
    expect(second.stdout).toBe("from the second\n");
    const late = kernel.published.filter(
      ({ parent, header }) => parent.msg_id === first.id && header.msg_type === "stream",
    );
    expect(late.map(({ content }) => content["text"])).toEqual(["from the first\n"]);
  });

  test("can be written in all of Node's ways", async () => {
    const { stdout, stderr } = await run(
      "process.stdout.write('a', () => console.log('written')); process.stdout.write(new Uint8Array([226, 130])); process.stdout.write(new Uint8Array([172])); console.dir({ a: { b: {} } }, { depth: 0 }); console.group('g'); console.info('in'); console.groupEnd(); console.time('t'); console.timeEnd('t'); console.assert(false, 'no'); console.log(process.stdout.isTTY); await null",
    );
    expect(stdout).toMatch(/^a€\{ a: \[Object\] \}\ng\n {2}in\nt: [\d.]+m?s\nfalse\nwritten\n$/);
    expect(stderr).toBe("Assertion failed: no\n");
  });
});

describe("displays", () => {
  test("can be replaced, also from later cells", async () => {
    await run(hostCell);
    const first = await run("host.display({ 'text/plain': 'one' }, { id: 'chart', metadata: { a: 1 } })");
    expect(contentsOf(first, "display_data")).toEqual([
      { data: { "text/plain": "one" }, metadata: { a: 1 }, transient: { display_id: "chart" } },
    ]);
    const second = await run("host.display({ 'text/plain': 'two' }, { id: 'chart', update: true })");
    expect(contentsOf(second, "update_display_data")).toMatchObject([{ transient: { display_id: "chart" } }]);
  });

  test("can be cleared", async () => {
    await run(hostCell);
    expect(contentsOf(await run("host.clearOutput(); host.clearOutput(false)"), "clear_output")).toEqual([
      { wait: true },
      { wait: false },
    ]);
  });

  test("of tslab work", async () => {
    const result = await run(
      'import * as tslab from "tslab"; tslab.display.html("<b>"); tslab.display.png(new Uint8Array([1])); const d = tslab.newDisplay(); d.text("1"); d.text("2")',
    );
    const shown = contentsOf(result, "display_data", "update_display_data");
    expect(shown.map(({ data }) => data)).toEqual([
      { "text/html": "<b>" },
      { "image/png": "AQ==" },
      { "text/plain": "1" },
      { "text/plain": "2" },
    ]);
    expect(shown[3]["transient"]).toEqual(shown[2]["transient"]);
  });
});

describe("requests", () => {
  test("for information are answered", async () => {
    const info = await kernel.request("kernel_info_request");
    expect(info).toMatchObject({
      status: "ok",
      protocol_version: "5.3",
      implementation: "katlab",
      language_info: {
        name: "typescript",
        file_extension: ".ts",
        mimetype: "text/typescript",
        codemirror_mode: "typescript",
      },
    });
  });

  test("for completion count in code points and carry kinds", async () => {
    await run("const box = { width: 1 }");
    expect(await kernel.request("complete_request", { code: '"😀"; box.wi', cursor_pos: 11 })).toMatchObject({
      matches: ["width"],
      cursor_start: 9,
      cursor_end: 11,
      metadata: { _jupyter_types_experimental: [{ text: "width", type: "property", start: 9, end: 11 }] },
    });
  });

  test("are answered while a cell runs", async () => {
    const busy = kernel.submit("const stop = Date.now() + 1500; while (Date.now() < stop); 'done'");
    await new Promise((resolve) => setTimeout(resolve, 200));
    const started = Date.now();
    expect(await kernel.request("is_complete_request", { code: "f(" })).toEqual({
      status: "incomplete",
      indent: "  ",
    });
    expect(
      await kernel.request("inspect_request", { code: "Math.max", cursor_pos: 6, detail_level: 0 }),
    ).toMatchObject({
      found: true,
      data: { "text/markdown": expect.stringContaining("max(...values: number[]): number") as string },
    });
    expect(Date.now() - started).toBeLessThan(1200);
    expect(textOf(await busy.done)).toBe("'done'");
  });

  test("for history and comms are answered", async () => {
    await run("'remember me'");
    expect(
      await kernel.request("history_request", { hist_access_type: "tail", n: 1, output: true, raw: true }),
    ).toMatchObject({
      history: [[1, expect.any(Number), ["'remember me'", "'remember me'"]]],
    });
    expect(await kernel.request("comm_info_request")).toEqual({ status: "ok", comms: {} });
  });

  test("that nobody knows get an error", async () => {
    expect(await kernel.request("teleport_request")).toMatchObject({
      status: "error",
      evalue: "teleport_request is not supported",
    });
    expect(await kernel.request("complete_request", { cursor_pos: "x" })).toMatchObject({ status: "error" });
  });

  test("that are malformed end nothing", async () => {
    await kernel.sendFrames(["nonsense"]);
    await kernel.sendFrames(["<IDS|MSG>", "bad signature", "{}", "{}", "{}", "{}"]);
    expect((await kernel.execute(5 as never)).reply).toMatchObject({
      status: "error",
      evalue: expect.stringContaining("code must be a string") as string,
    });
    expect(await value("2")).toBe("2");
  });

  test("may run silently, without being counted", async () => {
    const { execution_count: before } = (await run("1")).reply;
    const silent = await kernel.execute("let hushed = 3; hushed", { silent: true });
    expect(contentsOf(silent, "execute_input", "execute_result")).toEqual([]);
    expect((await kernel.execute("hushed", { store_history: false })).reply["execution_count"]).toBe(before);
    expect((await run("hushed")).reply["execution_count"]).toBe(Number(before) + 1);
  });

  test("may ask for expressions", async () => {
    const { reply } = await kernel.execute("let asked = 2", {
      user_expressions: { twice: "asked * 2", wrong: "nowhere" },
    });
    expect(reply["user_expressions"]).toMatchObject({
      twice: { status: "ok", data: { "text/plain": "4" } },
      wrong: { status: "error", ename: "TypeScriptError" },
    });
  });
});

describe("help", () => {
  test("is what ?name shows, as Markdown", async () => {
    await run("/** Adds. */\nfunction add(a: number, b: number) { return a + b }");
    for (const question of ["?add", "add?"]) {
      const result = await run(question);
      expect(result.reply["status"]).toBe("ok");
      expect(contentsOf(result, "execute_result")).toMatchObject([
        { data: { "text/markdown": expect.stringContaining("Adds.") as string } },
      ]);
    }
    expect((await run("?nowhere")).reply).toMatchObject({ status: "error", ename: "NotFound" });
    expect(await kernel.request("is_complete_request", { code: "?add" })).toEqual({ status: "complete" });
  });

  test("knows katlab: members, options, names of models, signatures", async () => {
    await run('import * as kl from "katlab"');
    const matches = async (code: string): Promise<string[]> => {
      const reply = await kernel.request("complete_request", { code, cursor_pos: code.length });
      return reply["matches"] as string[];
    };
    expect(await matches("kl.createMo")).toEqual(["createModel"]);
    expect(await matches("createMo")).toEqual(["kl.createModel"]);
    const kinds = await kernel.request("complete_request", { code: "kl.create", cursor_pos: 9 });
    expect(kinds["metadata"]).toMatchObject({
      _jupyter_types_experimental: [{ text: "createModel", type: "function" }],
    });
    expect(await matches('kl.createModel("kat_test_patch7')).toContain("kat_test_patch7_28");
    expect(await matches('kl.createModel("kat_test_patch7_28", { clas')).toEqual(["classes"]);
    const code = "kl.createModel(";
    expect(await kernel.request("inspect_request", { code, cursor_pos: code.length })).toMatchObject({
      found: true,
      data: { "text/markdown": expect.stringMatching(/^```typescript\ncreateModel\(/) as string },
    });
  });

  test("is not needed to run code despite its types", async () => {
    expect(await value("%types off\nconst wrong: string = 5; wrong")).toBe("5");
    expect((await run("nowhereAtAll")).reply["ename"]).toBe("ReferenceError");
    expect((await run("%types on\nconst wrong: string = 5")).reply["ename"]).toBe("TypeScriptError");
  });
});

describe("a cell that waits for what never comes", () => {
  test("outlives the collection of its garbage", async () => {
    const waiting = kernel.submit(
      "const churn = globalThis.setInterval(() => Array.from({ length: 1e5 }, () => ({})), 1); setTimeout(() => console.log('alive'), 800); await new Promise(() => {})",
    );
    const isAlive = (): boolean =>
      kernel.published.some(
        ({ parent, content }) => parent.msg_id === waiting.id && content["text"] === "alive\n",
      );
    while (!isAlive()) await new Promise((resolve) => setTimeout(resolve, 50));
    await kernel.interrupt();
    expect((await waiting.done).reply["ename"]).toBe("Interrupted");
    expect((await run("clearInterval(churn)")).reply["status"]).toBe("ok");
  });
});

describe("a failing cell", () => {
  test("aborts those sent with it, and none sent after its reply", async () => {
    const failing = kernel.submit("await null; throw new Error('stop here')");
    const queued = ["1", "2"].map((code) => kernel.submit(code));
    const { execution_count: count } = (await failing.done).reply;
    const later = await run("'later'");
    for (const { reply } of await Promise.all(queued.map(({ done }) => done)))
      expect(reply).toEqual({ status: "aborted" });
    expect(later.reply).toMatchObject({ status: "ok", execution_count: Number(count) + 1 });
  });

  test("aborts nothing when the front end asks for that", async () => {
    const failing = kernel.submit("throw new Error('go on')", { stop_on_error: false });
    const next = kernel.submit("'next'");
    expect((await failing.done).reply["status"]).toBe("error");
    expect(textOf(await next.done)).toBe("'next'");
  });
});

describe("the host interface", () => {
  test("asks the user", async () => {
    await run(hostCell);
    kernel.onInput = (prompt) => `answer to ${prompt}`;
    expect(textOf(await kernel.execute("await host.input('name?')", { allow_stdin: true }))).toBe(
      "'answer to name?'",
    );
    expect((await run("await host.input('name?')")).reply["evalue"]).toMatch(
      /^input: needs a front end that can ask/,
    );
  });

  test("opens comms", async () => {
    await run(hostCell);
    const opened = await run(
      "const comm = host.comm('slider', { value: 1 }, { onMessage: ({ data }: any) => console.log('got', data) }); comm.send({ value: 2 })",
    );
    const [open, message] = contentsOf(opened, "comm_open", "comm_msg");
    expect(open).toMatchObject({ target_name: "slider", data: { value: 1 } });
    expect(message).toEqual({ comm_id: open["comm_id"], data: { value: 2 } });
    expect(await kernel.request("comm_info_request", { target_name: "slider" })).toMatchObject({
      comms: { [String(open["comm_id"])]: { target_name: "slider" } },
    });
    expect(contentsOf(await run("comm.close()"), "comm_close")).toHaveLength(1);
    expect(await kernel.request("comm_info_request", { target_name: "slider" })).toMatchObject({ comms: {} });
  });

  test("tells comms what the front end sends; what they do shows where they were opened", async () => {
    await run(hostCell);
    const open = async (
      code: string,
    ): Promise<{ cell: string; comm: unknown; run: Promise<ExecutionResult> }> => {
      const { id, done } = kernel.submit(
        `const comm${comms} = host.comm('slider', {}, { onMessage: ({ data }: any) => { console.log('got', data.value); comm${comms}.send({ twice: 2 * data.value }) } }); ${code}`,
      );
      comms++;
      const opened = (): unknown =>
        kernel.published.find(({ parent, header }) => parent.msg_id === id && header.msg_type === "comm_open")
          ?.content["comm_id"];
      await expect.poll(opened).toBeDefined();
      return { cell: id, comm: opened(), run: done };
    };
    let comms = 0;
    const move = async (comm: unknown): Promise<string> => {
      const header = kernel.wire.header("comm_msg");
      const content = { comm_id: comm, data: { value: 4 } };
      await kernel.sendFrames(kernel.wire.encode({ type: "comm_msg", content }, header));
      return header.msg_id;
    };
    const causedBy = (request: string): unknown[] =>
      kernel.published
        .filter(
          ({ parent, header }) => parent.msg_id === request && /^(stream|comm_msg)$/.test(header.msg_type),
        )
        .map(({ content }) => content["text"] ?? content["data"]);

    const first = await open("1");
    await first.run;
    await run("'another cell'");
    await move(first.comm);
    await expect.poll(() => causedBy(first.cell)).toEqual(["got 4\n", { twice: 8 }]);

    const second = await open("await new Promise(() => {})");
    await kernel.interrupt();
    expect((await second.run).reply["ename"]).toBe("Interrupted");
    const request = await move(second.comm);
    await expect.poll(() => causedBy(request)).toEqual(["got 4\n", { twice: 8 }]);
  });

  test("counts", async () => {
    await run(hostCell);
    const { reply, outputs } = await run("host.executionCount");
    expect(textOf({ reply, outputs, stdout: "", stderr: "" })).toBe(String(reply["execution_count"]));
  });
});
