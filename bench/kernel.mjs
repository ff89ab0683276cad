// The notebook kernel beside stock tslab, in one run, taking turns: start, first cell, plain cells, import of
// katlab, 100,000 printed lines, stop button, memory. Goals: start to `1 + 1` at most 2.5 s, stop under 0.5 s.
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { KernelClient } from "../dist/jupyter/client.js";
import { kernelCommand } from "../dist/jupyter/kernelspec.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const tslab = path.join(root, "node_modules", "tslab", "bin", "tslab");
const kernels = {
  katlab: { argv: kernelCommand(), stop: (client) => client.interrupt() },
  tslab: {
    argv: [process.execPath, tslab, "kernel", "--config-path", "{connection_file}"],
    stop: (client) => client.process.kill("SIGINT"),
  },
};
const runs = Number(process.argv[2] ?? 5);
const lines = 100_000;

const now = () => performance.now();
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const within = (promise, ms) => Promise.race([promise, wait(ms)]);
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

async function timed(action) {
  const started = now();
  await action();
  return now() - started;
}

/** One kernel from its start to its end; milliseconds and megabytes. */
async function measure({ argv, stop }) {
  const started = now();
  const client = await KernelClient.start({ argv, cwd: path.join(root, "notebooks") });
  const ready = now() - started;
  await client.execute("1 + 1");
  const firstResult = now() - started;
  const plain = [];
  for (let i = 0; i < 20; i++)
    plain.push(await timed(() => client.execute(`const value${i} = ${i}; value${i} + 1`)));
  const imported = await timed(() => client.execute('import * as kl from "katlab"'));
  await client.execute("const x = kl.tf.tensor1d([1, 2, 3])");
  const tensor = await timed(() => client.execute("const y = kl.tf.mul(x, 2); y.shape"));
  const megabytes =
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${client.process.pid}/status`, "utf8"))[1]) / 1024;

  const looping = client.submit("while (true) await new Promise((r) => setTimeout(r, 10))");
  await wait(500);
  const stopped = await timed(async () => {
    await stop(client);
    await looping.done;
  });

  // tslab drops what is sent in the first 200 ms after a stop.
  await wait(500);
  const printing = client.submit(`for (let i = 0; i < ${lines}; i++) console.log(i)`);
  const printed = await timed(() => within(printing.done, 15_000));
  const received = client.published
    .filter(({ parent, header }) => parent.msg_id === printing.id && header.msg_type === "stream")
    .map(({ content }) => content.text)
    .join("")
    .split("\n").length;
  client.kill();
  return {
    ready,
    firstResult,
    plain: median(plain),
    imported,
    tensor,
    stopped,
    printed,
    received: received - 1,
    megabytes,
  };
}

const results = Object.fromEntries(Object.keys(kernels).map((name) => [name, []]));
for (let run = 0; run < runs; run++) {
  for (const [name, kernel] of Object.entries(kernels)) results[name].push(await measure(kernel));
}

const rows = {
  ready: "start → ready, ms",
  firstResult: "start → 1 + 1, ms",
  plain: "plain cell, ms",
  imported: "import katlab, ms",
  tensor: "cell with tensors, ms",
  stopped: "stop → idle, ms",
  printed: `${lines.toLocaleString("en")} lines, ms (gives up after 15,000)`,
  received: "… of them received",
  megabytes: "memory after the import, MB",
};
console.table(
  Object.fromEntries(
    Object.entries(rows).map(([key, label]) => {
      const [ours, peer] = Object.values(results).map((all) => median(all.map((one) => one[key])));
      return [
        label,
        {
          katlab: Math.round(ours),
          "stock tslab": Math.round(peer),
          ratio: Number((ours / peer).toFixed(2)),
        },
      ];
    }),
  ),
);
console.log(`medians of ${runs}, Node ${process.versions.node}`);
process.exit();
