import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import type { KernelClient } from "../../src/jupyter/client.js";
import { Wire } from "../../src/jupyter/wire.js";
import { Random } from "../../src/random.js";
import { startTestKernel, textOf } from "./startTestKernel.js";

const random = new Random(5);
const below = (n: number): number => random.integer(n);
const oneOf = <T>(values: readonly T[]): T => values[below(values.length)];
const bytes = (length: number): Buffer => Buffer.from(Array.from({ length }, () => below(256)));

const types = [
  "execute_request",
  "complete_request",
  "inspect_request",
  "is_complete_request",
  "history_request",
  "comm_info_request",
  "kernel_info_request",
  "connect_request",
  "interrupt_request",
  "comm_open",
  "comm_msg",
  "comm_close",
  "input_reply",
  "execute_reply",
  "status",
  "debug_request",
  "__proto__",
  "constructor",
  "",
];
const channels = ["shell", "control", "stdin"] as const;
const forger = new Wire({ key: "another key", hash: "sha256", username: "forger" });

/** Values for any field: of the wrong type, out of range, nested without end. */
const values: readonly (() => unknown)[] = [
  () => null,
  () => -1,
  () => 1e300,
  () => 0.5,
  () => true,
  () => [],
  () => ({}),
  () => "1 +",
  () => "hits",
  () => "\u0000\ud800",
  () => "x".repeat(below(2000)),
  () => ({ hits: "hits", constructor: 1, toString: null }),
  () => randomUUID(),
];
const fields = [
  ...["code", "cursor_pos", "silent", "store_history", "user_expressions", "allow_stdin", "stop_on_error"],
  ...[
    "n",
    "start",
    "stop",
    "session",
    "pattern",
    "hist_access_type",
    "target_name",
    "comm_id",
    "data",
    "value",
  ],
];

function content(): object {
  return Object.fromEntries(Array.from({ length: below(6) }, () => [oneOf(fields), oneOf(values)()]));
}

/** Each kind of message that no kernel should get. */
const kinds: readonly ((client: KernelClient) => (string | Uint8Array)[])[] = [
  // Noise.
  () => Array.from({ length: below(12) + 1 }, () => bytes(below(40))),
  () => ["<IDS|MSG>"],
  () => Array.from({ length: 8 }, () => "<IDS|MSG>"),
  // Signed with another key, or changed after signing: they would count.
  () =>
    forger.encode({
      type: "execute_request",
      content: { code: "hits++", silent: false, store_history: true, allow_stdin: false },
    }),
  (client) => {
    const frames = client.wire.encode({ type: "execute_request", content: { code: "hits  " } });
    return frames.map((frame) => (typeof frame === "string" ? frame.replace("hits  ", "hits++") : frame));
  },
  (client) => client.wire.encode({ type: oneOf(types), content: {} }).filter(() => random.uniform() < 0.8),
  // Signed, but nonsense inside.
  (client) =>
    client.wire.encode({
      type: oneOf(types),
      content: oneOf(["", "{", "[]", "null", "\u0000", "[".repeat(5000)]),
    }),
  (client) => client.wire.encode({ type: oneOf(types), content: content() }),
  (client) => client.wire.encode({ type: oneOf(types), content: content() }, oneOf(values)() as never),
  (client) =>
    client.wire.encode({ type: oneOf(types), content: content(), parent: oneOf(values)() as never }),
  (client) =>
    client.wire.encode({ type: oneOf(types), content: content(), metadata: oneOf(values)() as never }),
  (client) =>
    client.wire.encode({
      type: oneOf(types),
      content: content(),
      identities: Array.from({ length: below(4) }, () => bytes(below(300) + 1)),
      buffers: Array.from({ length: below(20) }, () => bytes(below(20))),
    }),
];

test("10,000 malformed, forged, repeated and misplaced messages end nothing and run nothing", async () => {
  const kernel = await startTestKernel();
  await kernel.execute("let hits = 0");
  const content = { code: "hits++", silent: false, store_history: true, allow_stdin: false };
  const once = kernel.wire.encode({ type: "execute_request", content });
  await kernel.sendFrames(once);
  await expect.poll(async () => textOf(await kernel.execute("hits")), { timeout: 10_000 }).toBe("1");
  const hostile = [...kinds, () => once];
  for (let i = 0; i < 10_000; i++) {
    await kernel.sendFrames(oneOf(hostile)(kernel), oneOf(channels));
    if (i % 500 === 0) {
      kernel.published.length = 0;
      expect(await kernel.request("kernel_info_request", {}, oneOf(["shell", "control"]))).toMatchObject({
        status: "ok",
      });
    }
  }
  expect(kernel.process.exitCode).toBeNull();
  // Those that failed have aborted what waited behind them.
  await kernel.execute("null");
  expect(textOf(await kernel.execute("hits"))).toBe("1");
  await kernel.execute("hits++");
  expect(textOf(await kernel.execute("hits"))).toBe("2");
}, 120_000);

test("messages of any size are answered or refused", async () => {
  const kernel = await startTestKernel();
  const large = "x".repeat(32 * 2 ** 20);
  expect(await kernel.request("complete_request", { code: `"${large}"`, cursor_pos: 3 })).toHaveProperty(
    "status",
  );
  expect(await kernel.request("comm_info_request", { target_name: large })).toMatchObject({ comms: {} });
  await kernel.sendFrames([Buffer.alloc(64 * 2 ** 20)]);
  await kernel.sendFrames(Array.from({ length: 20_000 }, () => "frame"));
  const text = await kernel.execute(`const text = "${large}"; text.length`);
  expect(textOf(text)).toBe(String(large.length));
}, 120_000);
